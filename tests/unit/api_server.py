"""The product's own Kubernetes API for unit tests: its registry in memory, its controllers, HTTP on loopback.

A write is answered once the controllers have nothing left to do, so a test waits for nothing. What has no
part here is the node: `Node` writes what the kubelet would, and `Sidecars` answers what a pod's agent would.
"""

import asyncio
import json
import shutil
import socket
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar
from urllib.parse import urlsplit

import pytest
import uvloop
from aiohttp import web
from aiohttp.typedefs import Handler
from control_plane import settled
from sidecars import config_dump

from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import SIDECAR
from kata_lib.course.application import APPLICATION
from kata_lib.engines.embedded.addresses import AddressPlan, LoopbackPlan
from kata_lib.engines.embedded.api.server import PROTOCOL, make_app
from kata_lib.engines.embedded.controllers import (
    Controller,
    DefinitionController,
    DeploymentController,
    EndpointSliceController,
    GarbageCollector,
    HTTPRouteController,
    NamespaceController,
    ReplicaSetController,
    Scheduler,
)
from kata_lib.engines.embedded.images import Image, Images
from kata_lib.engines.embedded.kubelet.admission import refuse_pod
from kata_lib.engines.embedded.kubelet.launchers import ImageError, ProgramLauncher
from kata_lib.engines.embedded.kubelet.status import pod_status
from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.engines.embedded.mesh.injection import inject, workload_name
from kata_lib.engines.embedded.mesh.scraping import METRICS_PORT
from kata_lib.engines.embedded.objects import Key, being_deleted, key, timestamp
from kata_lib.engines.embedded.registry.custom_resources import ensure_definitions
from kata_lib.engines.embedded.registry.metadata import utc_now
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.state import State
from kata_lib.engines.embedded.store import Event, Obj, Store
from kata_lib.files import read_json

TOKEN = "secret"
LIMIT = 60.0
CLOSED_PORT = 9
"""Where a pod is asked that runs no process: discard, at which nothing listens."""
BLOCK = 2026
Made = TypeVar("Made")


class Node(Controller[Key]):
    """Runs no process: a pod is ready at once, or waits for its image; one that is deleted goes at once."""

    name = "kubelet"
    resources: ClassVar[set[str]] = {"pods"}

    def __init__(self, registry: Registry, plan: AddressPlan, state: State) -> None:
        super().__init__(registry)
        self._plan, self._home = plan, state

    def items(self, event: Event) -> Iterable[Key]:
        if event.type != "DELETED" and event.object["spec"].get("nodeName"):
            yield key(event.object)

    def reconcile(self, item: Key) -> None:
        try:
            pod = self.registry.get("pods", *item)
        except StatusError:
            return
        if being_deleted(pod):
            self.registry.delete("pods", *item, grace_seconds=0)
        elif not pod["status"].get("podIP"):
            states = [self._state(pod, spec) for spec in pod["spec"]["containers"]]
            address = self._plan.allocate_pod(pod["metadata"]["uid"])

            def write(live: Obj) -> None:
                live["status"] = pod_status(live, states, address, self._plan.node_address())

            self.registry.mutate("pods", *item, write, manager=self.name, subresource="status")

    def _state(self, pod: Obj, spec: Obj) -> Obj:
        """Return a container's entry of the status, as kubelet/container.py makes it."""
        waiting = "" if spec["name"] == SIDECAR else self._no_image(pod, spec)
        state = {"waiting": waiting} if waiting else {"running": {"startedAt": timestamp()}}
        entry = {
            "name": spec["name"],
            "image": spec["image"],
            "imageID": "",
            "lastState": {},
            "restartCount": 0,
        }
        return {**entry, "ready": not waiting, "started": not waiting, "state": state}

    def _no_image(self, pod: Obj, spec: Obj) -> Obj | str:
        """Return the reason why an image's process cannot be started, in the engine's words."""
        if Images(self._home.images).find(spec["image"]):
            return ""
        application = ProgramLauncher(pod, spec, lambda *_: None, self._home, self._plan)
        try:
            application.launch(0)
        except ImageError as error:
            return {"reason": error.reason, "message": str(error)}
        raise AssertionError(f"{spec['image']} was started")


class Answers(Protocol):
    """What stands for the agents beside the pods' Envoys."""

    def answer(self, pod: Obj, path: str) -> tuple[int, str]:
        """Return the HTTP status and the text of a GET."""


class Sidecars:
    """What the agents beside the pods' Envoys answer; every Envoy has at once what the objects say.

    counters: what is counted under Istio's names, by pod; of what an Envoy counts by itself, nothing is told.
    """

    def __init__(self, registry: Registry, plan: AddressPlan) -> None:
        self._registry, self._plan = registry, plan
        self.counters: dict[str, str] = {}
        self._dumps: dict[tuple[str, int], str] = {}

    def answer(self, pod: Obj, path: str) -> tuple[int, str]:
        """Return the HTTP status and the text of a GET."""
        match urlsplit(path).path:
            case "/config_dump":
                return 200, self._dump(pod)
            case "/stats/prometheus":
                return 200, self.counters.get(pod["metadata"]["name"], "")
            case "/clusters":
                return 200, json.dumps({"cluster_statuses": []})
            case "/debug/syncz":
                return 200, ""
        return 404, "404 page not found\n"

    def _dump(self, pod: Obj) -> str:
        """Return a pod's configuration dump, made once as long as no object changes."""
        key = pod["metadata"]["uid"], self._registry.store.revision
        if key not in self._dumps:
            self._dumps = {key: json.dumps(config_dump(self._registry.list, pod, self._plan))}
        return self._dumps[key]


class Api:
    """One API server with the namespace default, whose objects are in `folder`.

    requests: what was asked, as method and path. before: called with both in a thread before a request is
    served; it may raise StatusError. ahead: of the clock by which objects are created. sidecars: may be
    replaced. logs: what containers have logged, by their name.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, folder: Path) -> None:
        self._loop = loop
        self._state = State(folder)
        self.requests: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] | None = None
        self.ahead = timedelta()
        self.logs: dict[str, str] = {}
        self.kubeconfig = self._state.kubeconfig
        self.kubeconfig.write_text(self._run(self._start()))

    def cluster(self) -> Cluster:
        """Return the library's view of the namespace default."""
        return Cluster(self.kubeconfig, node_host="127.0.0.9")

    def registry(self, do: Callable[[Registry], Made]) -> Made:
        """Do something with the registry, in its thread, and let the controllers follow."""

        async def done() -> Made:
            made = do(self._registry)
            await settled(*self._controllers)
            return made

        return self._run(done())

    def pods(self, deployment: str) -> list[str]:
        """Return the names of a Deployment's pods."""
        found = self.registry(lambda registry: registry.list("pods", "default"))
        owned = (pod["metadata"] for pod in found if workload_name(pod) == deployment)
        return [metadata["name"] for metadata in owned if "deletionTimestamp" not in metadata]

    def serve_tls(self, context: ssl.SSLContext) -> int:
        """Serve over TLS too; return the port."""

        async def serve() -> int:
            await web.TCPSite(self._server, "127.0.0.1", 0, ssl_context=context).start()
            return int(self._server.addresses[-1][1])

        return self._run(serve())

    def stop(self) -> None:
        """End the server and its controllers."""
        self._run(self._stop())

    def _run(self, coroutine: Coroutine[Any, Any, Made]) -> Made:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(LIMIT)

    async def _start(self) -> str:
        """Start everything and return the kubeconfig."""
        names = [f"{APPLICATION.image}:{tag}" for tag in APPLICATION.tags]
        Images(self._state.images).add(names, Image(("sentences",), APPLICATION.port))
        plan = LoopbackPlan(self._state, read_json(self._state.addresses) or {"block": BLOCK})
        store = Store(self._state.store)
        self._registry = Registry(
            store,
            addresses=plan,
            clock=lambda: utc_now() + self.ahead,
            mutations=[self._give_sidecar],
            admission=[refuse, refuse_pod],
        )
        ensure_definitions(self._registry)
        self.sidecars: Answers = Sidecars(self._registry, plan)
        self._controllers: list[Controller[Any]] = [
            DefinitionController(self._registry),
            NamespaceController(self._registry, "a certificate"),
            DeploymentController(self._registry),
            ReplicaSetController(self._registry),
            EndpointSliceController(self._registry),
            GarbageCollector(self._registry),
            HTTPRouteController(self._registry),
            Scheduler(self._registry, "node"),
            Node(self._registry, plan, self._state),
        ]
        app = make_app(self._registry, token=TOKEN, logs=self._log, reach=self._agent)
        app.middlewares.append(self._in_order)
        for controller in self._controllers:
            controller.start()
        await settled(*self._controllers)
        self._server = await _serve(app)
        self._agents = web.AppRunner(_answering(self._answer))
        await self._agents.setup()
        self._ports: dict[str, int] = {}
        return _kubeconfig(self._server.addresses[0][1])

    async def _stop(self) -> None:
        for controller in self._controllers:
            controller.stop()
        await self._server.cleanup()
        await self._agents.cleanup()
        self._registry.store.close()

    def _give_sidecar(self, resource: str, obj: Obj, operation: str) -> None:
        if resource == "pods" and operation == "CREATE":
            inject(obj, self._registry.get("namespaces", None, obj["metadata"]["namespace"]))

    @web.middleware
    async def _in_order(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note a request, and answer it once the controllers have done what follows from it."""
        self.requests.append((request.method, request.path))
        if self.before:
            await asyncio.to_thread(self.before, request.method, request.path)
        try:
            return await handler(request)
        finally:
            if request.method != "GET":
                await settled(*self._controllers)

    async def _log(self, namespace: str, pod: str, container: str, *_: Any) -> AsyncIterator[bytes]:
        yield self.logs.get(container, "").encode()

    def _agent(self, uid: str, port: int) -> tuple[str, int]:
        """Return where the agent of a pod listens, by now: a port of its own tells it from the others."""
        if port != METRICS_PORT:
            return "127.0.0.1", CLOSED_PORT
        if uid not in self._ports:
            listening = socket.create_server(("127.0.0.1", 0))
            self._ports[uid] = listening.getsockname()[1]
            self._loop.create_task(web.SockSite(self._agents, listening).start())
        return "127.0.0.1", self._ports[uid]

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.transport
        port = request.transport.get_extra_info("sockname")[1]
        pods = self._registry.list("pods")
        pod = next(pod for pod in pods if self._ports.get(pod["metadata"]["uid"]) == port)
        status, text = self.sidecars.answer(pod, request.path_qs)
        return web.Response(status=status, text=text)


def _answering(answer: Callable[[web.Request], Awaitable[web.Response]]) -> web.Application:
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    return app


async def _serve(app: web.Application) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.0, **PROTOCOL)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def _kubeconfig(port: int) -> str:
    context = {"cluster": "test", "user": "test", "namespace": "default"}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "test", "user": {"token": TOKEN}}],
            "contexts": [{"name": "test", "context": context}],
            "current-context": "test",
        }
    )


Part = str | Callable[[Api], object]
"""What an API server has when a test begins: a path that is applied, or what makes it, once for all tests."""


@pytest.fixture(scope="session")
def api_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop of every API server, in a thread of its own."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="api servers", daemon=True)
    thread.start()
    turns = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)  # a request goes back and forth between two threads
    yield loop
    sys.setswitchinterval(turns)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(LIMIT)
    loop.close()


@pytest.fixture(scope="session")
def prepared(
    api_loop: asyncio.AbstractEventLoop, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Return what makes, once for each way to begin, the folder of an API server that has ended."""

    @cache
    def prepare(*parts: Part, injection: bool) -> Path:
        folder = tmp_path_factory.mktemp("prepared") / "api"
        if parts:
            shutil.copytree(prepare(*parts[:-1], injection=injection), folder)
        else:
            folder.mkdir()
        api = Api(api_loop, folder)
        if not parts and injection:
            api.cluster().enable_injection()
        for part in parts[-1:]:
            if isinstance(part, str):
                api.cluster().apply(part)
            else:
                part(api)
        api.stop()
        return folder

    return prepare


StartApi = Callable[..., Api]


@pytest.fixture
def start_api(
    api_loop: asyncio.AbstractEventLoop, prepared: Callable[..., Path], tmp_path: Path
) -> Iterator[StartApi]:
    """Start API servers in which these parts are made one after the other, and whose pods have a sidecar."""
    started: list[Api] = []

    def start(*parts: Part, injection: bool = True) -> Api:
        folder = tmp_path / f"api-{len(started)}"
        shutil.copytree(prepared(*parts, injection=injection), folder)
        started.append(Api(api_loop, folder))
        return started[-1]

    yield start
    for api in started:
        api.stop()


@pytest.fixture
def api(start_api: StartApi) -> Api:
    """An API server whose namespace default gives pods a sidecar."""
    return start_api()
