"""The numbers of protobuf's fields, from Kubernetes' Go modules: protobuf_fields.json.

The modules k8s.io/api and k8s.io/apimachinery, as `go mod download` leaves them. What a field's text
means is said in api/protobuf.py, which reads the file.
"""

import json
import re
from pathlib import Path

from kata_lib.versions import KUBERNETES
from recorders.lab import Lab, LabError
from recorders.recorded import REGISTRY, Versions

FILE = REGISTRY.parent / "api" / "protobuf_fields.json"
API, MACHINERY = "k8s.io/api", "k8s.io/apimachinery"

ROOTS = {
    "v1": "core/v1 ConfigMap Event Namespace Node Pod Secret Service ServiceAccount",
    "apps/v1": "apps/v1 Deployment ReplicaSet",
    "autoscaling/v2": "autoscaling/v2 HorizontalPodAutoscaler",
    "batch/v1": "batch/v1 Job",
    "coordination.k8s.io/v1": "coordination/v1 Lease",
    "networking.k8s.io/v1": "networking/v1 Ingress IngressClass",
    "policy/v1": "policy/v1 PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "rbac/v1 ClusterRole ClusterRoleBinding Role RoleBinding",
    "autoscaling/v1": "autoscaling/v1 HorizontalPodAutoscaler Scale",
    "discovery.k8s.io/v1": "discovery/v1 EndpointSlice",
    "authentication.k8s.io/v1": "authentication/v1 SelfSubjectReview",
    "authorization.k8s.io/v1": "authorization/v1 SelfSubjectAccessReview SelfSubjectRulesReview",
    "meta.k8s.io/v1": "meta/v1 DeleteOptions",
}
FOLDERS = {"meta/v1": "pkg/apis/meta/v1", "runtime": "pkg/runtime"}
"""The packages of the machinery; all others are the API's."""
PACKAGES = ("k8s.io.api.", "k8s.io.apimachinery.pkg.apis.", "k8s.io.apimachinery.pkg.")
SPECIAL = {
    "meta/v1.Time": "time",
    "meta/v1.MicroTime": "time",
    "api/resource.Quantity": "quantity",
    "util/intstr.IntOrString": "int-or-string",
    "meta/v1.FieldsV1": "raw-json",
    "runtime.RawExtension": "raw-json",
}
FIELD = re.compile(
    r"^\s*(optional|repeated|required)?\s*(map<string, ?([\w.]+)>|[\w.]+) (\w+) = (\d+);", re.M
)
GO_FIELD = re.compile(
    r'^\t(\w+)?[ \t]*(\*?)[\w.\[\]*]+[ \t]+`[^`]*json:"([^"]*)"[^`]*protobuf:"[^,]*,(\d+)', re.M
)


def record(lab: Lab) -> Versions:
    """Write every message that the kinds have, by name, and its fields by number."""
    messages: dict[str, dict[str, str]] = {}
    waiting = [f"{root.split()[0]}.{kind}" for root in ROOTS.values() for kind in root.split()[1:]]
    while waiting:
        name = waiting.pop()
        if name not in messages:
            messages[name] = _fields(lab, name)
            waiting += [t for t in map(_message_of, messages[name].values()) if t]
    kinds = {
        f"{api_version} {kind}": f"{root.split()[0]}.{kind}"
        for api_version, root in ROOTS.items()
        for kind in root.split()[1:]
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(messages[name])}" for name in sorted(messages)]
    listed = json.dumps(kinds, indent=2).replace("\n", "\n ")
    FILE.write_text('{\n "kinds": ' + listed + ',\n "messages": {\n' + ",\n".join(lines) + "\n }\n}\n")
    return {"kubernetes": KUBERNETES}


def _message_of(text: str) -> str | None:
    """Return the message that a field's text names, if it names one."""
    kind = text.split(":")[1].lstrip("[]{}*~")
    return kind if "." in kind else None


def _fields(lab: Lab, name: str) -> dict[str, str]:
    """Return number -> text of every field of one message."""
    package, _, message = name.rpartition(".")
    in_machinery = package in FOLDERS
    folder = lab.module(MACHINERY if in_machinery else API) / FOLDERS.get(package, package)
    proto = (folder / "generated.proto").read_text()
    body = re.search(rf"^message {message} {{\n(.*?)^}}", proto, re.M | re.S)
    if not body:
        raise LabError(f"{name} is not in {folder}")
    in_go = _go_facts(folder, message)
    found = {}
    for label, kind, map_value, field, number in FIELD.findall(body[1]):
        pointer, json_name = in_go.get(number, (False, field))
        marks = "[]" if label == "repeated" else "{}" if map_value else "*" if pointer else ""
        inline = "" if json_name else "~"
        found[number] = f"{json_name}:{inline}{marks}{_scalar_or_message(map_value or kind, package)}"
    return found


def _go_facts(folder: Path, message: str) -> dict[str, tuple[bool, str]]:
    """Return of each field's number: whether Go holds it by pointer, and its name in JSON ("" for inline)."""
    for file in folder.glob("*.go"):
        body = re.search(rf"^type {message} struct {{\n(.*?)^}}", file.read_text(), re.M | re.S)
        if body:
            found = GO_FIELD.findall(body[1])
            return {number: (bool(star), tag.split(",")[0]) for _, star, tag, number in found}
    return {}


def _scalar_or_message(kind: str, package: str) -> str:
    """Return the short name of a protobuf type, as seen from a package."""
    if kind in ("string", "bool", "bytes", "double"):
        return kind
    if kind in ("int32", "int64", "uint32", "uint64"):
        return "int"
    full = f"{package}.{kind}" if "." not in kind else kind
    for prefix in PACKAGES:
        if kind.lstrip(".").startswith(prefix):
            path, _, message = kind.lstrip(".").removeprefix(prefix).rpartition(".")
            full = f"{path.replace('.', '/')}.{message}"
            break
    return SPECIAL.get(full, full)
