"""What Istio's own validation refuses although the API server's schema lets it through, in Istio's words.

`mistakes` gets an object of Istio's as it is to be stored; each kind has a module of its name.
After istio.io/istio/pkg/config/validation.
"""

from collections.abc import Callable, Iterator

from kata_lib.engines.embedded.mesh.validation import destination_rules, gateways, virtual_services
from kata_lib.engines.embedded.mesh.validation.durations import undecodable
from kata_lib.engines.embedded.mesh.validation.problems import joined
from kata_lib.engines.embedded.store import Obj

_RULES: dict[str, Callable[[Obj], Iterator[str]]] = {
    "destinationrules": destination_rules.problems,
    "gateways": gateways.problems,
    "virtualservices": virtual_services.problems,
}


def mistakes(resource: str, obj: Obj) -> str:
    """Return what is wrong with an object of the resource (a plural), "" where nothing is."""
    if resource not in _RULES:
        return ""
    if unread := next(undecodable(obj.get("spec") or {}), ""):
        return f"error decoding configuration: {unread}"
    found = list(_RULES[resource](obj))
    return f"configuration is invalid: {joined(found)}" if found else ""
