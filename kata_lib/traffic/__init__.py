"""The sampler: requests to a service, and what came back, as a data frame with one row a request.

In: a URL and how to ask. Out: a frame with these columns, in the order in which the requests ended.

    time        when the request was sent (UTC)
    version     the version that the answer is from, such as "v1", as far as it tells; "unknown" where it does
                not; None for a failure
    status      the HTTP status; 0 where no HTTP answer came
    latency_ms  from sending, or with a rate from the moment at which sending was due, to the whole answer
    answer      the text of the answer; "" where none came
    error       None, or why the request failed: no answer, or a status other than 2xx
    user        the number of the user whose request it was, from 0, where users are played

The requests are sent by a process of its own (sampler_process.py), so that a busy caller distorts nothing. It
reports over a pipe (process.py), and ends with its caller. frames.py makes the frame.
"""

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Self

from kata_lib.cluster import waiting
from kata_lib.errors import TrafficError
from kata_lib.traffic.frames import UNKNOWN, RequestRecord, VersionOf, frame_of, unknown
from kata_lib.traffic.process import GRACE, Connections, SamplerProcess, settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNKNOWN", "Connections", "Sampler", "VersionOf", "frame_of", "sample", "unknown"]

PROGRESS = 0.1  # seconds between two calls of on_progress


def sample(
    url: str,
    *,
    requests: int | None = None,
    seconds: float | None = None,
    rate: float | None = None,
    concurrency: int | None = None,
    connections: Connections = "per-request",
    timeout: float = 5.0,
    seed: int | None = None,
    headers: Mapping[str, str] | None = None,
    users: int | None = None,
    on_progress: Callable[[int], None] | None = None,
    version_of: VersionOf = unknown,
) -> "pd.DataFrame":
    """Ask a service a number of times, or for a time, and return a frame with one row a request.

    Exactly one of `requests` and `seconds` is given. `rate` is in requests a second, evenly spaced, or with
    a `seed` at random moments within equal slots; without it each connection asks as soon as it has its
    answer. `concurrency` is the greatest number of requests under way: 1, or with a rate 64. `timeout` is in
    seconds for each request. TrafficError where the sampler ends before its time: no row is returned then.
    `on_progress` is called with the number of requests done, ten times a second at most. A new connection
    for each request shows what plain Kubernetes does, which chooses a pod for a connection. `headers` are
    sent with each request; `host` among them takes the place of the URL's. `users` plays so many people, each
    with cookies of their own and one request at a time; `requests` are then each one's. `version_of` reads
    the version off an answer.
    """
    if (requests is None) == (seconds is None):
        raise TrafficError("Expected either requests or seconds, found both or neither: give one of them.")
    process = SamplerProcess(
        settings(url, requests, seconds, rate, concurrency, connections, timeout, seed, headers, users)
    )
    wanted = None if requests is None else requests * (users or 1)
    records: list[RequestRecord] = []
    told = time.monotonic()
    try:
        with waiting.busy("Asking") as tell:
            for batch in process.records():
                records += batch
                tell(*_so_far(len(records), wanted))
                if on_progress and time.monotonic() - told >= PROGRESS:
                    on_progress(len(records))
                    told = time.monotonic()
        if on_progress:
            on_progress(len(records))
    except BaseException:
        process.end()
        raise
    if error := process.end(GRACE):
        raise _broken(error)
    if wanted is not None and len(records) != wanted:
        raise _broken(f"{len(records)} of {wanted} requests were reported")
    return frame_of(records, version_of)


def _so_far(done: int, requests: int | None) -> tuple[str, float | None]:
    """Return in words, and as a part of the whole if that is known, how many requests are done."""
    if requests is None:
        return f"Asking: {done:,} requests so far", None
    return f"Asking: {done:,} of {requests:,} requests", done / requests


class Sampler:
    """Asks a service in the background at a rate, from its making until stop(), or as a `with` block.

    Keeps the last `ring` requests, of which frame() returns a copy at any moment. The other parameters are
    those of sample(). It also ends when nothing refers to it any more.
    """

    def __init__(
        self,
        url: str,
        rate: float,
        *,
        concurrency: int | None = None,
        connections: Connections = "per-request",
        timeout: float = 5.0,
        seed: int | None = None,
        headers: Mapping[str, str] | None = None,
        users: int | None = None,
        ring: int = 100_000,
        version_of: VersionOf = unknown,
    ) -> None:
        self._version_of = version_of
        self._timeout = timeout
        self._process = SamplerProcess(
            settings(url, None, None, rate, concurrency, connections, timeout, seed, headers, users)
        )
        self._ring = _Ring(ring)
        self._finalizer = weakref.finalize(self, self._process.end)
        self._reader = threading.Thread(target=_collect, args=(self._process, self._ring), daemon=True)
        self._reader.start()
        self._stopping = threading.Lock()
        self._error: TrafficError | None = None

    @property
    def pid(self) -> int:
        """The process that sends the requests."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            self.stop()
        except TrafficError as own:
            if error is None:
                raise
            error.add_note(str(own))

    def frame(self) -> "pd.DataFrame":
        """Return the requests so far that the ring still holds; raise TrafficError if sampling broke off."""
        return frame_of(self.since(0)[0], self._version_of)

    def since(self, number: int) -> tuple[list[RequestRecord], int]:
        """Return the records after the first `number` ones, as far as the ring holds them, and how many there
        were in all, which is the next call's `number`; raise TrafficError if sampling broke off.
        """
        if self._process.ended or not self._reader.is_alive():
            self.stop()
        if self._error:
            raise self._error
        return self._ring.since(number)

    def stop(self) -> None:
        """Begin no more requests, wait for those under way, end the process; the second time do nothing.

        Raise TrafficError if sampling had broken off before, or does not end in order.
        """
        with self._stopping:
            if not self._finalizer.alive:
                return
            early = self._process.ended or not self._reader.is_alive()
            self._process.finish()
            self._reader.join(self._timeout + GRACE)
            in_order = not (self._ring.broken or self._reader.is_alive())
            cause = self._process.end(GRACE if in_order else 0.0)
            self._finalizer.detach()
            if cause or early:
                self._error = self._ring.broken or _broken(cause or "it ended by itself")
                raise self._error


class _Ring:
    """The last records and the number of all; one thread adds, others read; broken: why it adds no more."""

    def __init__(self, size: int) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=size)
        self._number = 0
        self._lock = threading.Lock()
        self.broken: TrafficError | None = None

    def extend(self, records: list[RequestRecord]) -> None:
        with self._lock:
            self._records.extend(records)
            self._number += len(records)

    def since(self, number: int) -> tuple[list[RequestRecord], int]:
        with self._lock:
            new = min(self._number - number, len(self._records))
            # From the end: what is new is little, what is kept is much.
            return list(islice(reversed(self._records), new))[::-1], self._number


def _collect(process: SamplerProcess, ring: _Ring) -> None:
    try:
        for batch in process.records():
            ring.extend(batch)
    except TrafficError as error:
        ring.broken = error


def _broken(cause: str) -> TrafficError:
    return TrafficError(f"The sampler ended before its time: {cause}.")
