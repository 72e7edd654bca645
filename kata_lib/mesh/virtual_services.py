"""Which VirtualService speaks for a host, and which of its rules a plain request takes, as they are written.

For finding what to change. What becomes of requests the sidecars say (in_force.py).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.hosts import covers, full_name, specificity
from kata_lib.errors import MeshError
from kata_lib.mesh.matches import fits

ISTIO = "networking.istio.io/v1"


def speaker(cluster: Cluster, host: str) -> Obj | None:
    """Return the VirtualService that speaks for a host inside the mesh.

    Of several istiod takes the one with the most specific host, and of these the oldest.
    """
    full = full_name(host, cluster.namespace)
    found = [
        (specificity(pattern), service)
        for service in sorted(cluster.objects(ISTIO, "VirtualService"), key=_age)
        if service["spec"].get("http") and _reaches_sidecars(service["spec"], cluster.namespace)
        for written in service["spec"].get("hosts", [])
        if covers(pattern := full_name(written, cluster.namespace), full)
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def plain_rules(cluster: Cluster, service: Obj) -> Iterator[tuple[Obj, int]]:
    """Yield the rules that a plain request takes, each with its object; delegates' in their place."""
    for index, rule in enumerate(service["spec"]["http"]):
        if not is_plain(rule):
            continue
        if "delegate" not in rule:
            yield service, index
            continue
        delegate = cluster.get(ISTIO, "VirtualService", rule["delegate"]["name"])
        if delegate is not None and not delegate["spec"].get("hosts"):
            handed_on = enumerate(delegate["spec"].get("http", []))
            yield from ((delegate, inner) for inner, rule_of_it in handed_on if is_plain(rule_of_it))


def plain_rule(rules: list[Obj]) -> int:
    """Return the index of the first rule that a plain `GET /` takes; MeshError where none does."""
    for index, rule in enumerate(rules):
        if is_plain(rule):
            return index
    raise MeshError("No rule takes a plain `GET /`: each has a match.")


def is_plain(rule: Obj) -> bool:
    """Return whether a rule takes a plain `GET /`: without a match, or by one such as `prefix: /`."""
    return any(map(_takes_plain, rule.get("match") or [{}]))


def _reaches_sidecars(spec: Obj, namespace: str) -> bool:
    """Return whether a VirtualService is for sidecars, and for those of its own namespace."""
    exported = spec.get("exportTo") or ["*"]
    return "mesh" in (spec.get("gateways") or ["mesh"]) and not {"*", ".", namespace}.isdisjoint(exported)


def _takes_plain(match: Obj) -> bool:
    return all(key in _PLAIN and _PLAIN[key](value) for key, value in match.items())


def _is(value: str) -> Callable[[Mapping[str, str]], bool]:
    def holds(written: Mapping[str, str]) -> bool:
        return (
            written.get("exact") == value
            or ("prefix" in written and value.startswith(written["prefix"]))
            or ("regex" in written and fits(value, written["regex"]))
        )

    return holds


def _always(_: Any) -> bool:
    return True


_PLAIN: Mapping[str, Callable[[Any], bool]] = {
    "uri": _is("/"),
    "method": _is("GET"),
    "scheme": _is("http"),
    "withoutHeaders": _always,
    "gateways": lambda gateways: "mesh" in gateways,
    "name": _always,
    "statPrefix": _always,
    "ignoreUriCase": _always,
}
"""Of a match, whether a plain `GET /` fulfils each of its conditions; one of headers it does not."""


def _age(service: Obj) -> tuple[str, str]:
    return service["metadata"]["creationTimestamp"], service["metadata"]["name"]
