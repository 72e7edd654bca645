"""kata_lib.mesh.synced: what is waited for, and no longer than needed. Time is the test's own."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fake_api import FakeApi, make_cluster

from kata_lib.cluster import waiting
from kata_lib.cluster.client import ApiRefused
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.location import Entry
from kata_lib.errors import WaitTimeout
from kata_lib.mesh import in_force, synced, weights
from kata_lib.mesh.synced import PATIENCE, QUIET
from kata_lib.mesh.virtual_services import ISTIO

PUSH = 0.12
"""Seconds from a write to the sidecar's new configuration, as measured on a real istiod (p95)."""


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Sidecars:
    """The agents and Envoys of the pods: on a real Istio, each answers with what it got PUSH seconds ago."""

    def __init__(self, api: FakeApi, clock: Clock) -> None:
        self.acknowledged: str | None = ""
        self.lag = 0.0
        self._ask, self._clock = api.text, clock
        self._pushed: list[tuple[float, str, str]] = []

    def text(self, path: str, query: Any = None) -> str:
        if path.endswith("/debug/syncz"):
            if self.acknowledged is None:
                raise ApiRefused(404, "", "404 page not found")
            return self.acknowledged
        if "config_dump" not in path:
            return self._ask(path, query)
        self._pushed.append((self._clock.now, path, self._ask(path, query)))
        old = [dump for at, of, dump in self._pushed if of == path and at <= self._clock.now - self.lag]
        return (old or [self._pushed[0][2]])[-1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (synced, waiting):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> tuple[Cluster, FakeApi, Sidecars]:
    """The canary."""
    cluster, api = make_cluster(monkeypatch)
    for path in ("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml"):
        cluster.apply(path)
    sidecars = Sidecars(api, clock)
    monkeypatch.setattr(api, "text", sidecars.text)
    return cluster, api, sidecars


@pytest.fixture
def cluster(made: tuple[Cluster, FakeApi, Sidecars]) -> Cluster:
    """The canary on the embedded engine, whose agents tell what is acknowledged."""
    return made[0]


@pytest.fixture
def istio(made: tuple[Cluster, FakeApi, Sidecars]) -> Cluster:
    """The canary on a real Istio."""
    made[2].acknowledged, made[2].lag = None, PUSH
    return made[0]


def test_what_is_acknowledged_needs_no_wait(cluster: Cluster, clock: Clock) -> None:
    since = synced.now(cluster, "sentences")
    weights.set_weights(cluster, "name", {"name-v2": 20})
    synced.until(cluster, "sentences", since)
    assert clock.now == 0.0


def test_a_rejection_is_told(made: tuple[Cluster, FakeApi, Sidecars]) -> None:
    cluster, _, sidecars = made
    sidecars.acknowledged = "node: routes rejected: no such thing"
    with pytest.raises(
        WaitTimeout, match=r"lag behind after 1 s\. Last seen: node: routes rejected: no such"
    ):
        synced.until(cluster, "sentences", synced.Moment(), timeout=1.0)


def test_a_change_is_waited_for_until_it_is_quiet(istio: Cluster, clock: Clock) -> None:
    said: list[str] = []
    since = synced.now(istio, "sentences")
    weights.set_weights(istio, "name", {"name-v2": 20})
    synced.until(istio, "sentences", since, said.append)
    assert PUSH + QUIET <= clock.now < PUSH + QUIET + 0.3
    assert said == ["sentences-0: its routes may still change"]
    assert in_force.read(istio, "name", "sentences").shares == {"name-v1": 0.8, "name-v2": 0.2}


def test_a_write_that_changes_nothing_for_the_caller_is_believed_to(istio: Cluster, clock: Clock) -> None:
    since = synced.now(istio, "sentences")
    istio.patch(ISTIO, "VirtualService", "name", {"spec": {"hosts": ["name"], "exportTo": ["*"]}})
    synced.until(istio, "sentences", since)
    assert PATIENCE <= clock.now < PATIENCE + 0.2


def test_nothing_written_is_nothing_to_wait_for(istio: Cluster, clock: Clock) -> None:
    since = synced.now(istio, "sentences")
    istio.apply("deploy/virtual-service-canary.yaml")
    synced.until(istio, "sentences", since)
    assert clock.now == 0.0


def test_a_caller_that_is_new_has_to_be_quiet(istio: Cluster, clock: Clock) -> None:
    since = synced.now(istio, "sentences")
    istio.scale("sentences", 2)
    synced.until(istio, "sentences", since)
    assert QUIET <= clock.now < PUSH + QUIET + 0.3


def test_pods_that_are_gone_are_waited_for(made: tuple[Cluster, FakeApi, Sidecars], clock: Clock) -> None:
    cluster, api, sidecars = made
    sidecars.lag = 0.5
    cluster.ask_envoy("sentences-0", "config_dump?include_eds")
    del api.objects[api.path("v1", "Pod", "name-v2-0")]
    said: list[str] = []
    synced.until(cluster, "sentences", synced.Moment(), said.append)
    assert said == ["sentences-0: it knows 3 pods of name, and 2 are ready"]
    assert 0.5 <= clock.now < 0.8


def test_without_a_caller_there_is_nothing_to_wait_for(istio: Cluster, clock: Clock) -> None:
    istio.delete("deploy/v1")
    synced.until(istio, "sentences", synced.now(istio, "sentences"))
    assert clock.now == 0.0


@pytest.fixture
def service() -> Iterator[str]:
    """The URL of a service that answers its probes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_one_entry_is_waited_for(cluster: Cluster, service: str) -> None:
    cluster.entry = Entry("sentences", service, 30500)
    synced.until(cluster, "sentences", synced.Moment())
    cluster.entry = Entry("sentences", "http://127.0.0.1:9/", 30500)
    with pytest.raises(WaitTimeout, match=r"way to sentences is not open.*:9/ does not"):
        synced.until(cluster, "sentences", synced.Moment(), timeout=0.1)
