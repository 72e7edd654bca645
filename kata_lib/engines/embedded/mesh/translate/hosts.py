"""Names: a Service's domains, what a cluster is called, who sees a resource."""

from kata_lib.engines.embedded.mesh.translate.model import Service
from kata_lib.engines.embedded.store import Obj


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
