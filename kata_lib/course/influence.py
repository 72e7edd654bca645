"""What an object that is none of a step's has to do with the requests of the workshop's services.

Objects of any kind go in, a reason for a person comes out. What has nothing to do with them is a person's own
affair: a namespace may hold other things.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from kata_lib.cluster import labels
from kata_lib.cluster.client import Obj
from kata_lib.cluster.hosts import covers, full_name
from kata_lib.course import originals
from kata_lib.course.steps import V1


def on_the_requests(namespace: str, obj: Obj) -> str:
    """Return how an object bears on requests to or from the workshop's services, "" where it does not."""
    kind, spec = obj["kind"], obj.get("spec") or {}
    if kind in _OF_THE_WHOLE_NAMESPACE:
        return "it is for all pods of the namespace, or may be"
    if kind in _HOSTS:
        found = [host for host in _HOSTS[kind](spec) if _is_ours(host, namespace)]
        return f"it speaks for {', '.join(found)}" if found else ""
    if kind == "HorizontalPodAutoscaler":
        target = (spec.get("scaleTargetRef") or {}).get("name")
        return f"it scales {target}" if target in _names("Deployment", "Rollout") else ""
    chosen = [name for name, selector in _selectors().items() if labels.selects(selector, _template(obj))]
    return f"the Service {', '.join(chosen)} chooses its pods" if chosen else ""


_OF_THE_WHOLE_NAMESPACE = frozenset(
    {
        "AuthorizationPolicy",
        "EnvoyFilter",
        "NetworkPolicy",
        "PeerAuthentication",
        "ProxyConfig",
        "RequestAuthentication",
        "Sidecar",
        "WasmPlugin",
    }
)
_HOSTS: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "VirtualService": lambda spec: spec.get("hosts") or [],
    "ServiceEntry": lambda spec: spec.get("hosts") or [],
    "DestinationRule": lambda spec: [spec.get("host", "")],
    "HTTPRoute": lambda spec: _services(spec),
    "GRPCRoute": lambda spec: _services(spec),
    "TCPRoute": lambda spec: _services(spec),
}
"""The hosts for which an object of a kind speaks."""


def _services(spec: Mapping[str, Any]) -> list[str]:
    return [ref["name"] for ref in spec.get("parentRefs") or [] if ref.get("kind") == "Service"]


def _is_ours(host: str, namespace: str) -> bool:
    pattern = full_name(host, namespace)
    return any(covers(pattern, full_name(name, namespace)) for name in _selectors())


def _template(obj: Obj) -> Obj:
    """Return the pods' labels of a workload, or a pod itself."""
    template: Obj = (obj.get("spec") or {}).get("template") or {}
    return obj if obj["kind"] in ("Pod", "WorkloadEntry") else template


@functools.cache
def _selectors() -> Mapping[str, Mapping[str, str]]:
    """Return which pods each of the workshop's Services chooses."""
    services = [obj for obj in originals.manifests(V1) if obj["kind"] == "Service"]
    return {service["metadata"]["name"]: service["spec"]["selector"] for service in services}


def _names(*kinds: str) -> set[str]:
    return {name for kind in kinds for name in originals.names(kind)}
