"""Host names of Services, as Kubernetes' DNS and Istio have them."""

from collections.abc import Mapping
from typing import Any

DOMAIN = "svc.cluster.local"
MESH = "mesh"
"""Among the gateways of a rule: all sidecars."""


def of_service(name: str, namespace: str) -> str:
    """Return the full name of a Service."""
    return f"{name}.{namespace}.{DOMAIN}"


def of_object(service: Mapping[str, Any]) -> str:
    """Return the full name of a Service as the API shows it."""
    return of_service(service["metadata"]["name"], service["metadata"]["namespace"])


def full_name(host: str, namespace: str) -> str:
    """Return a host as a resource in `namespace` means it: a name without dots is a Service beside it."""
    return host if "." in host or host == "*" else of_service(host, namespace)


def short_name(host: str, namespace: str) -> str:
    """Return a host as `namespace` may call it: a Service in it by its name alone."""
    return host.removesuffix(f".{namespace}.{DOMAIN}")


def gateway_name(written: str, namespace: str) -> str:
    """Return a gateway as NAMESPACE/NAME, as a resource in `namespace` means it; `mesh` stays as it is.

    NAME.NAMESPACE, with or without a domain behind it, is the old form of a gateway elsewhere.
    """
    place, slash, name = written.partition("/")
    if slash:
        return f"{namespace if place == '.' else place}/{name}"
    name, dot, rest = written.partition(".")
    if dot:
        return f"{rest.partition('.')[0]}/{name}"
    return written if written == MESH else f"{namespace}/{written}"


def covers(pattern: str, host: str) -> bool:
    """Return whether a host, perhaps a wildcard such as *.example.com, covers another."""
    return host.endswith(pattern[1:]) if pattern.startswith("*") else pattern == host


def specificity(pattern: str) -> tuple[bool, int]:
    """Return a key by which the more specific of two hosts that cover another is the greater."""
    return not pattern.startswith("*"), len(pattern)
