"""The sampler: requests to a service, and what came back, as a data frame with one row a request.

In: a URL and how to ask. Out: a frame with these columns, in the order in which the requests ended.

    time        when the request was sent (UTC)
    version     "v1", "v2"... as the answer is marked; None for a failure
    status      the HTTP status; 0 where no HTTP answer came
    latency_ms  from sending, or with a rate from the moment at which sending was due, to the whole answer
    answer      the text of the answer; "" where none came
    error       None, or why the request failed: no answer, or a status other than 2xx

The requests are sent by a process of its own (`sampler_process.py`), so that a busy caller distorts nothing.
It reports over a pipe and ends with its caller.
"""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from kata_lib.errors import TrafficError
from kata_lib.sampler_process import MAX_CONCURRENCY, RECORD, Settings

if TYPE_CHECKING:
    import pandas as pd

Connections = Literal["per-request", "keep-alive"]
Record = tuple[int, float, int, str]
"""Time sent (ns since 1970), latency (ms), status, text."""

RATED_CONCURRENCY = 64
GRACE = 1.0  # seconds that the process has to end by itself
BATCH = 0.01  # seconds between two readings of the pipe, which otherwise cost the caller a wake-up a request
PROGRESS = 0.1  # seconds between two calls of on_progress
_MARK = re.compile(r" \((v\d+)\)")


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
    on_progress: Callable[[int], None] | None = None,
) -> "pd.DataFrame":
    """Ask a service a number of times, or for a time, and return a frame with one row a request.

    Exactly one of `requests` and `seconds` is given. `rate` is in requests a second, evenly spaced, or with a
    `seed` at random moments within equal slots; without it each connection asks as soon as it has its answer.
    `concurrency` is the greatest number of requests under way: 1, or with a rate 64. `timeout` is in seconds
    for each request. `on_progress` is called with the number of requests done, ten times a second at most.
    A new connection for each request shows what plain Kubernetes does, which chooses a pod for a connection.
    """
    if (requests is None) == (seconds is None):
        raise TrafficError("Expected either requests or seconds, found both or neither: give one of them.")
    process = _start(_settings(url, requests, seconds, rate, concurrency, connections, timeout, seed))
    records: list[Record] = []
    told = time.monotonic()
    try:
        for batch in _read(process):
            records += batch
            if on_progress and time.monotonic() - told >= PROGRESS:
                on_progress(len(records))
                told = time.monotonic()
        if on_progress:
            on_progress(len(records))
    finally:
        error = _end(process)
    if error:
        raise TrafficError(f"The sampler ended before its time: {error}")
    return frame_of(records)


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
        ring: int = 100_000,
    ) -> None:
        self._timeout = timeout
        self._process = _start(_settings(url, None, None, rate, concurrency, connections, timeout, seed))
        self._records: deque[Record] = deque(maxlen=ring)
        self._finalizer = weakref.finalize(self, _end, self._process)
        self._reader = threading.Thread(target=_collect, args=(self._process, self._records), daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def frame(self) -> "pd.DataFrame":
        """Return the requests so far that the ring still holds; raise TrafficError if sampling broke off."""
        if self._finalizer.alive and self._process.poll() is not None:
            self.stop()
        return frame_of(self._records.copy())

    def stop(self) -> None:
        """Begin no more requests, wait for those under way, end the process; the second time do nothing."""
        if not self._finalizer.alive:
            return
        assert self._process.stdin
        self._process.stdin.close()
        self._reader.join(self._timeout + GRACE)
        error = self._finalizer()
        if error:
            raise TrafficError(f"The sampler ended before its time: {error}")


def version_of(answer: str | None) -> str | None:
    """Return the version that an answer is marked with: "v2" for " (v2)", "v1" without one, None for None."""
    if answer is None:
        return None
    mark = _MARK.search(answer)
    return mark[1] if mark else "v1"


def frame_of(records: Collection[Record]) -> "pd.DataFrame":
    """Return records as the frame that this module describes."""
    import pandas as pd

    times, latencies, statuses, texts = zip(*records, strict=True) if records else ((), (), (), ())
    answered = [200 <= status < 300 for status in statuses]
    return pd.DataFrame(
        {
            "time": pd.to_datetime(pd.Series(times, dtype="int64"), unit="ns", utc=True),
            "version": pd.Series(
                [version_of(text) if ok else None for text, ok in zip(texts, answered, strict=True)],
                dtype=object,
            ),
            "status": pd.Series(statuses, dtype="int64"),
            "latency_ms": pd.Series(latencies, dtype="float64"),
            "answer": pd.Series(
                [text if status else "" for text, status in zip(texts, statuses, strict=True)], dtype="str"
            ),
            "error": pd.Series(
                [
                    None if ok else _error(status, text)
                    for ok, status, text in zip(answered, statuses, texts, strict=True)
                ],
                dtype=object,
            ),
        }
    )


def _error(status: int, text: str) -> str:
    return f"HTTP {status}: {text}" if status else text


def _settings(
    url: str,
    requests: int | None,
    seconds: float | None,
    rate: float | None,
    concurrency: int | None,
    connections: Connections,
    timeout: float,
    seed: int | None,
) -> Settings:
    """Check what was asked for; raise TrafficError where it makes no sense."""
    concurrency = concurrency or (RATED_CONCURRENCY if rate else 1)
    for name, value in {"requests": requests, "seconds": seconds, "rate": rate, "timeout": timeout}.items():
        if value is not None and not value > 0:
            raise TrafficError(f"Expected {name} above 0, found {value!r}.")
    if not 1 <= concurrency <= MAX_CONCURRENCY:
        raise TrafficError(f"Expected a concurrency from 1 to {MAX_CONCURRENCY}, found {concurrency}.")
    if connections not in ("per-request", "keep-alive"):
        raise TrafficError(f'Expected connections "per-request" or "keep-alive", found {connections!r}.')
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise TrafficError(
            f"Expected a URL such as http://127.0.0.1:30080/, found {url!r}: give the service's."
        )
    return Settings(
        address=_resolve(parts.hostname, parts.port or 80),
        host=parts.netloc.rpartition("@")[2],
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        requests=requests,
        seconds=seconds,
        rate=rate,
        concurrency=concurrency,
        keep_alive=connections == "keep-alive",
        timeout=timeout,
        seed=seed,
    )


def _start(settings: Settings) -> subprocess.Popen[bytes]:
    script = Path(__file__).with_name("sampler_process.py")
    # A session of its own: Ctrl-C in a terminal reaches the caller, who ends the sampler in order.
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(script), json.dumps(asdict(settings))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )


def _resolve(host: str, port: int) -> tuple[str, int]:
    """Return the address of a host, an IPv4 one if it has any: node ports listen there."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TrafficError(
            f"Expected a host with an address, found {host!r} ({error}): see the URL."
        ) from None
    addresses = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return str(addresses[0][4][0]), port


def _read(process: subprocess.Popen[bytes]) -> Iterator[list[Record]]:
    """Yield the records that have arrived, a batch at a time, until the process has ended."""
    assert process.stdout
    data = bytearray()
    while received := os.read(process.stdout.fileno(), 1 << 16):
        data += received
        records, at = [], 0
        while len(data) - at >= RECORD.size:
            sent, latency, status, length = RECORD.unpack_from(data, at)
            end = at + RECORD.size + length
            if end > len(data):
                break
            text = data[at + RECORD.size : end].decode(errors="replace").rstrip("\r\n")
            records.append((sent, latency, status, text))
            at = end
        del data[:at]
        yield records
        time.sleep(BATCH)


def _collect(process: subprocess.Popen[bytes], records: deque[Record]) -> None:
    for batch in _read(process):
        records.extend(batch)


def _end(process: subprocess.Popen[bytes]) -> str | None:
    """End the process and reap it; return what it said if it did not end in order."""
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    assert stdin
    assert stdout
    assert stderr
    stdin.close()
    try:
        code = process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    said = stderr.read().decode(errors="replace").strip()
    stdout.close()
    stderr.close()
    return (said or f"exit code {code}") if code else None
