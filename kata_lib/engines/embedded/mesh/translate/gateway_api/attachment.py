"""Routes of Gateways: to which listeners one is attached, with which of its hosts, and why not to others."""

from collections.abc import Iterator, Sequence

from kata_lib.cluster.hosts import covers
from kata_lib.engines.embedded.mesh.translate.gateway_api import parents
from kata_lib.engines.embedded.mesh.translate.gateway_api.grants import GROUP
from kata_lib.engines.embedded.mesh.translate.gateway_api.listeners import Gateways, Listener
from kata_lib.engines.embedded.mesh.translate.gateway_api.parents import Parent
from kata_lib.engines.embedded.mesh.translate.gateway_api.problems import Problem
from kata_lib.engines.embedded.store import Obj

_SEVERITY = ("NotAllowedByListeners", "NoMatchingListenerHostname", "NoMatchingParent")
_ROUTE = "HTTPRoute"


def listeners(parent: Parent, route: Obj, gateways: Gateways) -> Sequence[Listener]:
    """Return the listeners of the Gateway that a parent is; none where it is not there."""
    if not parents.is_gateway(parent):
        return ()
    namespace = parent.get("namespace") or route["metadata"]["namespace"]
    found = gateways.listeners.get(f"{namespace}/{parent['name']}", ())
    return [listener for listener in found if listener.serves]


def attached(route: Obj, gateways: Gateways) -> Iterator[tuple[Listener, list[str]]]:
    """Yield the listeners that a route is attached to, each with the route's hosts that are its own."""
    found = [
        (listener, parent)
        for parent in route["spec"].get("parentRefs", ())
        for listener in listeners(parent, route, gateways)
        if denied(listener, parent, route) is None
    ]
    for listener, _ in sorted(found, key=lambda pair: pair[0].internal):
        others = gateways.listeners[listener.gateway]
        hosts = route["spec"].get("hostnames") or ["*"]
        yield listener, [host for host in hosts if _is_own(host, listener, others)]


def judged(parent: Parent, route: Obj, found: Sequence[Listener]) -> tuple[int, Problem | None]:
    """Return to how many of a Gateway's listeners a parent attaches a route; where to none, why not."""
    reasons = [denied(listener, parent, route) for listener in found]
    wrong = [reason for reason in reasons if reason is not None]
    if len(wrong) < len(reasons):
        return len(reasons) - len(wrong), None
    worst = min((_SEVERITY.index(problem.reason) for problem in wrong), default=0)
    said = [problem.message for problem in wrong if problem.reason == _SEVERITY[worst]]
    return 0, Problem(_SEVERITY[worst], "; ".join(said))


def denied(listener: Listener, parent: Parent, route: Obj) -> Problem | None:
    """Return why a parent does not attach a route to a listener, in istiod's words; None where it does."""
    if parent.get("port") and parent["port"] != listener.spec["port"]:
        return Problem("NoMatchingParent", f"port {parent['port']} not found")
    if parent.get("sectionName") and parent["sectionName"] != listener.name:
        return Problem("NoMatchingParent", f'sectionName "{parent["sectionName"]}" not found')
    if problem := _hosts_denied(listener, route):
        return problem
    if {"group": GROUP, "kind": _ROUTE} not in listener.kinds:
        return Problem("NotAllowedByListeners", f"kind {GROUP}/v1/{_ROUTE} is not allowed")
    return None


def _hosts_denied(listener: Listener, route: Obj) -> Problem | None:
    hosts, namespace = route["spec"].get("hostnames") or ["*"], route["metadata"]["namespace"]
    allowed = [place.partition("/") for place in listener.hosts]
    by_host = [place for place, _, host in allowed if any(_overlap(host, own) for own in hosts)]
    if any(place in ("*", namespace) for place in by_host):
        return None
    if by_host:
        why = f'hostnames matched parent hostname "{listener.hostname}", but namespace "{namespace}"'
        return Problem("NotAllowedByListeners", f"{why} is not allowed by the parent")
    why = f'no hostnames matched parent hostname "{listener.hostname}"'
    return Problem("NoMatchingListenerHostname", why)


def _is_own(host: str, listener: Listener, others: Sequence[Listener]) -> bool:
    """Return whether requests for a route's host are this listener's, and none's that is more specific."""
    own = listener.hostname
    if own and not own.startswith("*"):
        return True
    if own and not _overlap(own, host):
        return False
    alike = (
        other.hostname
        for other in others
        if other.serves
        and all(other.spec[key] == listener.spec[key] for key in ("port", "protocol"))
        and other.hostname != own
    )
    return not any(len(own) <= len(other) and covers(other, host) for other in alike if other)


def _overlap(one: str, other: str) -> bool:
    return covers(one, other) or covers(other, one)
