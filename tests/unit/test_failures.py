"""An error in any part that works by itself is an event, and what failed is done again."""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from control_plane import address_plan, deployment, make_registry, names, pod, service, until

from kata_lib.engines.embedded import node, retries
from kata_lib.engines.embedded.controllers import (
    Controller,
    DefinitionController,
    DeploymentController,
    EndpointSliceController,
    GarbageCollector,
    NamespaceController,
    ReplicaSetController,
    Scheduler,
)
from kata_lib.engines.embedded.kubelet import kubelet
from kata_lib.engines.embedded.kubelet import pod as pod_module
from kata_lib.engines.embedded.kubelet import prober as prober_module
from kata_lib.engines.embedded.kubelet.pod import Host, PodWorker
from kata_lib.engines.embedded.kubelet.prober import Prober
from kata_lib.engines.embedded.mesh import pilot as pilot_module
from kata_lib.engines.embedded.mesh.pilot import Pilot
from kata_lib.engines.embedded.registry.custom_resources import ensure_definitions
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.retries import back_off
from kata_lib.engines.embedded.store import DiskFull, Event, Obj

LIMIT = 20.0
OUT_OF_ROOM = OSError(errno.ENOSPC, "No space left on device")
CONTROLLERS: dict[type[Controller[Any]], Callable[[Registry], Controller[Any]]] = {
    DefinitionController: DefinitionController,
    DeploymentController: DeploymentController,
    EndpointSliceController: EndpointSliceController,
    GarbageCollector: GarbageCollector,
    NamespaceController: lambda registry: NamespaceController(registry, "a certificate"),
    ReplicaSetController: ReplicaSetController,
    Scheduler: lambda registry: Scheduler(registry, "node"),
}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what failed be done again at once."""
    monkeypatch.setattr(retries, "LAST_SECONDS", 0.001)


def failing(times: int, do: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    """Return what raises an error so many times before it does what it is for."""
    left = iter([error] * times)

    def tried(*args: Any, **options: Any) -> Any:
        if found := next(left, None):
            raise found
        return do(*args, **options)

    return tried


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT):
        while not holds():  # noqa: ASYNC110 - time passes in the retries only
            await asyncio.sleep(0.001)


def messages(registry: Registry, reason: str) -> list[str]:
    events = registry.list("events", "default")
    return [event["message"] for event in events if event["reason"] == reason]


DEFINITION = {
    "metadata": {"name": "things.fuzz.example"},
    "spec": {
        "group": "fuzz.example",
        "scope": "Namespaced",
        "names": {"kind": "Thing", "plural": "things"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        ],
    },
}


@pytest.mark.parametrize("fails", CONTROLLERS, ids=lambda kind: kind.__name__)
async def test_a_controller_that_fails_says_so_and_tries_again(
    fails: type[Controller[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make_registry()
    controllers = [make(registry) for make in CONTROLLERS.values()]
    for controller in controllers:
        if isinstance(controller, fails):
            tried = failing(2, controller.reconcile, RuntimeError("the cable is loose"))
            monkeypatch.setattr(controller, "reconcile", tried)
        controller.start()
    registry.create("customresourcedefinitions", None, DEFINITION, manager="test")
    registry.create("services", "default", service(), manager="test")
    registry.create("deployments", "default", deployment(), manager="test")
    await eventually(lambda: len(names(registry, "pods")) == 2 and bool(names(registry, "endpointslices")))
    await eventually(lambda: "RuntimeError: the cable is loose" in messages(registry, "FailedSync"))
    for controller in controllers:
        controller.stop()


async def test_what_a_controller_could_not_say_on_a_full_disk_it_says_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = make_registry()
    scheduler = Scheduler(registry, "node")
    full = DiskFull("The disk is full.")
    monkeypatch.setattr(scheduler, "reconcile", failing(1, scheduler.reconcile, full))
    monkeypatch.setattr(registry, "record_event", failing(1, registry.record_event, full))
    scheduler.start()
    unbound = pod("web")
    del unbound["spec"]["nodeName"]
    registry.create("pods", "default", unbound, manager="test")
    await eventually(lambda: messages(registry, "FailedSync") == ["DiskFull: The disk is full."])
    scheduler.stop()


async def test_an_event_that_a_controller_cannot_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = make_registry()
    scheduler = Scheduler(registry, "node")
    monkeypatch.setattr(scheduler, "items", failing(2, scheduler.items, KeyError("status")))
    scheduler.start()
    unbound = pod("web")
    del unbound["spec"]["nodeName"]
    registry.create("pods", "default", unbound, manager="test")
    await eventually(lambda: registry.get("pods", "default", "web")["spec"].get("nodeName") == "node")
    scheduler.stop()


def test_one_subscriber_that_fails_keeps_nothing_from_the_others() -> None:
    registry = make_registry()
    heard: list[Event] = []

    def fail(event: Event) -> None:
        raise KeyError("status")

    registry.subscribe(fail, {"pods"})
    registry.subscribe(heard.append, {"pods"})
    registry.create("pods", "default", pod("web"), manager="test")
    assert [event.type for event in heard] == ["ADDED"]


def test_waits_grow_up_to_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert [back_off(n, 1.0) for n in (1, 2, 3, 4, 5, 1000)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def host(registry: Registry, tmp_path: Path) -> Host:
    """Return a node without an Envoy, whose pods' addresses are ports."""
    pilot: Any = SimpleNamespace(settled=None, add_proxy=lambda *_: None, remove_proxy=lambda *_: None)
    state: Any = SimpleNamespace(
        admin_socket=lambda uid: tmp_path / uid, run=tmp_path, logs=tmp_path, images=tmp_path / "images"
    )
    plan: Any = address_plan()
    plan._save = lambda: None
    return Host(registry, plan, pilot, state, "node")


async def test_a_pod_that_gets_no_address_gets_one_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make_registry()
    on = host(registry, tmp_path)
    monkeypatch.setattr(on.addresses, "allocate_pod", failing(2, on.addresses.allocate_pod, OUT_OF_ROOM))
    node_agent = kubelet.Kubelet(on)
    node_agent.start()
    made = registry.create("pods", "default", pod("web"), manager="test")
    await eventually(lambda: bool(registry.get("pods", "default", "web")["status"].get("containerStatuses")))
    assert "No space left on device" in messages(registry, "FailedCreatePodSandBox")[0]
    registry.delete("pods", "default", "web", grace_seconds=0)
    await eventually(lambda: made["metadata"]["uid"] not in node_agent._workers)
    await node_agent.stop()


async def test_a_pods_worker_that_fails_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = make_registry()
    monkeypatch.setattr(PodWorker, "_end", failing_once(PodWorker._end))
    node_agent = kubelet.Kubelet(host(registry, tmp_path))
    node_agent.start()
    registry.create("pods", "default", pod("web"), manager="test")
    registry.delete("pods", "default", "web", grace_seconds=1)
    await eventually(lambda: names(registry, "pods") == [])
    assert messages(registry, "FailedSync") == ["RuntimeError: the cable is loose"]
    await node_agent.stop()


def failing_once(do: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    left = iter([RuntimeError("the cable is loose")])

    async def tried(worker: Any) -> None:
        if error := next(left, None):
            raise error
        await do(worker)

    return tried


async def test_a_full_disk_keeps_status_and_events_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself says that there is no room: its file may have no more pages than it has."""
    monkeypatch.setattr(pod_module, "STATUS_RETRY", 0.001)
    registry = make_registry()
    made = registry.create("pods", "default", pod("web"), manager="test")
    worker = PodWorker(host(registry, tmp_path), made)
    database = registry.store._db
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    filled = fill(registry)
    worker._event("Warning", "Failed", "Error: No space left on device " + "x" * 5000, container="main")
    worker._changed()
    await asyncio.sleep(0.05)
    assert filled
    assert messages(registry, "Failed") == []
    database.execute(f"PRAGMA max_page_count = {pages + 1000}")
    await eventually(lambda: bool(messages(registry, "Failed")))
    await eventually(lambda: bool(registry.get("pods", "default", "web")["status"].get("containerStatuses")))


def fill(registry: Registry) -> bool:
    """Write until there is no room for anything."""
    for size in (4000, 1000, 100, 10):
        for number in range(1000):
            data: Obj = {"metadata": {"name": f"of-{size}-{number}"}, "data": {"a": "x" * size}}
            try:
                registry.create("configmaps", "default", data, manager="test")
            except DiskFull:
                break
        else:
            return False
    return True


async def test_probes_that_fail_are_told_and_begin_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prober_module, "FIRST_RETRY", 0.001)
    ready, said = asyncio.Event(), []
    launcher: Any = SimpleNamespace(probe=failing(2, lambda kind: None, OSError("too many open files")))
    prober = Prober(
        launcher, lambda: None, lambda _: ready.set(), lambda *words: said.append(words), lambda _: None
    )
    async with asyncio.timeout(LIMIT):
        await prober.run()
        await ready.wait()
    assert said == [("readiness", "OSError: too many open files")] * 2


async def test_the_nodes_envoy_is_started_as_soon_as_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    process: Any = object()
    kept = node.NodeEnvoy(SimpleNamespace(), SimpleNamespace(), said.append)  # type: ignore[arg-type]
    monkeypatch.setattr(kept, "_spawn", failing(2, lambda: process, OUT_OF_ROOM))
    await kept._start_again()
    assert kept.process is process
    assert len(said) == 2
    assert "No space left on device" in said[0]


async def test_one_proxy_without_a_configuration_keeps_nothing_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = make_registry()
    given: dict[str, Any] = {}
    failures: list[tuple[str, str]] = []
    discovery: Any = SimpleNamespace(
        register=lambda name, log: None, set_config=lambda name, config: given.__setitem__(name, config)
    )
    broken = iter([ZeroDivisionError("a weight of nothing")] * 2)

    def translate(snapshot: Any, proxy: Any, addresses: Any) -> str:
        if proxy.kind == "sidecar" and (error := next(broken, None)):
            raise error
        return "its configuration"

    monkeypatch.setattr(pilot_module, "translate", translate)
    ensure_definitions(registry)
    pilot = Pilot(registry, discovery, address_plan(), lambda *words: failures.append(words))
    made = registry.create("pods", "default", pod("web"), manager="test")
    pilot.add_proxy(made)
    pilot.add_node("node")
    await until(lambda: "node" in given)
    await eventually(lambda: len(given) == 2)
    assert [why for _, why in failures] == [
        "its configuration cannot be computed: ZeroDivisionError: a weight of nothing"
    ] * 2
    pilot.close()
