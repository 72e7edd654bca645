"""The benchmark's floors: programs by hand, bare ones, and the barest servers that give an Envoy a route."""

import asyncio
import json
import os
import struct
import time
from pathlib import Path
from typing import Any

import aiohttp
from h2.connection import H2Connection
from h2.events import DataReceived, Event

from bench import barest, by_hand, costs, effects, floors
from bench.by_hand import Program
from bench.results import Figure
from kata_lib.machine import PROJECT

DUMP = json.loads((PROJECT / "tests/reference/envoy/config_dump.json").read_text())
ROUTES = "/envoy.service.route.v3.RouteDiscoveryService/StreamRoutes"


def sidecar(of: str) -> Program:
    listeners = [{"name": name, "route_config": {"name": name}} for name in (effects.TABLE, "inbound")]
    static = {"listeners": listeners, "clusters": []}
    return Program("sidecar", ["envoy"], {}, {"node": {"cluster": of}, "static_resources": static})


def test_a_finished_table_is_asked_for_by_the_caller_alone() -> None:
    other = sidecar("age.default")
    assert effects.asking(other, "REST", Path("xds.sock")) is other
    for by in effects.WAYS:
        made = effects.asking(sidecar("sentences.default"), by, Path("xds.sock")).bootstrap
        assert made
        outbound, inbound = made["static_resources"]["listeners"]
        assert outbound["rds"]["config_source"]["api_config_source"]["api_type"] == by.upper()
        assert "rds" not in inbound
        assert [cluster["name"] for cluster in made["static_resources"]["clusters"]] == ["barest"]


def test_a_bare_envoy_has_its_router_alone() -> None:
    whole = Program("sidecar", ["envoy"], {}, by_hand.finished({"node": {"id": "mine"}}, DUMP))
    text = json.dumps(by_hand.bare(whole).bootstrap)
    assert "access_log" not in text
    assert "http.fault" not in text
    assert '"reject_all": true' in text
    assert text.count("filters.http.router") == json.dumps(DUMP).count("envoy.filters.http.router")


def test_messages_are_written_as_protobuf_documents_it() -> None:
    """The examples of https://protobuf.dev/programming-guides/encoding/: "testing", and 150 in a message."""
    assert barest.encoded({"virtual_hosts": "testing"}) == bytes.fromhex("120774657374696e67")
    assert barest.encoded({"weighted_clusters": 150}) == bytes.fromhex("1a03089601")


async def test_the_barest_rest_server_answers_a_poll_when_there_is_another_table(tmp_path: Path) -> None:
    published, socket = barest.Published(), str(tmp_path / "s")
    published.publish(effects.table("v1"))
    server = await barest.by_rest(published, socket)
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket)) as client:

        async def poll(known: str) -> Any:
            async with client.post(
                "http://barest/v3/discovery:routes", json={"version_info": known}
            ) as answer:
                return await answer.json()

        assert (await poll(""))["resources"] == [{"@type": barest.TYPE_URL, **effects.table("v1")}]
        waits = asyncio.create_task(poll("1"))
        published.publish(effects.table("v2"))
        assert (await waits)["version_info"] == "2"
    del server


async def test_the_barest_grpc_server_sends_each_table(tmp_path: Path) -> None:
    published, socket = barest.Published(), str(tmp_path / "s")
    published.publish(effects.table("v1"))
    server = await barest.by_grpc(published, socket)
    reader, writer = await asyncio.open_unix_connection(socket)
    http = H2Connection()
    http.initiate_connection()
    headers = {":method": "POST", ":path": ROUTES, ":scheme": "http", ":authority": "barest"}
    http.send_headers(1, list(headers.items()))
    writer.write(http.data_to_send())
    for version in ("v1", "v2"):
        published.publish(effects.table(version))
        message = await _received(http, reader)
        assert struct.unpack(">BI", message[:5]) == (0, len(message) - 5)
        assert barest.encoded(effects.table(version)) in message
    writer.close()
    del server


async def _received(http: H2Connection, reader: asyncio.StreamReader) -> bytes:
    """Return the data of the next event that has some."""
    while True:
        events: list[Event] = http.receive_data(await asyncio.wait_for(reader.read(65536), 10))
        for event in events:
            if isinstance(event, DataReceived):
                return event.data or b""


def test_processor_time_is_told_by_part() -> None:
    """This process works while it is measured; its clock's steps are far below a tick of 10 ms."""
    found = costs.by_part({os.getpid(): "worker"}, 0.001)
    assert found.keys() == {"worker"}
    assert found["worker"] > 0
    assert costs.seconds_of(os.getpid()) <= time.process_time()


def test_costs_stand_beside_each_other_part_by_part() -> None:
    figure = floors.cost("idle", {"sidecar": 0.003, "daemon": 0.001}, {"sidecar": 0.002})
    assert figure == Figure(
        "idle beside by hand", 2.0, "times", how="% of a core: sidecar 0.30 and 0.20, daemon 0.10 and 0.00"
    )


def test_an_effect_is_said_with_its_spread_and_with_what_is_not_counted() -> None:
    ours, hand = effects.Seen([4.0, 6.0, 8.0], [5.0, 5.0, 5.0]), effects.Seen([2.0, 3.0, 4.0])
    figure = effects.beside(ours, hand, "REST")
    assert (figure.value, figure.met) == (2.0, True)
    assert "half of 3 changes: 6.0 ms (5.0 to 7.0) and 3.0 ms (2.5 to 3.5)" in figure.how
    assert figure.how.endswith("has after 5.0 ms")
