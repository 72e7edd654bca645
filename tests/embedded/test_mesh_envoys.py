"""Real Envoys with a pilot over a registry in memory: what is in force, what fails, what a rejection says."""

import asyncio
import contextlib
import itertools
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kata_lib.engines.embedded import envoy
from kata_lib.engines.embedded.mesh.bootstrap import bootstrap, node_id
from kata_lib.engines.embedded.mesh.discovery import DiscoveryServer
from kata_lib.engines.embedded.mesh.injection import PROXY_HTTP_PORT
from kata_lib.engines.embedded.mesh.metrics import prometheus
from kata_lib.engines.embedded.mesh.pilot import Pilot
from kata_lib.engines.embedded.mesh.translate import ProxyConfig
from kata_lib.engines.embedded.store import Event
from kata_lib.errors import MeshError

Obj = dict[str, Any]
LIMIT = 10.0


class Memory:
    """A registry in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Obj]] = {}
        self.callbacks: list[Callable[[Event], None]] = []

    def list(self, resource: str) -> list[Obj]:
        return list(self.objects.get(resource, {}).values())

    def subscribe(self, callback: Callable[[Event], None], resources: set[str]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def put(self, resource: str, obj: Obj) -> None:
        obj["metadata"].setdefault("namespace", "default")
        self.objects.setdefault(resource, {})[obj["metadata"]["name"]] = obj
        for callback in self.callbacks:
            callback(Event("MODIFIED", resource, obj, obj))

    def delete(self, resource: str, name: str) -> None:
        obj = self.objects[resource].pop(name)
        for callback in self.callbacks:
            callback(Event("DELETED", resource, obj, obj))


class Block:
    """Loopback addresses of one test: pods from .10, their applications from .110, services by themselves."""

    def __init__(self) -> None:
        self.prefix = f"127.{random.randrange(201, 250)}.{random.randrange(1, 250)}"
        self.numbers = itertools.count(10)
        self.pods: dict[str, int] = {}

    def listen_at(self, owner: str, port: int) -> tuple[str, int]:
        number = 1 if owner == "node" else self.pods.setdefault(owner, next(self.numbers))
        return f"{self.prefix}.{number}", port

    def application_at(self, pod_uid: str, port: int) -> tuple[str, int]:
        self.listen_at(pod_uid, port)
        return f"{self.prefix}.{self.pods[pod_uid] + 100}", port

    def service_at(self, cluster_ip: str, port: int) -> tuple[str, int]:
        return cluster_ip, port


def pod(name: str, app: str, version: str) -> Obj:
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": name,
            "labels": {"app": app, "version": version},
        },
        "spec": {"containers": [{"name": app, "ports": [{"containerPort": 5000}]}, {"name": "istio-proxy"}]},
    }


def service(name: str, address: str) -> Obj:
    return {
        "metadata": {"name": name},
        "spec": {
            "clusterIP": address,
            "selector": {"app": name},
            "ports": [{"name": "http", "port": 5000, "targetPort": 5000}],
        },
    }


def endpoint_slice(name: str, pods: list[Obj]) -> Obj:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
        "ports": [{"name": "http", "port": 5000}],
        "endpoints": [
            {"addresses": ["x"], "conditions": {"ready": True}, "targetRef": {"uid": p["metadata"]["uid"]}}
            for p in pods
        ],
    }


def rule(*versions: str) -> Obj:
    subsets = [{"name": f"name-{version}", "labels": {"version": version}} for version in versions]
    return {"metadata": {"name": "name"}, "spec": {"host": "name", "subsets": subsets}}


def split(**weights: int) -> Obj:
    destinations = [
        {"destination": {"host": "name", "subset": f"name-{version}"}, "weight": weight}
        for version, weight in weights.items()
    ]
    return {"metadata": {"name": "name"}, "spec": {"hosts": ["name"], "http": [{"route": destinations}]}}


async def serve(address: tuple[str, int], answer: str) -> asyncio.Server:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer)}\r\n\r\n{answer}".encode())

    return await asyncio.start_server(handle, *address)


class Client:
    """An application's side: one kept connection to its proxy."""

    def __init__(self, proxy: tuple[str, int]) -> None:
        self.proxy = proxy
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, host: str = "name:5000", path: str = "/") -> tuple[int, str]:
        async with asyncio.timeout(LIMIT):
            if self.streams is None:
                self.streams = await asyncio.open_connection(*self.proxy)
            reader, writer = self.streams
            writer.write(f"GET http://{host}{path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = next((int(h[15:]) for h in head.split("\r\n") if h.startswith("content-length:")), 0)
            return int(head.split()[1]), (await reader.readexactly(length)).decode()


class Mesh:
    """One running mesh: v1, v2, v3 of `name` with a backend each, and the proxies that a test starts."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.registry = Memory()
        self.addresses = Block()
        self.rejections: list[tuple[str, str, str, str]] = []
        self.processes: list[asyncio.subprocess.Process] = []
        self.servers: list[asyncio.Server] = []
        self.pods = {version: pod(f"name-{version}", "name", version) for version in ("v1", "v2", "v3")}

    async def start(self) -> None:
        self.discovery = DiscoveryServer(lambda *rejection: self.rejections.append(rejection))
        await self.discovery.start(self.home / "xds.sock")
        for version, backend in self.pods.items():
            self.registry.put("pods", backend)
            address = self.addresses.listen_at(backend["metadata"]["uid"], 5000)
            self.servers.append(await serve(address, version))
        self.cluster_ip = f"{self.addresses.prefix}.200"
        self.registry.put("services", service("name", self.cluster_ip))
        self.registry.put("endpointslices", endpoint_slice("name", list(self.pods.values())))
        self.registry.put("destinationrules", rule("v1", "v2", "v3"))
        self.registry.put("virtualservices", split(v1=90, v2=10))
        self.pilot = Pilot(self.registry, self.discovery, self.addresses)

    async def sidecar(self, name: str = "sentences") -> Client:
        asker = pod(name, name, "v1")
        self.registry.put("pods", asker)
        log = self.home / f"{name}.log"
        self.pilot.add_proxy(asker, lambda: log)
        await self._envoy(node_id(asker), name, "sidecar", log)
        return Client(self.addresses.listen_at(name, PROXY_HTTP_PORT))

    async def node(self) -> None:
        log = self.home / "node.log"
        self.pilot.add_node("kata-node", lambda: log)
        await self._envoy("kata-node", "node", "node", log)

    async def _envoy(self, node: str, name: str, kind: Any, log: Path) -> None:
        admin, file = self.home / f"{name}.sock", self.home / f"{name}.json"
        config = bootstrap(node, xds_socket=self.home / "xds.sock", admin_socket=admin, kind=kind)
        file.write_text(json.dumps(config))
        with log.open("ab") as output:
            start = asyncio.create_subprocess_exec(*envoy.command(file), stdout=output, stderr=output)
            self.processes.append(await start)
        await until(lambda: envoy.ready(admin))
        await self.pilot.settled(LIMIT)

    async def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            await asyncio.wait_for(process.wait(), LIMIT)
        for server in self.servers:
            server.close()
        self.pilot.close()
        await self.discovery.stop()


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="mesh-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
async def mesh(home: Path) -> AsyncIterator[Mesh]:
    running = Mesh(home)
    await running.start()
    yield running
    await running.stop()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again, as with anything of another process, up to the limit."""
    async with asyncio.timeout(LIMIT):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def until_all(client: Client, version: str) -> None:
    async with asyncio.timeout(LIMIT):
        while await client.get() != (200, version):
            continue


async def in_force(mesh: Mesh, name: str = "sentences") -> dict[str, str]:
    """Return the versions of a sidecar's configuration as its own dump shows them."""
    dump = await envoy.config_dump(mesh.home / f"{name}.sock")
    versions = {}
    for section in dump["configs"]:
        kind = section["@type"].rpartition(".")[2].removesuffix("ConfigDump")
        versions[kind] = section.get("version_info", "")
        for route in section.get("dynamic_route_configs", []):
            versions["route"] = route["version_info"]
    return versions


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


async def test_weights_are_in_force_within_milliseconds(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    times = []
    for version in ["v1", "v2", "v3"] * 34:
        mesh.registry.put("virtualservices", split(**{version: 1}))
        started = time.perf_counter()
        await until_all(client, version)
        times.append((time.perf_counter() - started) * 1000)
    p50 = statistics.median(times)
    print(f"weights in force: p50 {p50:.1f} ms, p95 {sorted(times)[int(len(times) * 0.95)]:.1f} ms")
    assert p50 < 10


async def test_subsets_come_and_go_under_load_without_a_failure(mesh: Mesh) -> None:
    client = await mesh.sidecar()
    answers: list[tuple[int, str]] = []
    done = asyncio.Event()

    async def load() -> None:
        while not done.is_set():
            answers.append(await client.get())
            await asyncio.sleep(0.002)

    asking = asyncio.create_task(load())
    for _ in range(20):
        mesh.registry.put("destinationrules", rule("v1", "v2", "v3"))
        mesh.registry.put("virtualservices", split(v1=1, v3=1))
        await mesh.pilot.settled(LIMIT)
        mesh.registry.put("destinationrules", rule("v1", "v2"))
        mesh.registry.put("virtualservices", split(v1=1, v2=1))
        await mesh.pilot.settled(LIMIT)
    done.set()
    await asking
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
    mesh.servers.append(await serve(mesh.addresses.application_at("asked", 5000), "here"))
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
