"""The sampler's process, seen from the caller: checked settings in, records out over a pipe, and its end."""

import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from kata_lib.errors import TrafficError
from kata_lib.traffic import sampler_process
from kata_lib.traffic.frames import RequestRecord
from kata_lib.traffic.sampler_process import MAX_CONCURRENCY, RECORD, SamplerSettings

Connections = Literal["per-request", "keep-alive"]

RATED_CONCURRENCY = 64
MOST_USERS = 100_000
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\x20-\x7e\xa0-\xff]*")
"""A header's line, as RFC 9110 has it."""
GRACE = 10.0
"""Seconds beyond the time-out of its requests that the process may take to say something, or to end.

It needs milliseconds; on a machine that is busy with other things it may need longer.
"""

HURRY = 1.0
"""Seconds that it may take to end when nobody wants its records any more."""

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
    headers: Mapping[str, str] | None = None,
    users: int | None = None,
) -> SamplerSettings:
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
    if users is not None and not 1 <= users <= MOST_USERS:
        raise TrafficError(f"Expected users from 1 to {MOST_USERS:,}, found {users!r}.")
    for line in (f"{name}: {value}" for name, value in (headers or {}).items()):
        if not _HEADER.fullmatch(line):
            raise TrafficError(f"Expected headers such as {{'x-test': 'use-v2'}}, found {line!r}.")
    parts = _split(url)
    own = dict(headers or {})
    host = next((own.pop(name) for name in list(own) if name.lower() == "host"), "")
    return SamplerSettings(
        address=_resolve(parts.hostname or "", parts.port or 80),
        host=host or parts.netloc.rpartition("@")[2],
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        requests=requests,
        seconds=seconds,
        rate=rate,
        concurrency=concurrency,
        keep_alive=connections == "keep-alive",
        timeout=timeout,
        seed=seed,
        headers=own,
        users=users or 0,
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
    """A running sampler, and the pipe on which it reports.

    patience: the longest time in seconds without a record that it may take in order.
    """

    def __init__(self, settings: SamplerSettings) -> None:
        self.patience = settings.timeout + GRACE + (2 / settings.rate if settings.rate else 0.0)
        command = [sys.executable, "-I", "-S", sampler_process.__file__, json.dumps(asdict(settings))]
        pipe = subprocess.PIPE
        try:
            # A session of its own: Ctrl-C in a terminal reaches the caller, who ends the sampler in order.
            self._process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
            )
        except OSError as error:
            raise TrafficError(f"Expected to start the sampler's process, found: {error}.") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is gone; the records that it left can still be read."""
        return self._process.poll() is not None

    def records(self) -> Iterator[list[RequestRecord]]:
        """Yield the records that have arrived, a batch at a time, until the process has ended.

        Raise TrafficError where it says nothing for longer than it may: it was stopped, or gets no time.
        """
        assert self._process.stdout
        data = bytearray()
        with self._process.stdout as pipe, selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while selector.select(self.patience):
                received = os.read(pipe.fileno(), 1 << 16)
                if not received:
                    return
                data += received
                yield _take(data)
                time.sleep(BATCH)
        raise TrafficError(
            f"Expected a record of the sampler's process {self.pid} within {self.patience:g} s, found none: "
            "it was stopped, or the machine gives it no time."
        )

    def finish(self) -> None:
        """Let it begin no more requests; it ends when those under way are done."""
        assert self._process.stdin
        self._process.stdin.close()

    def end(self, grace: float = HURRY) -> str | None:
        """End and reap it; return what ended it if it did not end in order within `grace` seconds."""
        self.finish()
        try:
            code = self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self._last_words()
            return "it did not end when it was asked to, and was killed"
        said = self._last_words()
        return (said or _cause(code)) if code else None

    def _last_words(self) -> str:
        """Return the last line that it wrote as an error, which of a traceback names the exception."""
        assert self._process.stderr
        with self._process.stderr as pipe:
            return pipe.read().decode(errors="replace").strip().rpartition("\n")[2]


def _cause(code: int) -> str:
    """Say what a process ended with, by its exit code: a signal where it is negative."""
    return f"{signal.Signals(-code).name} ended it" if code < 0 else f"exit code {code}"


def _take(data: bytearray) -> list[RequestRecord]:
    """Cut the complete records off the data."""
    records, at = [], 0
    while len(data) - at >= RECORD.size:
        sent, latency, status, user, length = RECORD.unpack_from(data, at)
        end = at + RECORD.size + length
        if end > len(data):
            break
        text = data[at + RECORD.size : end].decode(errors="replace").rstrip("\r\n")
        records.append(RequestRecord(sent, latency, status, text, user))
        at = end
    del data[:at]
    return records
