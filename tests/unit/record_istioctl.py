"""Record what the real istioctl says of each mistake: tests/reference/istioctl-analyze.json.

    python tests/unit/record_istioctl.py KUBECONFIG

Needs istioctl and kubectl on PATH, and an API server with Istio's CustomResourceDefinitions in which nothing
else lives: its namespace `default` is emptied again and again. No controller need run; where none does, pods
are what this script creates.
"""

import copy
import json
import subprocess
import sys
from pathlib import Path

from analyzed import ALL, kata
from test_analyze_mistakes import MISTAKES, labels_of

from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.client import Obj
from kata_lib.mesh.analyze import Objects

REFERENCE = Path(__file__).parents[1] / "reference" / "istioctl-analyze.json"
KINDS = "virtualservice,destinationrule,gateway,service,deployment,pod"
LIMIT = 60


def objects(found: Objects) -> list[Obj]:
    """Return what is in the namespace, as an API server takes it."""
    lists = (found.services, found.deployments, found.pods)
    routing = (found.virtual_services, found.destination_rules, found.gateways)
    made = [copy.deepcopy({"apiVersion": "v1", **obj}) for some in (*lists, *routing) for obj in some]
    for obj in made:
        obj["metadata"].pop("creationTimestamp", None)
        obj["metadata"].get("annotations", {}).pop(LAST_APPLIED, None)
        for container in obj["spec"]["containers"] if obj["kind"] == "Pod" else []:
            container.setdefault("image", "none")
    return made


def main(kubeconfig: str) -> None:
    def run(*words: str, stdin: str | None = None, check: bool = True) -> str:
        command = [words[0], f"--kubeconfig={kubeconfig}", *words[1:]]
        return subprocess.run(
            command, input=stdin, check=check, timeout=LIMIT, stdout=subprocess.PIPE, text=True
        ).stdout

    said = {}
    for label, (_, mistake, *_) in zip(labels_of(MISTAKES), MISTAKES, strict=True):
        found = kata(*ALL)
        mistake(found)
        run("kubectl", "delete", KINDS, "--all", "--all-namespaces", "--force", "--grace-period=0")
        made = objects(found)
        for namespace in {obj["metadata"]["namespace"] for obj in made} - {"default"}:
            run("kubectl", "create", "namespace", namespace, check=False)
        labels = [f"{key}={value}" for key, value in found.namespace["metadata"]["labels"].items()]
        run("kubectl", "label", "namespace", "default", *(labels or ["istio-injection-"]), "--overwrite")
        run(
            "kubectl",
            "create",
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}),
        )
        answer = run("istioctl", "analyze", "--namespace=default", "--output=json", check=False)
        said[label] = sorted(
            [m["code"], m["level"], m["origin"], m["message"]] for m in json.loads(answer or "[]")
        )
    run("kubectl", "delete", KINDS, "--all", "--all-namespaces", "--force", "--grace-period=0")
    REFERENCE.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
