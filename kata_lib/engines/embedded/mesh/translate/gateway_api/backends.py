"""backendRefs: where requests go, at which weights, and what is wrong with one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kata_lib.cluster.hosts import DOMAIN, of_service
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.gateway_api import grants, headers
from kata_lib.engines.embedded.mesh.translate.gateway_api.grants import Reference
from kata_lib.engines.embedded.mesh.translate.gateway_api.problems import Problem
from kata_lib.engines.embedded.store import Obj

REFERENCE: dict[str, Tree] = dict.fromkeys(("group", "kind", "name", "namespace", "port"), LEAF)
FIELDS: Tree = {**REFERENCE, "weight": LEAF, "filters": [{"type": LEAF, **headers.FIELDS}]}

Backend = Mapping[str, Any]
_SERVICES = {("", "Service"), ("multicluster.x-k8s.io", "ServiceImport")}
_HOSTNAME = ("networking.istio.io", "Hostname")


@dataclass(frozen=True)
class Scope:
    """In which namespace a route refers to backends, and which are there; granted: as `rules.of` has it."""

    namespace: str
    hostnames: Collection[str]
    granted: Sequence[Obj] | None = None


def total(backends: Sequence[Backend]) -> int:
    """Return the sum of the weights, of which one that is not written is 1."""
    return sum(_weight(backend) for backend in backends)


def istio(backends: Sequence[Backend], scope: Scope) -> tuple[list[dict[str, Any]], Problem | None]:
    """Return Istio's destinations, and what is wrong with the last that is not there; it keeps its share.

    Raises Problem where one cannot be meant.
    """
    taken = [backend for backend in backends if _weight(backend)]
    made, wrong = [], None
    for backend in taken:
        found, problem = destination(backend, scope)
        weight = {"weight": _weight(backend)} if len(taken) > 1 else {}
        made.append({"destination": found, **weight, **_headers(backend)})
        wrong = problem or wrong
    return made, wrong


def destination(backend: Backend, scope: Scope) -> tuple[dict[str, Any], Problem | None]:
    """Return Istio's destination, and why nothing is there; without a host it is none.

    Raises Problem where it cannot be meant.
    """
    kind = backend.get("group", ""), backend.get("kind", "Service")
    if problem := _not_granted(backend, kind, scope):
        return {}, problem
    known = True
    if kind in _SERVICES:
        host = _service(backend, scope.namespace)
    elif kind == _HOSTNAME:
        host = _hostname(backend)
        known = host.endswith(f".{scope.namespace}.{DOMAIN}")  # istiod looks in the route's namespace alone
    else:
        group, name = backend.get("group", ""), backend.get("kind", "")
        why = f'referencing unsupported backendRef: group "{group}" kind "{name}"'
        return {}, Problem("InvalidKind", why)
    if "port" not in backend:
        raise Problem("InvalidDestination", "port is required in backendRef")
    missing = Problem("BackendNotFound", f"backend({host}) not found")
    found = {"host": host, "port": {"number": backend["port"]}}
    return found, None if known and host in scope.hostnames else missing


def _not_granted(backend: Backend, kind: tuple[str, str], scope: Scope) -> Problem | None:
    place = backend.get("namespace") or scope.namespace
    reference = Reference("HTTPRoute", scope.namespace, kind[1], place, backend["name"], kind[0])
    if scope.granted is None or grants.allows(scope.granted, reference):
        return None
    why = f"backendRef {backend['name']}/{place} not accessible to a HTTPRoute in namespace"
    return Problem("RefNotPermitted", f'{why} "{scope.namespace}" (missing a ReferenceGrant?)')


def _service(backend: Backend, namespace: str) -> str:
    if "." in backend["name"]:
        why = "service name invalid; the name of the Service must be used, not the hostname."
        raise Problem("InvalidDestination", why)
    return of_service(backend["name"], backend.get("namespace") or namespace)


def _hostname(backend: Backend) -> str:
    if "namespace" in backend:
        raise Problem("InvalidDestination", "namespace may not be set with Hostname type")
    return str(backend["name"])


def _headers(backend: Backend) -> dict[str, Any]:
    made = {}
    for given in backend.get("filters", ()):
        if given["type"] not in headers.DIRECTIONS:
            raise Problem("InvalidFilter", f'unsupported filter type "{given["type"]}"')
        direction = headers.DIRECTIONS[given["type"]]
        made[direction] = headers.istio(given.get(f"{direction}HeaderModifier", {}))
    return {"headers": made} if made else {}


def _weight(backend: Backend) -> int:
    return int(backend.get("weight", 1))
