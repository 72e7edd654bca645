"""kata_lib.mesh.synced: what is waited for, and no longer than needed. Time is the test's own."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from api_server import Answers, Api, StartApi

from kata_lib.cluster import waiting
from kata_lib.cluster.client import Obj
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


class Lagging:
    """Sidecars that have what was written some time ago: on a real Istio, PUSH seconds."""

    def __init__(self, others: Answers, clock: Clock) -> None:
        self.acknowledged: str | None = ""
        self.lag = 0.0
        self._others, self._clock = others, clock
        self._pushed: list[tuple[float, str, str]] = []

    def answer(self, pod: Obj, path: str) -> tuple[int, str]:
        """Return what a real agent would: Istio's knows no /debug/syncz on this port."""
        if path == "/debug/syncz":
            return (404, "404 page not found") if self.acknowledged is None else (200, self.acknowledged)
        uid = pod["metadata"]["uid"]
        self._pushed.append((self._clock.now, uid, self._others.answer(pod, path)[1]))
        of_pod = [(at, dump) for at, of, dump in self._pushed if of == uid]
        old = [dump for at, dump in of_pod if at <= self._clock.now - self.lag]
        return 200, (old or [of_pod[0][1]])[-1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (synced, waiting):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def canary(start_api: StartApi) -> Api:
    return start_api("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml")


@pytest.fixture
def sidecars(canary: Api, clock: Clock) -> Lagging:
    canary.sidecars = made = Lagging(canary.sidecars, clock)
    return made


@pytest.fixture
def sentences(canary: Api) -> str:
    """The name of the pod that calls."""
    return canary.pods("sentences")[0]


@pytest.fixture
def cluster(canary: Api, sidecars: Lagging) -> Cluster:
    """The canary on the embedded engine, whose agents tell what is acknowledged."""
    return canary.cluster()


@pytest.fixture
def istio(cluster: Cluster, sidecars: Lagging) -> Cluster:
    """The canary on a real Istio."""
    sidecars.acknowledged, sidecars.lag = None, PUSH
    return cluster


def test_what_is_acknowledged_needs_no_wait(cluster: Cluster, clock: Clock) -> None:
    since = synced.now(cluster, "sentences")
    weights.set_weights(cluster, "name", {"name-v2": 20})
    synced.until(cluster, "sentences", since)
    assert clock.now == 0.0


def test_a_rejection_is_told(cluster: Cluster, sidecars: Lagging) -> None:
    sidecars.acknowledged = "node: routes rejected: no such thing"
    with pytest.raises(
        WaitTimeout, match=r"lag behind after 1 s\. Last seen: node: routes rejected: no such"
    ):
        synced.until(cluster, "sentences", synced.Moment(), timeout=1.0)


def test_a_change_is_waited_for_until_it_is_quiet(istio: Cluster, clock: Clock, sentences: str) -> None:
    said: list[str] = []
    since = synced.now(istio, "sentences")
    weights.set_weights(istio, "name", {"name-v2": 20})
    synced.until(istio, "sentences", since, said.append)
    assert PUSH + QUIET <= clock.now < PUSH + QUIET + 0.3
    assert said == [f"{sentences}: its routes may still change"]
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


def test_pods_that_are_gone_are_waited_for(
    cluster: Cluster, sidecars: Lagging, clock: Clock, sentences: str
) -> None:
    sidecars.lag = 0.5
    cluster.ask_envoy(sentences, "config_dump?include_eds")
    cluster.scale("name-v2", 0)
    said: list[str] = []
    synced.until(cluster, "sentences", synced.Moment(), said.append)
    assert said == [f"{sentences}: it knows 3 pods of name, and 2 are ready"]
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
