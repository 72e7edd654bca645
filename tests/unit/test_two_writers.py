"""Two who change one VirtualService at once, through the real API and registry: neither change is lost."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import yaml
from aiohttp.test_utils import TestServer
from control_plane import make_registry

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.engines.embedded.api.server import make_app
from kata_lib.engines.embedded.registry.custom_resources import ensure_definitions
from kata_lib.mesh import weights

TOKEN = "secret"
CHANGES = 15


async def no_logs(*_: object) -> AsyncIterator[bytes]:
    return
    yield b""


@pytest.fixture
def server() -> Iterator[str]:
    """The URL of an API server over an empty registry, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> TestServer:
        registry = make_registry()
        ensure_definitions(registry)
        app = make_app(registry, token=TOKEN, logs=no_logs, reach=lambda uid, port: ("127.0.0.1", port))
        found = TestServer(app)
        await found.start_server()
        return found

    running = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    yield str(running.make_url("")).rstrip("/")
    asyncio.run_coroutine_threadsafe(running.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def kubeconfig(server: str, tmp_path: Path) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "test", "user": {"token": TOKEN}}],
        "contexts": [
            {"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "default"}}
        ],
        "current-context": "test",
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def test_neither_change_is_lost(kubeconfig: Path) -> None:
    first, second = Cluster(kubeconfig), Cluster(kubeconfig)
    first.apply("deploy/virtual-service-canary.yaml")
    together = threading.Barrier(2, timeout=10)

    def add(rule: Obj, rules: list[Obj], index: int) -> list[Obj]:
        return [rule, *rules]

    def add_routes() -> None:
        together.wait()
        for number in range(CHANGES):
            match = {"headers": {"x-tester": {"exact": str(number)}}}
            route = [{"destination": {"host": "name", "subset": "name-v2"}}]
            rule: Obj = {"name": f"testers-{number}", "match": [match], "route": route}
            weights.change(first, "name", partial(add, rule))

    def set_weights() -> None:
        together.wait()
        for number in range(1, CHANGES + 1):
            weights.set_weights(second, "name", {"name-v2": number})

    with ThreadPoolExecutor(2) as pool:
        for writer in [pool.submit(add_routes), pool.submit(set_weights)]:
            writer.result(30)

    holder = weights.find(first, "name")
    assert holder
    names = [rule.get("name", "main") for rule in holder.obj["spec"]["http"]]
    assert names == [*(f"testers-{number}" for number in reversed(range(CHANGES))), "main"]
    assert holder.weights == {"name-v1": 100 - CHANGES, "name-v2": CHANGES}
    # the first file, and every one of the changes
    assert holder.obj["metadata"]["generation"] == 1 + 2 * CHANGES
