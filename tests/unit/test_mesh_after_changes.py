"""After any series of changes a moment's configurations are those of a cluster that was always so."""

import copy
import random
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from random_sets import rounds
from test_mesh_combinations import recorded
from test_mesh_gateways import POD, ROUTER, of_the_gateway_api
from test_mesh_reference import Loopback, pods_of, slices_of, workloads

from kata_lib.engines.embedded.mesh.translate import MeshSnapshot, Proxy, translate
from kata_lib.engines.embedded.mesh.translate.memo import Memo

Obj = dict[str, Any]
Parts = Mapping[str, list[Obj]]

KINDS = {
    "services": "Service",
    "virtual_services": "VirtualService",
    "destination_rules": "DestinationRule",
    "http_routes": "HTTPRoute",
    "api_gateways": "Gateway",
    "reference_grants": "ReferenceGrant",
}
PODS = pods_of([document for document in workloads() if document["kind"] == "Deployment"])
NAMESPACES = [{"metadata": {"name": name}} for name in ("default", "istio-system", "other")]
PROXIES = [*(Proxy("sidecar", "default", pod["metadata"]["labels"], pod) for pod in PODS), ROUTER]
PROXIES += [Proxy("node", "default"), Proxy("sidecar", "other", {"app": "edge"}, POD)]
CHANGES = 12


@cache
def meshes() -> list[list[Obj]]:
    """Return the objects of every recorded random mesh: Istio's own, and those with Gateways."""
    cases = [*recorded().values(), *of_the_gateway_api().values()]
    times = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    return [
        [{**d, "metadata": {"namespace": "default", **times, **d["metadata"]}} for d in case["documents"]]
        for case in cases
    ]


def parts_of(applied: list[Obj], pods: list[Obj]) -> Parts:
    """Return all there is while some pods of the reference are there, and something is applied."""
    found = {
        (d["metadata"].get("namespace"), d["metadata"]["name"]): d for d in services([*workloads(), *applied])
    }
    of_kind = {part: [d for d in applied if d["kind"] == kind] for part, kind in KINDS.items()}
    chosen = [service for service in found.values() if service["spec"].get("selector")]
    slices = list(slices_of(chosen, pods))
    return (
        of_kind
        | {"services": list(found.values()), "pods": pods, "endpoint_slices": slices}
        | {"namespaces": NAMESPACES}
    )


def services(documents: Iterable[Obj]) -> Iterator[Obj]:
    return (document for document in documents if document["kind"] == "Service")


def changes(chance: random.Random) -> Iterator[Parts]:
    """Yield what is another at each moment: some parts of another mesh, or the same once more."""
    present = parts_of(chance.choice(meshes()), PODS)
    yield present
    for _ in range(CHANGES):
        pods = chance.sample(PODS, chance.randint(1, len(PODS)))
        other = parts_of(chance.choice(meshes()), pods)
        names = chance.sample(sorted(other), chance.randint(1, 3))
        yield {part: copy.deepcopy(chance.choice([present, other, other])[part]) for part in names}


@pytest.mark.parametrize("seed", rounds(12))
def test_after_changes_all_is_as_if_it_had_always_been_so(seed: int) -> None:
    present: dict[str, list[Obj]] = {}
    snapshot = MeshSnapshot()
    chance = random.Random(seed)
    for changed in changes(chance):
        present |= changed
        snapshot = snapshot.then(**changed)
        asked = chance.sample(PROXIES, chance.randint(1, len(PROXIES)))
        anew = MeshSnapshot(**present)
        for proxy in asked:
            assert translate(snapshot, proxy, Loopback()) == translate(anew, proxy, Loopback())


def test_a_rule_that_changes_leaves_all_else_the_same() -> None:
    proxy = PROXIES[0]
    snapshot = MeshSnapshot(**parts_of(meshes()[0], PODS))
    before = translate(snapshot, proxy, Loopback())
    later = snapshot.then(virtual_services=[])
    after = translate(later, proxy, Loopback())
    assert after.routes != before.routes
    assert after.endpoints is before.endpoints
    assert all(after.clusters[name] is cluster for name, cluster in before.clusters.items())
    assert all(after.listeners[name] is listener for name, listener in before.listeners.items())
    assert translate(later.then(secrets=[]), proxy, Loopback()) is after


def test_a_value_is_made_anew_only_of_what_changed() -> None:
    made = []

    def value(memo: Memo, name: str) -> str:
        memo.note(name)
        made.append(name)
        return f"of {name}"

    def both(memo: Memo) -> tuple[str, str]:
        first = memo.once(("a",), lambda: value(memo, "a"))
        made.append("both")
        return first, memo.once(("b",), lambda: value(memo, "b"))

    memo = Memo()
    first = memo.once(("both",), lambda: both(memo))
    assert memo.once(("both",), lambda: both(memo)) is first
    assert made == ["a", "both", "b"]
    memo = memo.then({"c"})
    assert memo.once(("both",), lambda: both(memo)) is first
    memo = memo.then({"b"})
    assert memo.once(("both",), lambda: both(memo)) is first  # it is equal
    assert made == ["a", "both", "b", "both", "b"]


def test_what_nobody_asked_for_is_forgotten() -> None:
    memo = Memo()
    first = memo.once(("a",), lambda: [1])
    later = memo.then(()).then(())
    assert later.once(("a",), lambda: [1]) is not first
