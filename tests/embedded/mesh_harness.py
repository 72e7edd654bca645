"""A mesh for tests: real Envoys, a pilot over a registry in memory, applications that remember requests."""

import asyncio
import contextlib
import itertools
import json
import random
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kata_lib.engines.embedded import envoy
from kata_lib.engines.embedded.mesh.bootstrap import bootstrap, node_id
from kata_lib.engines.embedded.mesh.discovery import DiscoveryServer
from kata_lib.engines.embedded.mesh.injection import PROXY_HTTP_PORT
from kata_lib.engines.embedded.mesh.metrics import prometheus
from kata_lib.engines.embedded.mesh.pilot import Pilot
from kata_lib.engines.embedded.store import Event

Obj = dict[str, Any]
Headers = Mapping[str, str]
NONE: Headers = MappingProxyType({})
LIMIT = 60.0
_LABEL = re.compile(r'(\w+)="([^"]*)"')


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
        there = self.objects.setdefault(resource, {})
        before = there.get(obj["metadata"]["name"])
        there[obj["metadata"]["name"]] = obj
        for callback in self.callbacks:
            callback(Event("ADDED" if before is None else "MODIFIED", resource, obj, before))

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


HTTP: Mapping[str, str] = MappingProxyType({"name": "http"})


def service(name: str, address: str, declared: Mapping[str, str] = HTTP) -> Obj:
    return {
        "metadata": {"name": name},
        "spec": {
            "clusterIP": address,
            "selector": {"app": name},
            "ports": [{**declared, "port": 5000, "targetPort": 5000}],
        },
    }


def endpoint_slice(name: str, pods: list[Obj], declared: Mapping[str, str] = HTTP) -> Obj:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
        "ports": [{"name": declared.get("name", ""), "port": 5000}],
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


@dataclass(frozen=True)
class Message:
    """A request or a response: its first line's words, its headers (names in lower case) and its body."""

    start: list[str]
    headers: dict[str, str]
    body: str = ""

    @property
    def path(self) -> str:
        """The path of a request."""
        return self.start[1]

    @property
    def status(self) -> int:
        """The status of a response."""
        return int(self.start[1])


async def read(reader: asyncio.StreamReader) -> Message:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    start, *lines = head.rstrip().split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        known = headers.get(name.lower())
        headers[name.lower()] = f"{known},{value.strip()}" if known else value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Message(start.split(), headers, body.decode())


class Backend:
    """An application: remembers what it is asked, answers its name; fails or holds answers when told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[Message] = []
        self.failures = 0
        self.failing = False
        self.answers = asyncio.Event()
        self.answers.set()
        self.arrived = asyncio.Event()

    async def listen(self, address: tuple[str, int]) -> asyncio.Server:
        return await asyncio.start_server(self._serve, *address)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.asked.append(await read(reader))
                self.arrived.set()
                await self.answers.wait()
                status = "503 Unavailable" if self.failing or self.failures > 0 else "200 OK"
                self.failures -= 1
                extra = f"content-length: {len(self.name)}\r\nx-backend: {self.name}"
                writer.write(f"HTTP/1.1 {status}\r\n{extra}\r\n\r\n{self.name}".encode())


class Client:
    """An application's side: one kept connection to its proxy."""

    def __init__(self, proxy: tuple[str, int]) -> None:
        self.proxy = proxy
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, path: str = "/", *, host: str = "name:5000", method: str = "GET", headers: Headers = NONE
    ) -> Message:
        async with asyncio.timeout(LIMIT):
            if self.streams is None:
                self.streams = await asyncio.open_connection(*self.proxy)
            reader, writer = self.streams
            lines = [f"{method} http://{host}{path} HTTP/1.1", f"host: {host}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode())
            return await read(reader)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None

    async def get(self, host: str = "name:5000", path: str = "/") -> tuple[int, str]:
        answer = await self.ask(path, host=host)
        return answer.status, answer.body

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[list[tuple[int, str]]]:
        """Ask one request after the other meanwhile; yield the list that the answers go to."""
        answers: list[tuple[int, str]] = []
        done = asyncio.Event()

        async def load() -> None:
            while not done.is_set():
                answers.append(await self.get())
                await asyncio.sleep(0.002)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(load())
            try:
                yield answers
            finally:
                done.set()


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
        self.backends = {version: Backend(version) for version in self.pods}

    async def start(self) -> None:
        self.discovery = DiscoveryServer(lambda *rejection: self.rejections.append(rejection))
        await self.discovery.start(self.home / "xds.sock")
        for version, backend in self.pods.items():
            self.registry.put("pods", backend)
            address = self.addresses.listen_at(backend["metadata"]["uid"], 5000)
            self.servers.append(await self.backends[version].listen(address))
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


@contextlib.asynccontextmanager
async def running_mesh() -> AsyncIterator[Mesh]:
    """Start a mesh in a folder of its own, whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="mesh-") as folder:
        mesh = Mesh(Path(folder))
        await mesh.start()
        try:
            yield mesh
        finally:
            await mesh.stop()


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


async def counted(mesh: Mesh, name: str = "sentences") -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return a sidecar's counters under Istio's names: labels and value of each series."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for line in prometheus(await envoy.statistics(mesh.home / f"{name}.sock")).splitlines():
        if line.startswith("istio_"):
            series, _, value = line.rpartition(" ")
            metric, _, labels = series.partition("{")
            found.setdefault(metric, []).append((dict(_LABEL.findall(labels)), float(value)))
    return found
