"""The sampler's own process: sends GET requests and reports each one, so that a busy caller distorts nothing.

In:  the `SamplerSettings` as JSON, the only argument. The end of standard input, which is also what the
caller's
     death leaves, stops it: no more requests are begun, those under way are finished.
Out: one record for each request on standard output, in the order in which they ended: `RECORD` (time sent in
     ns since 1970, latency in ms, HTTP status, user, length of the text) and the text in UTF-8. Status 0
     means that no HTTP answer came, and the text then says why; otherwise it is the answer's body.

Without a rate each of `concurrency` connections sends as soon as its last answer is there (closed loop).
With a rate the moments are fixed in advance, one in each slot of 1/rate seconds: at its beginning, or with a
seed anywhere in it. A request that must wait for a free connection keeps its intended moment, and its latency
counts from there, so that a slow service cannot hide by slowing the sampler down ("coordinated omission").

With users, each request is a user's: the one who has waited longest and has none under way. A user keeps the
cookies that answers set (RFC 6265, without their attributes) and sends them with the next request, beside one
that says who it is, `user=7`.

HTTP/1.1 as in RFC 9112, as far as an answer to GET needs it. Started by file name and on the standard library
alone: it imports nothing of kata_lib, and starts in 30 ms.
"""

import errno
import json
import os
import random
import select
import selectors
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import inf

RECORD = struct.Struct("<qdHiH")
NOBODY = -1
"""In place of a user's number, where no users are played."""
MAX_CONCURRENCY = 500
"""Below the 1,024 descriptors of select(), which alone wakes up more exactly than to the millisecond."""

IDLE_LIMIT = 1.0
"""Seconds after which a kept connection that is not used is closed.

A pod that leaves waits for its callers, but not for ever; what is sent once its application is gone fails.
"""

MAX_ANSWER = 1 << 20
MAX_TEXT = 1000
BACKLOG = 4 << 20
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class SamplerSettings:
    """What to ask, how often, and how; times in seconds. Either `requests` or `seconds` is None, or both.

    headers: sent with each request. users: how many are played, 0 for none; requests are then each user's.
    """

    address: tuple[str, int]
    host: str
    target: str
    requests: int | None
    seconds: float | None
    rate: float | None
    concurrency: int
    keep_alive: bool
    timeout: float
    seed: int | None
    headers: dict[str, str]
    users: int


class User:
    """Somebody who keeps cookies, and has so many requests left."""

    def __init__(self, number: int, left: float) -> None:
        self.number = number
        self.left = left
        self.cookies = {"user": str(number)}

    def keep(self, answer: bytes) -> None:
        """Keep the cookies that an answer sets."""
        head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                cookie, _, content = value.partition(";")[0].strip().partition("=")
                self.cookies[cookie] = content

    @property
    def header(self) -> str:
        """The line that sends the cookies."""
        return "cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()) + "\r\n"


def read_answer(data: bytes, ended: bool) -> tuple[int, bytes, bool] | None:
    """Read an HTTP/1.1 answer to GET: (status, body, whether the connection stays open).

    None while it is incomplete; `ended` says that nothing follows. ValueError if it is no HTTP answer.
    """
    status, end = 0, -4
    while status < 200:  # interim answers come before the one that counts
        data = data[end + 4 :]
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = data[:end].lower()
        if not head.startswith(b"http/1."):
            raise ValueError("the answer is not HTTP/1")
        status = int(head[9:12])
    keep = b"\r\nconnection: close" not in head and head.startswith(b"http/1.1")
    if b"\r\ntransfer-encoding:" in head:
        body = dechunk(data, end + 4)
        return None if body is None else (status, body, keep)
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(head[at + 17 :].split(b"\r\n", 1)[0])
        stop = end + 4 + length
        return (status, data[end + 4 : stop], keep) if len(data) >= stop else None
    if status in (204, 304):
        return status, b"", keep
    return (status, data[end + 4 :], False) if ended else None


def dechunk(data: bytes, at: int) -> bytes | None:
    """Join the chunks of a body that begins at `at`; None while it is incomplete."""
    body = b""
    while (line := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line].split(b";", 1)[0], 16)
        if size < 0:
            raise ValueError("a chunk has no length")
        if size == 0:
            return body if data.find(b"\r\n\r\n", line) >= 0 else None
        body += data[line + 2 : line + 2 + size]
        at = line + 2 + size + 2
    return None


def moments(rate: float, seed: int | None) -> Iterator[float]:
    """Yield when each request is to be sent, in seconds after the start."""
    place = random.Random(seed).random if seed is not None else lambda: 0.0
    for slot in count():
        yield (slot + place()) / rate


class Output:
    """Records on their way to the caller. A caller that does not read for long makes the sampler wait."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.waiting = bytearray()
        os.set_blocking(descriptor, False)

    def add(self, sent: int, latency: float, status: int, user: int, text: bytes) -> None:
        text = text[:MAX_TEXT]
        self.waiting += RECORD.pack(sent, latency, status, user, len(text)) + text

    def flush(self, *, all_of_it: bool = False) -> None:
        while self.waiting:
            try:
                del self.waiting[: os.write(self.descriptor, self.waiting)]
            except BlockingIOError:
                if not all_of_it and len(self.waiting) < BACKLOG:
                    return
                select.select([], [self.descriptor], [])


class Connection:
    """One of the sampler's connections, which carries one request after the other."""

    def __init__(self, sampler: "Sampler") -> None:
        self.sampler = sampler
        self.socket: socket.socket | None = None
        self.data = b""
        self.intended = self.sent = self.ended = 0.0
        self.busy = False
        self.user: User | None = None

    def begin(self, intended: float | None, user: User | None) -> None:
        """Send a request, on a new connection if there is none; `intended` is its fixed moment, if any."""
        self.data, self.busy, self.user = b"", True, user
        self.sent = time.perf_counter()
        self.intended = self.sent if intended is None else intended
        try:
            if self.socket is None:
                self.connect()
            else:
                self.socket.send(self.request)
        except OSError as error:
            self.finish(0, reason(error))

    @property
    def request(self) -> bytes:
        """What is sent."""
        user = self.user.header.encode("latin-1") if self.user else b""
        return self.sampler.request + user + b"\r\n"

    def connect(self) -> None:
        address = self.sampler.settings.address
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket.setblocking(False)
        self.sampler.selector.register(self.socket, selectors.EVENT_WRITE, self)
        code = self.socket.connect_ex(address)
        if code == 0:
            self.ready(selectors.EVENT_WRITE)
        elif code != errno.EINPROGRESS:
            raise OSError(code, os.strerror(code))

    def ready(self, events: int) -> None:
        """Go on with what the socket is ready for."""
        assert self.socket
        try:
            if events & selectors.EVENT_WRITE:
                if code := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(code, os.strerror(code))
                self.socket.send(self.request)
                self.sampler.selector.modify(self.socket, selectors.EVENT_READ, self)
                return
            received = self.socket.recv(65536)
            if not self.busy:
                self.close()
                return
            self.data += received
            answer = read_answer(self.data, ended=not received)
        except (OSError, ValueError) as error:
            self.finish(0, reason(error))
            return
        if answer:
            status, body, keep = answer
            if self.user:
                self.user.keep(self.data)
            self.finish(status, body, keep and self.sampler.settings.keep_alive)
        elif not received:
            self.finish(0, b"the connection was closed before the answer was complete")
        elif len(self.data) > MAX_ANSWER:
            self.finish(0, b"the answer is longer than %d bytes" % MAX_ANSWER)

    def finish(self, status: int, text: bytes, keep: bool = False) -> None:
        self.busy = False
        self.ended = time.perf_counter()
        if not keep:
            self.close()
        self.sampler.finished(self, status, text)

    def close(self) -> None:
        if self.socket:
            self.sampler.selector.unregister(self.socket)
            self.socket.close()
            self.socket = None


def reason(error: Exception) -> bytes:
    """Say in one line why a request failed."""
    return (getattr(error, "strerror", None) or str(error)).encode()


class Sampler:
    """Begins requests when they are due, and reports them when they end."""

    def __init__(self, settings: SamplerSettings, output: Output) -> None:
        self.settings = settings
        self.output = output
        self.selector = selectors.SelectSelector()
        connection = "keep-alive" if settings.keep_alive else "close"
        self.request = (
            f"GET {settings.target} HTTP/1.1\r\nhost: {settings.host}\r\n"
            f"user-agent: kata-sampler\r\naccept: */*\r\nconnection: {connection}\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in settings.headers.items())
        ).encode("latin-1")
        each = settings.requests if settings.requests is not None else inf
        self.users = deque(User(number, each) for number in range(settings.users))
        """Those with requests left and none under way, who has waited longest first."""
        self.free = [Connection(self) for _ in range(settings.concurrency)]  # the longest idle first
        self.under_way: dict[Connection, None] = {}  # the oldest first
        self.epoch = time.time_ns() - int(time.perf_counter() * NANOSECONDS)

    def run(self, commands: int) -> None:
        """Sample until everything asked for is done, or until `commands` (a descriptor) ends."""
        self.selector.register(commands, selectors.EVENT_READ)
        start = time.perf_counter()
        each = self.settings.requests if self.settings.requests is not None else inf
        left = each * (self.settings.users or 1)
        until = start + self.settings.seconds if self.settings.seconds is not None else inf
        slots = moments(self.settings.rate, self.settings.seed) if self.settings.rate else None
        due = start + next(slots) if slots else start
        while True:
            now = time.perf_counter()
            if now >= until:
                left = 0
            if self.settings.keep_alive:
                self.close_idle(now)
            for _ in range(len(self.free)):
                if not left or due > now or not self.somebody_may():
                    break
                left -= 1
                self.begin(due if slots else None)
                due = start + next(slots) if slots else now
            if not left and not self.under_way:
                break
            may = self.free and left and self.somebody_may()
            wake = min(self.deadline(), until, due if may else inf)
            for key, events in self.selector.select(max(0.0, wake - time.perf_counter())):
                if key.data:
                    key.data.ready(events)
                elif not os.read(commands, 1):
                    self.selector.unregister(commands)
                    left = 0
            self.expire()
            self.output.flush()
        self.output.flush(all_of_it=True)

    def begin(self, intended: float | None) -> None:
        connection = self.free.pop()
        self.under_way[connection] = None
        connection.begin(intended, self.users.popleft() if self.settings.users else None)

    def somebody_may(self) -> bool:
        """Return whether a request may begin: with users, one of them has none under way."""
        return not self.settings.users or bool(self.users)

    def finished(self, connection: Connection, status: int, text: bytes) -> None:
        del self.under_way[connection]
        self.free.append(connection)
        latency = (connection.ended - connection.intended) * 1000
        sent, user = self.epoch + int(connection.sent * NANOSECONDS), connection.user
        self.output.add(sent, latency, status, user.number if user else NOBODY, text)
        if user:
            user.left -= 1
            if user.left > 0:
                self.users.append(user)

    def close_idle(self, now: float) -> None:
        for connection in self.free:
            if connection.ended > now - IDLE_LIMIT:
                break
            connection.close()

    def deadline(self) -> float:
        """Return when the oldest request under way has waited long enough."""
        oldest = next(iter(self.under_way), None)
        return oldest.sent + self.settings.timeout if oldest else inf

    def expire(self) -> None:
        while self.deadline() <= time.perf_counter():
            oldest = next(iter(self.under_way))
            oldest.finish(0, b"no answer within %g s" % self.settings.timeout)


def main() -> None:
    """Sample as the argument says."""
    values = json.loads(sys.argv[1])
    settings = SamplerSettings(**{**values, "address": tuple(values["address"])})
    try:
        Sampler(settings, Output(sys.stdout.fileno())).run(sys.stdin.fileno())
    except BrokenPipeError:
        sys.exit("the caller is gone")


if __name__ == "__main__":
    main()
