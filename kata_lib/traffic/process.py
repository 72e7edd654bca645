"""The sampler's process, seen from the caller: checked settings in, records out over a pipe, and its end."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from kata_lib.errors import TrafficError
from kata_lib.traffic import sampler_process
from kata_lib.traffic.frames import Record
from kata_lib.traffic.sampler_process import MAX_CONCURRENCY, RECORD, Settings

Connections = Literal["per-request", "keep-alive"]

RATED_CONCURRENCY = 64
GRACE = 1.0  # seconds that the process has to end by itself
BATCH = 0.01  # seconds between two readings of the pipe, which otherwise cost the caller a wake-up a request


def settings(
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
    if concurrency is None:
        concurrency = RATED_CONCURRENCY if rate else 1
    for name, value in {"requests": requests, "seconds": seconds, "rate": rate, "timeout": timeout}.items():
        if value is not None and not value > 0:
            raise TrafficError(f"Expected {name} above 0, found {value!r}.")
    if not 1 <= concurrency <= MAX_CONCURRENCY:
        raise TrafficError(f"Expected a concurrency from 1 to {MAX_CONCURRENCY}, found {concurrency}.")
    if connections not in ("per-request", "keep-alive"):
        raise TrafficError(f'Expected connections "per-request" or "keep-alive", found {connections!r}.')
    parts = _split(url)
    return Settings(
        address=_resolve(parts.hostname or "", parts.port or 80),
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


def _split(url: str) -> SplitResult:
    """Take a URL apart that names a host by http."""
    try:
        parts = urlsplit(url)
        good = parts.scheme == "http" and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise TrafficError(f"Expected a URL such as http://127.0.0.1:30080/, found {url!r}: ask `kata url`.")
    return parts


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


class SamplerProcess:
    """A running sampler, and the pipe on which it reports."""

    def __init__(self, settings: Settings) -> None:
        # A session of its own: Ctrl-C in a terminal reaches the caller, who ends the sampler in order.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", sampler_process.__file__, json.dumps(asdict(settings))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is gone; the records that it left can still be read."""
        return self._process.poll() is not None

    def records(self) -> Iterator[list[Record]]:
        """Yield the records that have arrived, a batch at a time, until the process has ended."""
        assert self._process.stdout
        data = bytearray()
        with self._process.stdout as pipe:
            while received := os.read(pipe.fileno(), 1 << 16):
                data += received
                yield _take(data)
                time.sleep(BATCH)

    def finish(self) -> None:
        """Let it begin no more requests; it ends when those under way are done."""
        assert self._process.stdin
        self._process.stdin.close()

    def end(self) -> str | None:
        """End and reap it; return what it said if it did not end in order."""
        self.finish()
        try:
            code = self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        assert self._process.stderr
        with self._process.stderr as pipe:
            said = pipe.read().decode(errors="replace").strip()
        return (said or f"exit code {code}") if code else None


def _take(data: bytearray) -> list[Record]:
    """Cut the complete records off the data."""
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
    return records
