"""What istioctl analyze says of each mistake of the tests: tests/reference/istioctl-analyze.json.

On an API server with Istio's definitions in which nothing else lives: its namespace `default` is emptied
again and again. No controller need run; where none does, pods and accounts are what this makes.
"""

import copy
import json

from analyzed import ALL, kata
from test_analyze_mistakes import MISTAKES, labels_of

from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.client import Obj
from kata_lib.mesh.analyze import Objects
from recorders.lab import Lab, LabError
from recorders.leaving import leaving_nothing, without_webhooks
from recorders.recorded import REFERENCE, Versions

FILE = REFERENCE / "istioctl-analyze.json"
KINDS = "virtualservice,destinationrule,gateways.networking.istio.io,httproute,service,deployment,pod"


def record(lab: Lab) -> Versions:
    """Make each mistake and write down every message: its code, level, object and text."""
    with leaving_nothing(lab.client), without_webhooks(lab.client):
        said = {
            label: _said(lab, mistaken)
            for label, (_, mistaken, *_) in zip(labels_of(MISTAKES), MISTAKES, strict=True)
        }
        _empty(lab)
    FILE.write_text(json.dumps(said, indent=1) + "\n")
    return {"istio": lab.version_of("istioctl", "version", "--remote=false")}


def _said(lab: Lab, mistaken: object) -> list[list[str]]:
    found = kata(*ALL)
    assert callable(mistaken)
    mistaken(found)
    _empty(lab)
    made = _objects(found)
    for namespace in {"default", *(obj["metadata"]["namespace"] for obj in made)}:
        lab.run("kubectl", "create", "namespace", namespace)
        lab.run("kubectl", "create", "serviceaccount", "default", f"--namespace={namespace}")
    labels = [f"{key}={value}" for key, value in found.namespace["metadata"]["labels"].items()]
    injection = labels or ["istio-injection-"]
    lab.checked("kubectl", "label", "namespace", "default", *injection, "--overwrite")
    items = {"apiVersion": "v1", "kind": "List", "items": made}
    lab.checked("kubectl", "create", "-f", "-", text=json.dumps(items))
    for route in found.http_routes:
        status = json.dumps({"status": route["status"]})
        name = f"httproute/{route['metadata']['name']}"
        lab.checked("kubectl", "patch", name, "--subresource=status", "--type=merge", f"--patch={status}")
    answer = lab.run("istioctl", "analyze", "--namespace=default", "--output=json")
    if not answer.stdout:
        raise LabError(f"istioctl analyze fails in this lab: {answer.stderr.strip()}")
    return sorted([m["code"], m["level"], m["origin"], m["message"]] for m in json.loads(answer.stdout))


def _empty(lab: Lab) -> None:
    lab.run("kubectl", "delete", KINDS, "--all", "--all-namespaces", "--force", "--grace-period=0")


def _objects(found: Objects) -> list[Obj]:
    """Return what is in the namespace, as an API server takes it."""
    lists = (found.services, found.deployments, found.pods)
    routing = (found.virtual_services, found.destination_rules, found.gateways, found.http_routes)
    made = [copy.deepcopy({"apiVersion": "v1", **obj}) for some in (*lists, *routing) for obj in some]
    for obj in made:
        obj["metadata"].pop("creationTimestamp", None)
        obj["metadata"].get("annotations", {}).pop(LAST_APPLIED, None)
        for container in obj["spec"]["containers"] if obj["kind"] == "Pod" else []:
            container.setdefault("image", "none")
    return made
