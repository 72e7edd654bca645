"""The columns of `kubectl get`, kind by kind, as a real server computes them (pods are in `pod_printer`)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kata_lib.engines.embedded.api import kept_printers
from kata_lib.engines.embedded.api.durations import age
from kata_lib.engines.embedded.api.pod_printer import pod_cells
from kata_lib.engines.embedded.registry.jsonpath import compiled
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.selectors import selector_text
from kata_lib.engines.embedded.store import Obj

Cells = Callable[[Obj, datetime], list[Any]]


@dataclass(frozen=True)
class Printer:
    """The columns after the name, those only of `-o wide` marked with a `+`, and what fills them."""

    columns: tuple[str, ...]
    cells: Cells
    name_first: bool = True


def _created(obj: Obj, now: datetime) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _joined(pairs: dict[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((pairs or {}).items())) or "<none>"


def _workload(obj: Obj) -> list[Any]:
    containers = obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
    names = ",".join(container.get("name", "") for container in containers)
    images = ",".join(container.get("image", "") for container in containers)
    return [names, images, selector_text(obj.get("spec", {}).get("selector"))]


def _deployment(obj: Obj, now: datetime) -> list[Any]:
    status, wanted = obj.get("status", {}), obj.get("spec", {}).get("replicas", 1)
    ready = f"{status.get('readyReplicas', 0)}/{wanted}"
    counts = [ready, status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [*counts, _created(obj, now), *_workload(obj)]


def _replicaset(obj: Obj, now: datetime) -> list[Any]:
    status, wanted = obj.get("status", {}), obj.get("spec", {}).get("replicas", 1)
    counts = [wanted, status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [*counts, _created(obj, now), *_workload(obj)]


def _service(obj: Obj, now: datetime) -> list[Any]:
    spec = obj.get("spec", {})
    type_ = spec.get("type", "ClusterIP")
    cells = [type_, spec.get("clusterIP") or "<none>", _external(obj, type_), _service_ports(spec)]
    return [*cells, _created(obj, now), _joined(spec.get("selector"))]


def _external(service: Obj, type_: str) -> str:
    spec = service.get("spec", {})
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    addresses = [entry.get("ip") or entry.get("hostname", "") for entry in ingress]
    if type_ == "ExternalName":
        return str(spec.get("externalName", ""))
    if type_ == "LoadBalancer":
        return ",".join([*addresses, *spec.get("externalIPs", [])]) or "<pending>"
    return ",".join(spec.get("externalIPs", [])) or "<none>"


def _service_ports(spec: Obj) -> str:
    def one(port: Obj) -> str:
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        return f"{port.get('port', 0)}{node_port}/{port.get('protocol', 'TCP')}"

    return ",".join(one(port) for port in spec.get("ports", [])) or "<none>"


def _endpointslice(obj: Obj, now: datetime) -> list[Any]:
    ports = ",".join(str(port.get("port", "*")) for port in obj.get("ports") or []) or "<unset>"
    addresses = [
        address for endpoint in obj.get("endpoints") or [] for address in endpoint.get("addresses", ())
    ]
    shown = ",".join(addresses[:3]) or "<unset>"
    if len(addresses) > 3:
        shown += f" + {len(addresses) - 3} more..."
    return [obj.get("addressType", ""), ports, shown, _created(obj, now)]


def _node(obj: Obj, now: datetime) -> list[Any]:
    status, labels = obj.get("status", {}), obj["metadata"].get("labels", {})
    ready = [c.get("status", "") for c in status.get("conditions", []) if c.get("type") == "Ready"]
    state = {"True": "Ready", "False": "NotReady"}.get(ready[0], "Unknown") if ready else "Unknown"
    if obj.get("spec", {}).get("unschedulable"):
        state += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    roles = ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix)))
    addresses = {entry.get("type"): entry.get("address", "") for entry in status.get("addresses", [])}
    info = status.get("nodeInfo", {})
    wide = [
        addresses.get("InternalIP", "<none>"),
        addresses.get("ExternalIP", "<none>"),
        info.get("osImage") or "<unknown>",
        info.get("kernelVersion") or "<unknown>",
        info.get("containerRuntimeVersion") or "<unknown>",
    ]
    return [state, roles or "<none>", _created(obj, now), info.get("kubeletVersion", ""), *wide]


def _event(obj: Obj, now: datetime) -> list[Any]:
    involved, source = obj.get("involvedObject", {}), obj.get("source", {})
    last = obj.get("lastTimestamp") or obj.get("eventTime")
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    origin = ", ".join(filter(None, (source.get("component"), source.get("host"))))
    return [
        age(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{involved.get('kind', '').lower()}/{involved.get('name', '')}",
        involved.get("fieldPath", ""),
        origin or obj.get("reportingComponent", ""),
        obj.get("message", "").strip(),
        age(first, now),
        obj.get("count", 1),
        obj["metadata"]["name"],
    ]


def _scale(obj: Obj, now: datetime) -> list[Any]:
    return [
        obj.get("spec", {}).get("replicas", 0),
        obj.get("status", {}).get("replicas", 0),
        _created(obj, now),
    ]


def _size(obj: Obj) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


def _custom(*paths: str) -> Cells:
    def cells(obj: Obj, now: datetime) -> list[Any]:
        return [*(_custom_cell(obj.get("spec", {}).get(path)) for path in paths), _created(obj, now)]

    return cells


def _custom_cell(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _defined_cell(type_: str, value: Any, now: datetime) -> Any:
    """Return a value as a column of its type shows it; nothing where it is of another type."""
    match type_:
        case "date":
            return age(value, now) if isinstance(value, str) else None
        case "integer" if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value)
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        case "boolean" if isinstance(value, bool):
            return value
        case "string" if value is not None:
            return _custom_cell(value)
    return None


_WORKLOAD_COLUMNS = ("+Containers", "+Images", "+Selector")
_BINDING_COLUMNS = ("Role", "Age", "+Users", "+Groups", "+ServiceAccounts")
_BY_MOMENT = Printer(("Created At",), lambda obj, now: [obj["metadata"]["creationTimestamp"]])
_BY_NAME_AND_AGE = Printer(("Age",), lambda obj, now: [_created(obj, now)])

PRINTERS: dict[str, Printer] = {
    "configmaps": Printer(("Data", "Age"), lambda obj, now: [_size(obj), _created(obj, now)]),
    "customresourcedefinitions": _BY_MOMENT,
    "deployments": Printer(("Ready", "Up-to-date", "Available", "Age", *_WORKLOAD_COLUMNS), _deployment),
    "destinationrules": Printer(("Host", "Age"), _custom("host")),
    "clusterrolebindings": Printer(_BINDING_COLUMNS, kept_printers.binding_cells),
    "clusterroles": _BY_MOMENT,
    "horizontalpodautoscalers": Printer(
        ("Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"), kept_printers.autoscaler_cells
    ),
    "ingressclasses": Printer(("Controller", "Parameters", "Age"), kept_printers.ingress_class_cells),
    "ingresses": Printer(("Class", "Hosts", "Address", "Ports", "Age"), kept_printers.ingress_cells),
    "jobs": Printer(
        ("Status", "Completions", "Duration", "Age", *_WORKLOAD_COLUMNS), kept_printers.job_cells
    ),
    "leases": Printer(("Holder", "Age"), kept_printers.lease_cells),
    "poddisruptionbudgets": Printer(
        ("Min Available", "Max Unavailable", "Allowed Disruptions", "Age"),
        kept_printers.disruption_budget_cells,
    ),
    "rolebindings": Printer(_BINDING_COLUMNS, kept_printers.binding_cells),
    "roles": _BY_MOMENT,
    "endpointslices": Printer(("AddressType", "Ports", "Endpoints", "Age"), _endpointslice),
    "events": Printer(
        (
            *("Last Seen", "Type", "Reason", "Object", "+Subobject", "+Source", "Message"),
            *("+First Seen", "+Count", "+Name"),
        ),
        _event,
        name_first=False,
    ),
    "namespaces": Printer(
        ("Status", "Age"), lambda obj, now: [obj.get("status", {}).get("phase", ""), _created(obj, now)]
    ),
    "nodes": Printer(
        (
            *("Status", "Roles", "Age", "Version"),
            *("+Internal-IP", "+External-IP", "+OS-Image", "+Kernel-Version", "+Container-Runtime"),
        ),
        _node,
    ),
    "pods": Printer(
        ("Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates"),
        pod_cells,
    ),
    "replicasets": Printer(("Desired", "Current", "Ready", "Age", *_WORKLOAD_COLUMNS), _replicaset),
    "scales": Printer(("Desired", "Available", "Age"), _scale),
    "secrets": Printer(
        ("Type", "Data", "Age"), lambda obj, now: [obj.get("type", ""), _size(obj), _created(obj, now)]
    ),
    "serviceaccounts": Printer(("Age",), lambda obj, now: [_created(obj, now)]),
    "serviceentries": Printer(
        ("Hosts", "Location", "Resolution", "Age"), _custom("hosts", "location", "resolution")
    ),
    "services": Printer(
        ("Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"),
        _service,
    ),
    "virtualservices": Printer(("Gateways", "Hosts", "Age"), _custom("gateways", "hosts")),
}


def printer_of(resource: Resource) -> Printer:
    """Return the resource's printer; a kind without one shows its age only."""
    if resource.defined:
        paths = [(column.type, compiled(column.path)) for column in resource.columns]
        return Printer((), lambda obj, now: [_defined_cell(type_, find(obj), now) for type_, find in paths])
    return PRINTERS.get(resource.plural, _BY_NAME_AND_AGE)
