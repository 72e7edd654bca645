"""The order of changes, acknowledgements and rejections of one Envoy, without an Envoy."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kata_lib.engines.embedded.mesh import stages
from kata_lib.engines.embedded.mesh.answers import Answers
from kata_lib.engines.embedded.mesh.envoy_log import EnvoyLog
from kata_lib.engines.embedded.mesh.session import ProxySession
from kata_lib.engines.embedded.mesh.stages import Kind
from kata_lib.engines.embedded.mesh.translate import ProxyConfig

HOLD = 0.002


@pytest.fixture
async def end_rest(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let rests last until the test ends them, however busy the machine is."""
    loop = asyncio.get_running_loop()
    begun: list[Callable[[], None]] = []

    def call_later(delay: float, callback: Any, *args: Any, **more: Any) -> asyncio.TimerHandle:
        if delay != stages.REMOVAL_REST_SECONDS:
            return later(delay, callback, *args, **more)
        begun.append(callback)
        return later(3600, lambda: None)

    later = loop.call_later
    monkeypatch.setattr(loop, "call_later", call_later)
    return lambda: begun.pop()()


def config(*clusters: str, weight: int = 1, empty: tuple[str, ...] = ()) -> ProxyConfig:
    """Return a configuration whose only route goes to the last of the clusters."""
    return ProxyConfig(
        listeners={"l": {"name": "l"}},
        clusters={name: {"name": name} for name in clusters},
        endpoints={
            name: {"cluster_name": name, "endpoints": [] if name in empty else [{"lb_endpoints": [1]}]}
            for name in clusters
        },
        routes={"r": {"name": "r", "to": clusters[-1], "weight": weight}},
    )


def named(resources: list[dict[str, Any]] | None) -> list[str]:
    return [resource["name"] for resource in resources or ()]


class FakeEnvoy:
    """Polls as Envoy does; remembers what it accepted, in order."""

    def __init__(self, session: ProxySession) -> None:
        self.session = session
        self.versions: dict[tuple[Kind, tuple[str, ...]], str] = {}
        self.accepted: list[str] = []
        self.refused: set[str] = set()

    async def poll(self, kind: Kind, *names: str) -> list[dict[str, Any]] | None:
        key = (kind, names)
        body = await self.session.poll(kind, names, self.versions.get(key, ""), HOLD)
        if body is None:
            return None
        answer = json.loads(body)
        if answer["version_info"] not in self.refused:
            self.versions[key] = answer["version_info"]
            self.accepted.append(f"{kind} {' '.join(names)}".strip())
        found: list[dict[str, Any]] = answer["resources"]
        return found

    async def follow(self) -> None:
        """Poll everything until there is no more news."""
        news = True
        while news:
            clusters = await self.poll("clusters")
            news = clusters is not None
            for kind, name in [*(("endpoints", c) for c in self.known(clusters)), ("routes", "r")]:
                news = await self.poll(kind, name) is not None or news  # type: ignore[arg-type]
            news = await self.poll("listeners") is not None or news

    def known(self, clusters: list[dict[str, Any]] | None) -> list[str]:
        if clusters is not None:
            self._known = [cluster["name"] for cluster in clusters]
        return self._known


def session(rejections: list[Any] | None = None, log: EnvoyLog | None = None) -> ProxySession:
    def on_rejection(*rejection: str) -> None:
        if rejections is not None:
            rejections.append(rejection)

    return ProxySession("node", log, on_rejection, lambda: None, Answers())


async def test_first_configuration_goes_clusters_endpoints_then_routes() -> None:
    served = session()
    envoy = FakeEnvoy(served)
    served.set_target(config("a"))
    assert await envoy.poll("listeners") is None
    await envoy.follow()
    assert envoy.accepted == ["clusters", "endpoints a", "routes r", "listeners"]
    assert served.settled


async def test_route_waits_for_the_endpoints_of_a_new_cluster() -> None:
    served = session()
    envoy = FakeEnvoy(served)
    served.set_target(config("a"))
    await envoy.follow()
    served.set_target(config("a", "b"))
    assert await envoy.poll("routes", "r") is None
    await envoy.poll("clusters")
    await envoy.poll("clusters")
    assert await envoy.poll("routes", "r") is None
    await envoy.poll("endpoints", "b")
    await envoy.poll("endpoints", "b")
    routes = await envoy.poll("routes", "r")
    assert routes is not None
    assert routes[0]["to"] == "b"


async def test_cluster_goes_only_after_its_route_and_a_rest(end_rest: Callable[[], None]) -> None:
    served = session()
    envoy = FakeEnvoy(served)
    served.set_target(config("a", "b"))
    await envoy.follow()
    served.set_target(config("a"))
    assert await envoy.poll("clusters") is None
    assert await envoy.poll("routes", "r") is not None
    await envoy.poll("routes", "r")
    assert await envoy.poll("clusters") is None
    assert not served.settled
    end_rest()
    clusters = await envoy.poll("clusters")
    assert clusters is not None
    assert [cluster["name"] for cluster in clusters] == ["a"]


async def test_a_listener_comes_before_the_routes_that_lead_there_and_goes_after_them(
    end_rest: Callable[[], None],
) -> None:
    served = session()
    served.set_target(config("a"))
    envoy = FakeEnvoy(served)
    await envoy.follow()
    passed_on = config("a", weight=2)
    passed_on.listeners["passage"] = {"name": "passage"}
    served.set_target(passed_on)
    assert await envoy.poll("routes", "r") is None
    assert named(await envoy.poll("listeners")) == ["l", "passage"]
    assert await envoy.poll("listeners") is None
    assert named(await envoy.poll("routes", "r")) == ["r"]
    await envoy.follow()
    served.set_target(config("a", weight=3))
    assert await envoy.poll("listeners") is None
    assert await envoy.poll("routes", "r") is not None
    await envoy.follow()
    end_rest()
    assert named(await envoy.poll("listeners")) == ["l"]


async def test_last_endpoint_stays_until_the_route_has_moved(end_rest: Callable[[], None]) -> None:
    served = session()
    envoy = FakeEnvoy(served)
    served.set_target(config("a", "b"))
    await envoy.follow()
    served.set_target(config("b", "a", empty=("b",)))
    assert await envoy.poll("endpoints", "b") is None
    assert await envoy.poll("routes", "r") is not None
    await envoy.poll("routes", "r")
    end_rest()
    assignments = await envoy.poll("endpoints", "b")
    assert assignments is not None
    assert assignments[0]["endpoints"] == []


async def test_weight_change_settles_at_once() -> None:
    served = session()
    envoy = FakeEnvoy(served)
    served.set_target(config("a"))
    await envoy.follow()
    served.set_target(config("a", weight=2))
    await envoy.poll("routes", "r")
    assert not served.settled
    await envoy.poll("routes", "r")
    assert served.settled


async def test_daemon_that_comes_back_sends_nothing_again() -> None:
    first = session()
    envoy = FakeEnvoy(first)
    first.set_target(config("a", "b"))
    await envoy.follow()
    envoy.accepted.clear()
    envoy.session = second = session()
    assert await envoy.poll("clusters") is None
    second.set_target(config("a", "b"))
    await envoy.follow()
    assert envoy.accepted == []
    assert second.settled


async def test_rejection_is_held_and_told_with_the_reason_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "envoy.log"
    log.write_text("[warning] REST config for /v3/discovery:routes rejected: an old story\n")
    rejections: list[Any] = []
    served = session(rejections, EnvoyLog(lambda: log))
    envoy = FakeEnvoy(served)
    served.set_target(config("a"))
    await envoy.follow()
    served.set_target(config("a", weight=2))
    envoy.refused = {version for version in [await version_of(envoy)] if version}
    log.open("a").write("[warning] REST config for /v3/discovery:routes rejected: no  such   field: 'x'\n")
    assert await envoy.poll("routes", "r") is None
    assert [(node, kind, reason) for node, kind, _, reason in rejections] == [
        ("node", "routes", "no such field: 'x'")
    ]
    assert served.rejection == "routes rejected: no such field: 'x'"
    assert "no such field" in served.last_seen()
    served.set_target(config("a", weight=3))
    assert await envoy.poll("routes", "r") is not None
    await envoy.poll("routes", "r")
    assert served.settled
    assert served.rejection is None


async def version_of(envoy: FakeEnvoy) -> str:
    """Return the version on offer without accepting it."""
    known = dict(envoy.versions)
    await envoy.poll("routes", "r")
    offered = envoy.versions["routes", ("r",)]
    envoy.versions = known
    return offered


async def test_rejection_without_a_log_is_told_after_a_few_attempts() -> None:
    rejections: list[Any] = []
    served = session(rejections)
    served.set_target(config("a"))
    for _ in range(3):
        assert await served.poll("clusters", (), "", HOLD) is not None
    assert await served.poll("clusters", (), "", HOLD) is None
    assert [kind for _, kind, _, _ in rejections] == ["clusters"]


async def test_cluster_that_was_never_accepted_is_dropped_by_the_next_configuration(
    end_rest: Callable[[], None],
) -> None:
    served = session()
    envoy = FakeEnvoy(served)
    served.set_target(config("a"))
    await envoy.follow()
    served.set_target(config("a", "bad"))
    known = envoy.versions["clusters", ()]
    for _ in range(4):
        await served.poll("clusters", (), known, HOLD)
    assert served.rejection is not None
    served.set_target(config("a"))
    end_rest()
    await envoy.follow()
    assert served.settled


@pytest.mark.parametrize("answered", [True, False])
async def test_connected_only_while_it_polls(answered: bool) -> None:
    served = session()
    assert not served.connected
    if answered:
        await served.poll("clusters", (), "", HOLD)
    assert served.connected is answered
