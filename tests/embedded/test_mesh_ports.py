"""A port's protocol, through real Envoys: requests are routed, or connections are passed on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from embedded.mesh_harness import (
    LIMIT,
    Client,
    Mesh,
    counted,
    endpoint_slice,
    rule,
    running_mesh,
    service,
    split,
    until,
)
from kata_lib.engines.embedded.mesh.injection import PROXY_HTTP_PORT

Declared = Mapping[str, str]
TCP: list[Declared] = [{"name": "tcp-name"}, {"name": "https"}, {"name": "http", "appProtocol": "tcp"}]
HTTP_OR_SEEN: list[Declared] = [{}, {"name": "web"}, {"name": "tcp-name", "appProtocol": "http"}]


@pytest.fixture
async def mesh() -> AsyncIterator[Mesh]:
    async with running_mesh() as running:
        yield running


async def declare(mesh: Mesh, port: Declared, name: str = "name") -> None:
    """Let the one port of a Service be declared so."""
    pods = list(mesh.pods.values()) if name == "name" else [mesh.registry.objects["pods"][name]]
    mesh.registry.put("services", service(name, mesh.cluster_ip, port))
    mesh.registry.put("endpointslices", endpoint_slice(name, pods, port))
    await mesh.pilot.settled(LIMIT)


async def versions_of(client: Client, connections: int, requests: int) -> list[set[str]]:
    """Return which versions answered on each connection."""
    seen = []
    for _ in range(connections):
        caller = Client(client.proxy)
        answers = [await caller.get() for _ in range(requests)]
        assert {status for status, _ in answers} == {200}
        seen.append({version for _, version in answers})
        assert caller.streams
        caller.streams[1].close()
    return seen


def tcp_split(**weights: int) -> dict[str, Any]:
    rules = split(**weights)
    rules["spec"]["tcp"] = rules["spec"].pop("http")
    return rules


@pytest.mark.parametrize("port", TCP, ids=str)
async def test_connections_to_a_tcp_port_are_passed_on_whatever_http_rules_say(
    mesh: Mesh, port: Declared
) -> None:
    client = await mesh.sidecar()
    mesh.registry.put("virtualservices", split(v1=1))
    await declare(mesh, port)
    seen = await versions_of(client, connections=60, requests=3)
    assert {len(versions) for versions in seen} == {1}
    assert set.union(*seen) == {"v1", "v2", "v3"}


@pytest.mark.parametrize("port", HTTP_OR_SEEN, ids=str)
async def test_http_rules_hold_where_nothing_is_declared_or_http(mesh: Mesh, port: Declared) -> None:
    client = await mesh.sidecar()
    mesh.registry.put("virtualservices", split(v3=1))
    await declare(mesh, port)
    assert await versions_of(client, connections=5, requests=4) == [{"v3"}] * 5


async def test_weights_of_tcp_routes_are_shares_of_connections(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    mesh.registry.put("virtualservices", tcp_split(v1=90, v2=10))
    await declare(mesh, {"name": "tcp-name"})
    seen = Counter(min(versions) for versions in await versions_of(client, connections=400, requests=1))
    assert seen.keys() == {"v1", "v2"}
    assert 10 <= seen["v2"] <= 80  # outside of which one run in 10 million falls
    mesh.registry.put("virtualservices", tcp_split(v1=0, v2=100))
    await mesh.pilot.settled(LIMIT)
    assert await versions_of(client, connections=20, requests=2) == [{"v2"}] * 20


async def test_connections_from_one_source_go_to_one_endpoint_where_a_rule_hashes_it(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    by_source = rule("v1", "v2", "v3")
    by_source["spec"]["trafficPolicy"] = {"loadBalancer": {"consistentHash": {"useSourceIp": True}}}
    mesh.registry.put("destinationrules", by_source)
    await declare(mesh, {"name": "tcp-name"})
    first, *others = await versions_of(client, connections=20, requests=1)
    assert others == [first] * 19


async def test_a_port_may_become_tcp_and_http_again_without_a_failure(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    mesh.registry.put("virtualservices", split(v1=1))
    async with client.asking() as answers:
        for port in ({"name": "tcp-name"}, {"name": "http"}) * 10:
            await declare(mesh, port)
    assert len(answers) > 20
    assert {status for status, _ in answers} == {200}


async def test_connections_are_counted_as_such_at_both_ends(mesh: Mesh) -> None:
    over = asyncio.Event()

    async def answer_until_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhere")
        await over.wait()
        writer.close()

    client = await mesh.sidecar()
    port = {"name": "tcp-asked"}
    address = mesh.addresses.application_at("asked", 5000)
    mesh.servers.append(await asyncio.start_server(answer_until_over, *address))
    mesh.registry.put("services", service("asked", f"{mesh.addresses.prefix}.201", port))
    await mesh.sidecar("asked")
    await declare(mesh, port, "asked")
    assert [await client.get("asked:5000"), await client.get("asked:5000")] == [(200, "here")] * 2
    for name, reporter in (("sentences", "source"), ("asked", "destination")):
        (labels, number), *others = (await counted(mesh, name))["istio_tcp_connections_opened_total"]
        assert (labels["reporter"], number, others) == (reporter, 1.0, [])
        assert labels["destination_service"] == "asked.default.svc.cluster.local"
        assert labels["destination_workload"] == "asked"
        assert labels["request_protocol"] == "tcp"
    over.set()

    async def closed() -> bool:
        return "istio_tcp_connections_closed_total" in await counted(mesh, "sentences")

    await until(closed)
    now = await counted(mesh, "sentences")
    assert now["istio_tcp_sent_bytes_total"][0][1] > 0
    assert "istio_requests_total" not in now


async def test_a_connection_that_cannot_be_made_is_503_and_counted_with_its_flag(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    mesh.registry.put("destinationrules", rule("v9"))
    mesh.registry.put("virtualservices", tcp_split(v9=1))
    await declare(mesh, {"name": "tcp-name"})
    assert (await client.get())[0] == 503
    found = await counted(mesh)
    for what in ("opened", "closed"):
        [(labels, number)] = found[f"istio_tcp_connections_{what}_total"]
        assert (labels["response_flags"], number) == ("UH", 1.0)
        assert labels["destination_service"] == "name.default.svc.cluster.local"
        assert (labels["destination_workload"], labels["destination_canonical_revision"]) == (
            "unknown",
            "latest",
        )


async def test_a_pod_without_a_sidecar_reaches_a_tcp_port_through_the_node(mesh: Mesh) -> None:
    await mesh.node()
    await declare(mesh, {"name": "tcp-name"})
    by_node = Client(mesh.addresses.listen_at("node", PROXY_HTTP_PORT))
    answers = [await by_node.get() for _ in range(40)]
    assert {status for status, _ in answers} == {200}
    assert {version for _, version in answers} == {"v1", "v2", "v3"}


@pytest.mark.parametrize("port", [{"name": "tcp-asked"}, {}], ids=str)
async def test_bytes_that_are_no_http_reach_the_application(mesh: Mesh, port: Declared) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())

    address = mesh.addresses.application_at("asked", 5000)
    mesh.servers.append(await asyncio.start_server(echo, *address))
    mesh.registry.put("services", service("asked", f"{mesh.addresses.prefix}.201", port))
    await mesh.sidecar("asked")
    reader, writer = await asyncio.open_connection(*mesh.addresses.listen_at("asked", 5000))
    writer.write(b"\x00\x01 no request\n")
    assert await asyncio.wait_for(reader.readline(), LIMIT) == b"\x00\x01 no request\n"
    writer.close()
