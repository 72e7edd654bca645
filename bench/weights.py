"""From a weight's PATCH to the first request on the new route, as a client outside of the mesh sees it."""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.results import Figure, percentile
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application, service
from kata_lib.errors import KataError

EFFECT_LIMIT_SECONDS = 5.0
SETTLED_ANSWERS = 20


@dataclass(frozen=True)
class Way:
    """Where weights act. only: gives one version all requests. url: where a client asks, and whose answers
    are told apart by version_of.
    """

    only: Callable[[str], object]
    url: str
    version_of: Callable[[str], str] = application.version_of


def of_mesh(cluster: Cluster) -> Way:
    """Return the way through the calling sidecar, by the rule that speaks for `name` inside the mesh."""
    return Way(
        lambda version: service.set_weights(cluster, {f"name-{version}": 100}), cluster.url("sentences")
    )


def measure(cluster: Cluster, changes: int) -> list[Figure]:
    """Switch all requests from one version to the other, again and again."""
    milliseconds, late = effects(of_mesh(cluster), changes)
    how = f"{changes} changes; {late} of {changes * SETTLED_ANSWERS} later requests on the old route"
    return [
        Figure("weight to effect, p50", percentile(milliseconds, 50), "ms", 10, how=how),
        Figure("weight to effect, p95", percentile(milliseconds, 95), "ms"),
    ]


def effects(way: Way, changes: int, later: int = SETTLED_ANSWERS) -> tuple[list[float], int]:
    """Return the milliseconds of each change, and how many of the `later` requests took the old route.

    One change: PATCH; from its answer on, requests one after the other on a kept-alive connection, until one
    is answered by the other version. The time ends when that answer is there, so it holds one request.
    """
    address = urlsplit(way.url)
    client = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5.0)
    milliseconds, late = [], 0
    for number in range(changes):
        version = "v2" if number % 2 == 0 else "v1"
        way.only(version)
        milliseconds.append(_until(client, version, way))
        late += sum(_answered_by(client, way) != version for _ in range(later))
    client.close()
    return milliseconds, late


def _until(client: http.client.HTTPConnection, version: str, way: Way) -> float:
    """Ask until the version answers; return the milliseconds that it took."""
    started = time.perf_counter()
    while time.perf_counter() - started < EFFECT_LIMIT_SECONDS:
        if _answered_by(client, way) == version:
            return (time.perf_counter() - started) * 1000
    raise KataError(f"{EFFECT_LIMIT_SECONDS:g} s after the weights changed no request reached {version}.")


def _answered_by(client: http.client.HTTPConnection, way: Way) -> str | None:
    client.request("GET", "/")
    answer = client.getresponse()
    text = answer.read().decode()
    return way.version_of(text) if answer.status == 200 else None
