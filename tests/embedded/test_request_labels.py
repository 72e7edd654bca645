"""With which labels a sidecar counts a request of its pod, through a real Envoy: as Istio's filter does.

What that one writes: istio/proxy, source/extensions/filters/http/istio_stats/istio_stats.cc
(populatePeerInfo, at 9ba543715), and for an endpoint that nobody answered from in its golden data,
testdata/metric/client_request_total_endpoint_labels.yaml.tmpl.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from embedded.mesh_harness import LIMIT, Mesh, counted, rule, running_mesh, split, until

Obj = dict[str, Any]
TO_NAME = {
    "destination_service": "name.default.svc.cluster.local",
    "destination_service_name": "name",
    "destination_service_namespace": "default",
}
TO_HOST = {
    "destination_service": "name:5000",
    "destination_service_name": "name:5000",
    "destination_service_namespace": "unknown",
}
V1 = {
    "destination_workload": "name-v1",
    "destination_workload_namespace": "default",
    "destination_app": "name",
    "destination_version": "v1",
    "destination_canonical_service": "name",
    "destination_canonical_revision": "v1",
}
V1_SAYS_NOTHING = {**V1, "destination_app": "unknown", "destination_version": "unknown"}
NO_POD = {**dict.fromkeys(V1, "unknown"), "destination_canonical_revision": "latest"}


@pytest.fixture
async def mesh() -> AsyncIterator[Mesh]:
    async with running_mesh() as running:
        yield running


async def answered(mesh: Mesh) -> None:
    mesh.registry.put("virtualservices", split(v1=1))


async def no_sidecar(mesh: Mesh) -> None:
    mesh.registry.put("virtualservices", split(v1=1))
    pod = mesh.pods["v1"]
    mesh.registry.put("pods", {**pod, "spec": {"containers": pod["spec"]["containers"][:1]}})


async def subset_without_pods(mesh: Mesh) -> None:
    mesh.registry.put("destinationrules", rule("v9"))
    mesh.registry.put("virtualservices", split(v9=1))


async def subset_unknown(mesh: Mesh) -> None:
    mesh.registry.put("virtualservices", split(v8=1))


async def refused(mesh: Mesh) -> None:
    mesh.registry.put("virtualservices", split(v1=1))
    mesh.servers[0].close()
    await mesh.servers[0].wait_closed()


async def too_late(mesh: Mesh) -> None:
    mesh.backends["v1"].answers.clear()
    mesh.registry.put("virtualservices", ruled(timeout="0.05s"))


async def aborted(mesh: Mesh) -> None:
    abort = {"abort": {"httpStatus": 418, "percentage": {"value": 100}}}
    mesh.registry.put("virtualservices", ruled(fault=abort))


async def no_route(mesh: Mesh) -> None:
    mesh.registry.put("virtualservices", ruled(match=[{"uri": {"prefix": "/other"}}]))


def ruled(**fields: Any) -> Obj:
    made = split(v1=1)
    made["spec"]["http"][0] |= fields
    return made


@pytest.mark.parametrize(
    ("happens", "code", "flags", "labels"),
    [
        (answered, "200", "-", TO_NAME | V1),
        (no_sidecar, "200", "-", TO_NAME | V1_SAYS_NOTHING),
        (subset_without_pods, "503", "UH", TO_NAME | NO_POD),
        (subset_unknown, "503", "NC", TO_HOST | NO_POD),
        (refused, "503", "URX,UF", TO_NAME | V1_SAYS_NOTHING),
        (too_late, "504", "UT", TO_NAME | V1_SAYS_NOTHING),
        (aborted, "418", "FI", TO_NAME | NO_POD),
        (no_route, "404", "NR", TO_HOST | NO_POD),
    ],
)
async def test_what_is_not_known_is_unknown(
    mesh: Mesh, happens: Callable[[Mesh], Awaitable[None]], code: str, flags: str, labels: dict[str, str]
) -> None:
    await happens(mesh)
    client = await mesh.sidecar()
    await mesh.pilot.settled(LIMIT)
    status, _ = await client.get()
    assert str(status) == code
    [(counted_as, number)] = (await counted(mesh))["istio_requests_total"]
    assert number == 1
    assert {label: counted_as[label] for label in labels} == labels
    assert (counted_as["response_code"], counted_as["response_flags"]) == (code, flags)
    assert (counted_as["reporter"], counted_as["connection_security_policy"]) == ("source", "unknown")


async def test_a_host_that_nobody_knows_went_into_the_black_hole(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    assert (await client.get("example.com"))[0] == 502
    [(labels, _)] = (await counted(mesh))["istio_requests_total"]
    assert labels["destination_service"] == "example.com"
    assert labels["destination_service_name"] == "BlackHoleCluster"


async def test_a_caller_that_went_away_is_counted_with_code_0(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    mesh.registry.put("virtualservices", split(v1=1))
    await mesh.pilot.settled(LIMIT)
    mesh.backends["v1"].answers.clear()
    asking = asyncio.create_task(client.get())
    await asyncio.wait_for(mesh.backends["v1"].arrived.wait(), LIMIT)
    asking.cancel()
    assert client.streams
    client.streams[1].close()

    async def is_counted() -> bool:
        return "istio_requests_total" in await counted(mesh)

    await until(is_counted)
    [(labels, _)] = (await counted(mesh))["istio_requests_total"]
    assert (labels["response_code"], labels["response_flags"]) == ("0", "DC")
    assert labels.items() >= V1_SAYS_NOTHING.items()
