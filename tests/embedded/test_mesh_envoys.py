"""Real Envoys with a pilot over a registry in memory: what is in force, what fails, what a rejection says."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from random_sets import rounds

from embedded.mesh_harness import (
    LIMIT,
    Backend,
    Client,
    Mesh,
    endpoint_slice,
    in_force,
    pod,
    rule,
    running_mesh,
    service,
    split,
    until,
    until_all,
)
from kata_lib.engines.embedded import envoy
from kata_lib.engines.embedded.mesh.discovery import DiscoveryServer
from kata_lib.engines.embedded.mesh.injection import PROXY_HTTP_PORT
from kata_lib.engines.embedded.mesh.metrics import prometheus
from kata_lib.engines.embedded.mesh.pilot import Pilot
from kata_lib.engines.embedded.mesh.translate import ProxyConfig
from kata_lib.errors import MeshError


@pytest.fixture
async def mesh() -> AsyncIterator[Mesh]:
    async with running_mesh() as running:
        yield running


async def test_share_is_that_of_the_weights(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    answers = [await client.get() for _ in range(1000)]
    assert {status for status, _ in answers} == {200}
    assert 50 <= sum(version == "v2" for _, version in answers) <= 160


async def test_unknown_host_is_refused_and_missing_subset_is_503(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    assert (await client.get("example.com"))[0] == 502
    mesh.registry.delete("destinationrules", "name")
    await mesh.pilot.settled(LIMIT)
    assert (await client.get())[0] == 503


async def test_each_of_many_changes_of_the_weights_is_in_force(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    for version in ["v1", "v2", "v3"] * len(rounds(34)):
        mesh.registry.put("virtualservices", split(**{version: 1}))
        await until_all(client, version)


async def test_subsets_come_and_go_under_load_without_a_failure(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    async with client.asking() as answers:
        for _ in rounds(20):
            mesh.registry.put("destinationrules", rule("v1", "v2", "v3"))
            mesh.registry.put("virtualservices", split(v1=1, v3=1))
            await mesh.pilot.settled(LIMIT)
            mesh.registry.put("destinationrules", rule("v1", "v2"))
            mesh.registry.put("virtualservices", split(v1=1, v2=1))
            await mesh.pilot.settled(LIMIT)
    assert len(answers) > 50
    assert [answer for answer in answers if answer[0] != 200] == []
    assert {version for _, version in answers} == {"v1", "v2", "v3"}


async def test_rejection_is_told_with_envoys_reason_and_mended_by_the_next(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    registered = "sidecar~sentences~sentences.default"
    good = mesh.discovery._sessions[registered]._target
    assert good is not None
    bad = {"name": "bad", "type": "STATIC", "lb_policy": "NOPE"}
    clusters = {**good.clusters, "bad": bad}
    mesh.discovery.set_config(registered, ProxyConfig(good.listeners, clusters, good.endpoints, good.routes))
    with pytest.raises(MeshError, match="NOPE"):
        await mesh.pilot.settled(LIMIT)
    await asyncio.sleep(0.05)
    assert [(node, kind) for node, kind, _, _ in mesh.rejections] == [(registered, "clusters")]
    assert "unknown enum value: 'NOPE'" in mesh.rejections[0][3]
    assert (await client.get())[0] == 200
    mesh.discovery.set_config(registered, good)
    await mesh.pilot.settled(LIMIT)


async def test_envoy_keeps_its_configuration_while_the_daemon_is_away(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    before = await in_force(mesh)
    process = mesh.processes[0]
    await mesh.discovery.stop()
    ticks = cpu_ticks(process.pid)
    await asyncio.sleep(1)
    assert cpu_ticks(process.pid) - ticks <= 5
    assert (await client.get())[0] == 200

    mesh.discovery = DiscoveryServer()
    await mesh.discovery.start(mesh.home / "xds.sock")
    mesh.pilot = Pilot(mesh.registry, mesh.discovery, mesh.addresses)
    mesh.pilot.add_proxy(mesh.registry.objects["pods"]["sentences"])
    await mesh.pilot.caught_up(LIMIT)
    assert await in_force(mesh) == before
    mesh.registry.put("virtualservices", split(v3=1))
    await until_all(client, "v3")


async def test_settled_does_not_wait_for_a_proxy_that_is_not_there(mesh: Mesh) -> None:
    mesh.pilot.add_proxy(pod("absent", "absent", "v1"))
    await mesh.pilot.settled(0.5)


async def test_inbound_reaches_the_application_and_both_sides_count(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    mesh.servers.append(await Backend("here").listen(mesh.addresses.application_at("asked", 5000)))
    mesh.registry.put("services", service("asked", f"{mesh.addresses.prefix}.201"))
    await mesh.sidecar("asked")
    mesh.registry.put("endpointslices", endpoint_slice("asked", [mesh.registry.objects["pods"]["asked"]]))
    await mesh.pilot.settled(LIMIT)
    assert await client.get("asked:5000") == (200, "here")

    counted = prometheus(await envoy.statistics(mesh.home / "sentences.sock"))
    line = next(line for line in counted.splitlines() if line.startswith("istio_requests_total{"))
    for label in (
        'reporter="source"',
        'source_workload="sentences"',
        'destination_service="asked.default.svc.cluster.local"',
        'destination_workload="asked"',
        'destination_version="v1"',
        'response_code="200"',
        'request_protocol="http"',
    ):
        assert label in line

    async def durations_are_summed_up() -> bool:
        text = prometheus(await envoy.statistics(mesh.home / "sentences.sock"))
        return "istio_request_duration_milliseconds_bucket{" in text

    await until(durations_are_summed_up)
    received = prometheus(await envoy.statistics(mesh.home / "asked.sock"))
    assert 'reporter="destination"' in received
    assert 'destination_service_name="asked"' in received


async def test_node_spreads_connections_over_ready_endpoints(mesh: Mesh) -> None:
    await mesh.node()
    versions = set()
    for _ in range(40):
        reader, writer = await asyncio.open_connection(mesh.cluster_ip, 5000)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        versions.add((await reader.readexactly(2)).decode())
        writer.close()
    assert versions == {"v1", "v2", "v3"}
    by_proxy = Client(mesh.addresses.listen_at("node", PROXY_HTTP_PORT))
    assert (await by_proxy.get())[0] == 200


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
