"""Record what the real kubectl reads in YAML: asks it again for each text in tests/reference/yaml.json.

    python tests/unit/record_yaml.py KUBECONFIG

Needs kubectl on PATH and an API server. Nothing but the kind of the texts is made there.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parents[1] / "reference" / "yaml.json"
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

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
LIMIT = 60


def objects(answer: str) -> list[Any]:
    """Return the objects that kubectl would apply, as the text has them."""
    said = json.loads(answer) if answer.strip() else {"kind": "List", "items": []}
    return [_written(obj) for obj in (said["items"] if said["kind"] == "List" else [said])]


def _written(obj: Any) -> Any:
    written = json.loads(obj["metadata"]["annotations"][LAST_APPLIED])
    del written["metadata"]["namespace"], written["metadata"]["annotations"]
    return written


def main(kubeconfig: str) -> None:
    """Ask kubectl what each text says, and write its answers down."""

    def kubectl(*words: str, text: str) -> subprocess.CompletedProcess[bytes]:
        command = ["kubectl", f"--kubeconfig={kubeconfig}", *words, "--filename=-"]
        return subprocess.run(command, input=text.encode(), capture_output=True, timeout=LIMIT)

    kubectl("apply", text=json.dumps(KIND)).check_returncode()
    recorded = []
    for case in json.loads(REFERENCE.read_text()):
        done = kubectl("apply", "--dry-run=client", "--output=json", text=case["text"])
        entry: dict[str, Any] = {"text": case["text"], "objects": objects(done.stdout.decode())}
        if done.returncode:
            entry["refused"] = done.stderr.decode().strip()
        recorded.append(entry)
    REFERENCE.write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
