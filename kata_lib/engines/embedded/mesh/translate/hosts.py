"""Names: what a host in Istio's resources means, a Service's domains, what a cluster is called."""

from kata_lib.engines.embedded.mesh.translate.model import CLUSTER_DOMAIN, Service
from kata_lib.engines.embedded.store import Obj

MESH_GATEWAY = "mesh"


def full_name(host: str, namespace: str) -> str:
    """Return a host as a resource in `namespace` means it: a name without dots is a Service beside it."""
    if "." in host or host == "*":
        return host
    return f"{host}.{namespace}.svc.{CLUSTER_DOMAIN}"


def matches(pattern: str, hostname: str) -> bool:
    """Return whether a host, perhaps a wildcard such as *.example.com, covers a hostname."""
    if pattern.startswith("*"):
        return hostname.endswith(pattern[1:])
    return pattern == hostname


def specificity(pattern: str) -> tuple[bool, int]:
    """Return a key by which the more specific of two matching hosts is the greater."""
    return not pattern.startswith("*"), len(pattern)


def domains(service: Service, namespace: str) -> list[str]:
    """Return the names under which a proxy in `namespace` may ask for a Service."""
    short = [service.name] if service.namespace == namespace else []
    qualified = f"{service.name}.{service.namespace}"
    return [*short, qualified, f"{qualified}.svc", service.hostname, f"{service.hostname}."]


def cluster_name(hostname: str, port: int, subset: str = "") -> str:
    """Return istiod's name of the cluster for a host's port and subset."""
    return f"outbound|{port}|{subset}|{hostname}"


def visible(resource: Obj, namespace: str) -> bool:
    """Return whether a resource's exportTo lets proxies of a namespace see it."""
    own = resource["metadata"]["namespace"]
    exported = resource["spec"].get("exportTo") or ["*"]
    return "*" in exported or namespace in [own if name == "." else name for name in exported]
