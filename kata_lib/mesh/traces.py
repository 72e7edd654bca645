"""What became of single requests: the lines that sidecars write of them go in, spans come out.

The lines are Envoy's access log in Istio's format
(https://istio.io/latest/docs/tasks/observability/logs/access-log/): a sidecar writes one of each request that
it takes for its pod, and one of each that it sends for it. Those of one request have the same x-request-id
as long as the applications on the way hand that header on. Times are each sidecar's own clock.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from kata_lib.cluster import waiting
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import SIDECAR, has_sidecar, is_ready, workload
from kata_lib.errors import ClusterError

FLUSH = 1.1  # seconds; a sidecar writes what it has once a second
LIMIT = 10.0  # seconds for all the lines to be there
_AT_ONCE = 8
_RECENT = 60  # seconds of a log that are looked at
_LINE = re.compile(
    r'^\[(?P<start>\S+Z)\] "[^"]*" (?P<status>\d+) (?P<flags>\S+) .*? "[^"]*" \d+ \d+ (?P<ms>\d+) \S+ '
    r'"[^"]*" "(?P<agent>[^"]*)" "(?P<request>[^"]*)" "(?P<authority>[^"]*)" "[^"]*" (?P<cluster>\S+) '
)


@dataclass(frozen=True)
class Span:
    """A request as one sidecar saw it.

    request: its x-request-id. sent: whether the pod sent it, or else took it. service: the host that was
    asked. start: seconds since 1970. ms: until the whole answer, milliseconds. status: 0 where the caller
    went away before. depth: how many spans it lies within.
    """

    request: str
    pod: str
    workload: str
    version: str
    sent: bool
    service: str
    start: float
    ms: int
    status: int
    agent: str = ""
    depth: int = 0

    @property
    def failed(self) -> bool:
        """Whether it ended with a 5xx, or with a caller that went away."""
        return self.status >= 500 or self.status == 0

    @property
    def end(self) -> float:
        """When it ended, seconds since 1970."""
        return self.start + self.ms / 1000


@dataclass(frozen=True)
class Trace:
    """The spans of one request, each before those within it; the first is what the caller outside saw."""

    spans: tuple[Span, ...]

    @property
    def ms(self) -> int:
        """How long the caller outside waited, milliseconds."""
        return self.spans[0].ms


def of(cluster: Cluster, agent: str, send: Callable[[], int]) -> list[Trace]:
    """Return the traces of the requests that `send` sends and counts, by their User-Agent.

    Raises ClusterError where no sidecar wrote of them.
    """
    wanted, last = send(), list[Span]()
    flushed = time.monotonic() + FLUSH

    def settled() -> bool:
        nonlocal last
        before, last = last, [span for pod in _pods(cluster) for span in pod]
        there = sum(agent in span.agent and not span.sent for span in last) >= wanted
        return there and last == before and time.monotonic() >= flushed

    waiting.holds(settled, LIMIT, FLUSH / 2)
    found = joined(last, agent)
    if not found:
        raise ClusterError(
            "No sidecar wrote of these requests: their access log is off. Where Istio is yours, "
            "`istioctl install --set meshConfig.accessLogFile=/dev/stdout` turns it on."
        )
    return found


def parse(pod: Obj, lines: Iterator[str]) -> Iterator[Span]:
    """Yield the spans of a pod's sidecar's log."""
    metadata = pod["metadata"]
    version = metadata.get("labels", {}).get("version", "")
    for match in filter(None, map(_LINE.match, lines)):
        yield Span(
            match["request"],
            metadata["name"],
            workload(pod),
            version,
            match["cluster"].startswith("outbound") or not match["cluster"].startswith("inbound"),
            match["authority"].partition(":")[0].partition(".")[0],
            datetime.fromisoformat(match["start"]).timestamp(),
            int(match["ms"]),
            int(match["status"]),
            match["agent"],
        )


def joined(spans: list[Span], agent: str) -> list[Trace]:
    """Return the traces that begin with a request whose User-Agent has `agent` in it, in their order.

    A span that is not the first and lies in no other belongs to no request as far as anyone can tell.
    """
    by_request: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda span: (span.start, -span.ms)):
        by_request.setdefault(span.request, []).append(span)
    found = []
    for one in by_request.values():
        within = _parents(one)
        roots = [span for span in one if span not in within and not span.sent and agent in span.agent]
        if roots:
            found.append(Trace(tuple(_tree(roots[0], within, 0))))
    return found


def _pods(cluster: Cluster) -> list[list[Span]]:
    ready = [pod for pod in cluster.pods() if is_ready(pod) and has_sidecar(pod)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [
            *pool.map(
                lambda pod: [*parse(pod, cluster.logs(pod["metadata"]["name"], SIDECAR, seconds=_RECENT))],
                ready,
            )
        ]


def _parents(spans: list[Span]) -> Mapping[Span, Span]:
    """Return the span that each lies in: what a pod sent in what it took, what one took in what was sent."""
    within = {}
    for span in spans:
        around = [
            other
            for other in spans
            if other.sent != span.sent
            and (other.pod == span.pod if span.sent else other.service == span.service)
            and other.start <= span.start <= other.end
            and other is not span
        ]
        if around:
            within[span] = around[-1]
    return within


def _tree(span: Span, within: Mapping[Span, Span], depth: int) -> Iterator[Span]:
    yield replace(span, depth=depth)
    for inner, outer in within.items():
        if outer == span:
            yield from _tree(inner, within, depth + 1)
