"""What kubectl reads in YAML: it is asked again for each text of tests/reference/yaml.json."""

import json
from typing import Any

from kata_lib.cluster.apply import LAST_APPLIED
from recorders.lab import Lab
from recorders.leaving import leaving_nothing
from recorders.recorded import REFERENCE, Versions

FILE = REFERENCE / "yaml.json"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
KIND: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.yaml.example"},
    "spec": {
        "group": "yaml.example",
        "scope": "Namespaced",
        "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}
"""A kind whose objects have any field."""


def record(lab: Lab) -> Versions:
    """Write the objects that kubectl would apply for each text, and its refusal where it has one."""
    with leaving_nothing(lab.client):
        lab.checked("kubectl", "apply", "--filename=-", text=json.dumps(KIND))
        lab.checked("kubectl", "wait", "--for=condition=established", "crd/things.yaml.example")
        recorded = [_asked(lab, case["text"]) for case in json.loads(FILE.read_text())]
    FILE.write_text(json.dumps(recorded, indent=1) + "\n")
    return {"kubectl": lab.version_of("kubectl", "version", "--client")}


def _asked(lab: Lab, text: str) -> dict[str, Any]:
    done = lab.run("kubectl", "apply", "--dry-run=client", "--output=json", "--filename=-", text=text)
    entry: dict[str, Any] = {"text": text, "objects": _objects(done.stdout)}
    return entry | ({"refused": done.stderr.strip()} if done.returncode else {})


def _objects(answer: str) -> list[Any]:
    said = json.loads(answer) if answer.strip() else {"kind": "List", "items": []}
    return [_written(obj) for obj in (said["items"] if said["kind"] == "List" else [said])]


def _written(obj: Any) -> Any:
    """Return an object as the text has it, which kubectl notes down in what it would apply."""
    written = json.loads(obj["metadata"]["annotations"][LAST_APPLIED])
    del written["metadata"]["namespace"], written["metadata"]["annotations"]
    return written
