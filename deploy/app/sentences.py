"""The application of the kata: small services in one file, chosen by SENTENCE_MODE.

    age       answers a random age, such as `42`
    name      answers one of SENTENCE_NAMES, such as `Porthos`
    sentence  asks both at once and answers `Porthos is 42 years`
    random    answers a random number, by which `age` and `name` choose where they are told to ask it
    store     what versions share: keeps the record that a POST brings and answers the one before; to a GET,
              how many it was brought

Every path answers, so that routes may match on any; `/healthz` is for probes. Set by the environment, under
the names that the manifests of the istio-katas series have:

    SENTENCE_MODE            age, name, sentence, random or store
    SENTENCE_NAMES           comma-separated; default Athos,Porthos,Aramis
    SENTENCE_AGE_SVC_URL     default http://age:5000/
    SENTENCE_NAME_SVC_URL    default http://name:5000/
    SENTENCE_RANDOM_SVC_URL  where `age` and `name` get their number; default "", they throw dice themselves
    SENTENCE_SVC_DELAY_MIN, SENTENCE_SVC_DELAY_MAX
                             seconds before each answer, anything between the two; default 0
    SENTENCE_AUTH_BUG_PROBABILITY
                             a share of requests (0 to 1) that `sentence` sends on with a wrong
                             `authorization`, which `random` takes 0.7 s to find out; default 0

And under names of our own:

    LISTEN_ADDRESS, PORT default 0.0.0.0 and 5000; port 0 takes a free one, which the first line printed names
    http_proxy           where requests to services behind are sent, in absolute form, instead of to these
    FORWARD_HEADERS      whether a request's headers are handed on to the services behind, and their cookies
                         back: yes or no; default yes
    ERROR_RATE, DELAY    a share of answers (0 to 1) that is a 500, and seconds before each answer; default 0
    ERROR_RATE_OF        what ERROR_RATE is a share of: answers, or users, who are told apart by their cookies
                         and of whom each gets only errors or none; default answers
    ERRORS_AFTER         seconds from the first request on in which there are no errors yet; default 0
    ONE_AT_A_TIME        seconds for which each answer makes the others wait; default 0
    STORE_URL            where `name` writes a record before each answer; default nowhere
    STORE_FORMAT         1 or 2, of these records; who writes 2 reads both, who writes 1 only that; default 1

A service that does not answer, or answers with an error, makes `sentence` answer 502, 503 or 504 with a line
that names it. Idle connections stay open until the caller closes them: a sidecar keeps its connections for an
hour, and a server that closes them first makes some of its requests fail.
"""

import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

# asyncio then goes without TLS, which the sidecar does for us: a fifth less memory in every pod.
sys.modules["ssl"] = None  # type: ignore[assignment]

import asyncio  # noqa: E402

UPSTREAM_TIMEOUT = 3.0
SHUTDOWN_LIMIT = 5.0
LATE_REQUESTS = 0.2  # seconds after SIGTERM in which requests that were on their way still arrive
MAX_MESSAGE = 64 * 1024

RECORDS = {"1": "name=", "2": "name: "}  # how a record begins, by its format

# What a request hands on to the services behind: enough to trace it and to route by it.
PASSED_ON = {
    "authorization",
    "b3",
    "baggage",
    "cookie",
    "end-user",
    "traceparent",
    "tracestate",
    "user-agent",
}
NOT_PASSED_ON = ("x-envoy-", "x-forwarded-")

WRONG_AUTHORIZATION = "12345"  # with SENTENCE_AUTH_BUG_PROBABILITY
REFUSING = 0.7  # seconds that `random` takes for it


class Message(NamedTuple):
    """A request or a response; header names are in lower case."""

    start: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """What a service behind answered, and the cookie that came with it, "" where none did."""

    text: str
    cookie: str


class UpstreamError(Exception):
    """A service behind this one failed; `status` is what to answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def take_message(buffer: bytearray) -> Message | None:
    """Cut the first HTTP/1.1 message off the buffer; None while incomplete, ValueError if it is none."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    start, *lines = buffer[:end].decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body, end = dechunk(buffer, end + 4)
    else:
        begin, end = end + 4, end + 4 + length(headers.get("content-length", "0"))
        body = bytes(buffer[begin:end])
    if not 0 < end <= len(buffer):
        return None
    del buffer[:end]
    return Message(start, headers, body)


def dechunk(buffer: bytearray, at: int) -> tuple[bytes, int]:
    """Join the chunks that begin at `at`; return them and where they end (-1 while some are missing)."""
    body = b""
    while (line := buffer.find(b"\r\n", at)) >= 0:
        size = length(buffer[at:line].partition(b";")[0].decode(), base=16)
        if size == 0:
            end = buffer.find(b"\r\n\r\n", line)
            return body, end + 4 if end >= 0 else -1
        body += buffer[line + 2 : line + 2 + size]
        at = line + 2 + size + 2
    return body, -1


def length(text: str, base: int = 10) -> int:
    """Read a number that counts bytes; ValueError for anything else."""
    if text.strip().startswith(("+", "-")):
        raise ValueError(f"{text!r} is no length")
    return int(text, base)


def text_message(
    status: int, text: str, *, close: bool, head: bool = False, cookies: Sequence[str] = ()
) -> bytes:
    """Write a response with one line of text; `close` announces the end, `head` leaves the text out."""
    body = f"{text}\n".encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "content-type: text/plain; charset=utf-8",
        f"content-length: {len(body)}",
        *(f"set-cookie: {cookie}" for cookie in cookies),
        *(["connection: close"] if close else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if head else body)


class Connection(asyncio.Protocol):
    """One end of a connection: collects what arrives."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > MAX_MESSAGE:
            self.transport.abort()
        else:
            self.received()

    def received(self) -> None:
        """Look at what the buffer holds now."""
        raise NotImplementedError


class UpstreamConnection(Connection):
    """A connection to a service or to the proxy; carries one request at a time."""

    answer: asyncio.Future[Message] | None = None

    def received(self) -> None:
        try:
            message = take_message(self.buffer)
        except ValueError as error:
            self.settle(error)
        else:
            if message:
                self.settle(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self.settle(exc or ConnectionResetError("connection closed before the answer was complete"))

    def settle(self, outcome: Message | Exception) -> None:
        if self.answer is None or self.answer.done():
            self.transport.close()
        elif isinstance(outcome, Message):
            self.answer.set_result(outcome)
        else:
            self.answer.set_exception(outcome)

    async def ask(self, request: bytes) -> Message:
        """Send a request and return its answer; afterwards the connection is either idle or closing."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        try:
            message = await self.answer
        except BaseException:
            self.transport.close()
            raise
        self.answer = None
        if message.headers.get("connection") == "close":
            self.transport.close()
        return message


class Client:
    """Asks other services: through `proxy` on kept connections, or without one on a new connection each time.

    The proxy chooses a pod for each request. Plain Kubernetes chooses one for each connection, and a kept
    connection would hold on to one pod.
    """

    def __init__(self, proxy: str | None) -> None:
        self.proxy = urlsplit(proxy) if proxy else None
        self.idle: list[UpstreamConnection] = []

    async def get(self, url: str, headers: dict[str, str], record: str | None = None) -> Answer:
        """Return what the service answers, with a record to a POST; UpstreamError if that is no answer."""
        service = urlsplit(url).hostname or url
        try:
            async with asyncio.timeout(UPSTREAM_TIMEOUT):
                answer = await self.request(url, headers, record)
            status = int(answer.start.split()[1])
        except TimeoutError:
            raise UpstreamError(504, f"{service} did not answer within {UPSTREAM_TIMEOUT} s") from None
        except (OSError, ValueError, IndexError) as error:
            raise UpstreamError(502, f"{service} did not answer: {error}") from error
        text = answer.body.decode(errors="replace").strip()
        if status != 200:
            raise UpstreamError(
                status if status in (503, 504) else 502, f"{service} answered {status}: {text}"
            )
        return Answer(text, answer.headers.get("set-cookie", ""))

    async def request(self, url: str, headers: dict[str, str], record: str | None) -> Message:
        parts = urlsplit(url)
        target = url if self.proxy else parts.path or "/"
        lines = [
            f"{'GET' if record is None else 'POST'} {target} HTTP/1.1",
            f"host: {parts.netloc}",
            *(f"{k}: {v}" for k, v in headers.items()),
            *([] if record is None else [f"content-length: {len(record)}"]),
        ]
        request = "\r\n".join([*lines, "", record or ""]).encode("latin-1")
        while self.idle:
            connection = self.idle.pop()
            if connection.transport.is_closing():
                continue
            try:
                return await self.ask(connection, request)
            except ConnectionError:
                if record is not None:
                    raise  # it may be written already
                continue  # it was closed just as we used it: the next one, or a new one, tells what is true
        address = self.proxy or parts
        _, connection = await asyncio.get_running_loop().create_connection(
            UpstreamConnection, address.hostname or "", address.port or 80
        )
        return await self.ask(connection, request)

    async def ask(self, connection: UpstreamConnection, request: bytes) -> Message:
        answer = await connection.ask(request)
        if self.proxy:
            self.idle.append(connection)
        else:
            connection.transport.close()
        return answer


class Service:
    """What this process answers, as its environment says."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.mode = _one_of(environment, "SENTENCE_MODE", "sentence", "age", "name", "random", "store")
        self.names = environment.get("SENTENCE_NAMES", "Athos,Porthos,Aramis").split(",")
        self.age_url = environment.get("SENTENCE_AGE_SVC_URL", "http://age:5000/")
        self.name_url = environment.get("SENTENCE_NAME_SVC_URL", "http://name:5000/")
        self.random_url = environment.get("SENTENCE_RANDOM_SVC_URL", "")
        self.bug_rate = float(environment.get("SENTENCE_AUTH_BUG_PROBABILITY", 0))
        self.forwards = _one_of(environment, "FORWARD_HEADERS", "yes", "no")
        self.failings = Failings(environment)
        self.store_url = environment.get("STORE_URL", "")
        self.format = _one_of(environment, "STORE_FORMAT", *RECORDS)
        self.client = Client(environment.get("http_proxy"))
        self.record, self.records = "", 0

    async def answer(self, request: Message, cookies: list[str]) -> tuple[int, str]:
        """Return status and text for a request, and add the cookies that services behind set."""
        method, _, rest = request.start.partition(" ")
        if method not in ("GET", "HEAD") and (method, self.mode) != ("POST", "store"):
            return 405, f"{method} is not answered here; use GET"
        if rest.startswith("/healthz "):
            return 200, "ok"
        if await self.failings.meet(request):
            who = random.choice(self.names) if self.mode == "name" else self.mode
            return 500, f"{who} failed, as ERROR_RATE asks"
        try:
            return 200, await self.text(request, cookies)
        except UpstreamError as error:
            print(error, file=sys.stderr, flush=True)
            return error.status, str(error)

    async def text(self, request: Message, cookies: list[str]) -> str:
        """Return what this service answers; raise UpstreamError where one behind it does not."""
        match self.mode:
            case "age":
                return str(18 + await self.number(request) % 63)
            case "name":
                return await self.name(request)
            case "random":
                return str(await self.number(request))
            case "store":
                return self.stored(request)
            case _:
                return await self.sentence(request, cookies)

    async def name(self, request: Message) -> str:
        name = self.names[await self.number(request) % len(self.names)]
        if self.store_url:
            before = await self.client.get(self.store_url, {}, RECORDS[self.format] + name)
            if self.format == "1" and before.text.startswith(RECORDS["2"]):
                raise UpstreamError(500, f"{name} cannot read the record before, which is of format 2")
        return name

    def stored(self, request: Message) -> str:
        if not request.start.startswith("POST "):
            return str(self.records)
        before, self.record = self.record, request.body.decode(errors="replace")
        self.records += 1
        return before

    async def number(self, request: Message) -> int:
        """Return the number that an age or a name is chosen by."""
        if not self.random_url or self.mode == "random":
            return random.randrange(63 * 10_000)
        answer = await self.client.get(self.random_url, self.handed_on(request))
        if not answer.text.isdecimal():
            raise UpstreamError(502, f"random answered no number: {answer.text}")
        return int(answer.text)

    async def sentence(self, request: Message, cookies: list[str]) -> str:
        """Return a sentence of what both services behind answer."""
        headers = self.handed_on(request)
        if self.bug_rate and random.random() < self.bug_rate:
            headers["authorization"] = WRONG_AUTHORIZATION
        age, name = await asyncio.gather(
            self.client.get(self.age_url, headers), self.client.get(self.name_url, headers)
        )
        if self.forwards == "yes":
            cookies += [answer.cookie for answer in (age, name) if answer.cookie]
        return f"{name.text} is {age.text} years"

    def handed_on(self, request: Message) -> dict[str, str]:
        """Return the headers that go on to the services behind."""
        return {
            name: value
            for name, value in request.headers.items()
            if self.forwards == "yes"
            and (name in PASSED_ON or (name.startswith("x-") and not name.startswith(NOT_PASSED_ON)))
        }


def _one_of(environment: Mapping[str, str], variable: str, *known: str) -> str:
    """Return a variable's value, by default the first that is known; end the process for any other."""
    value = environment.get(variable, known[0])
    if value not in known:
        sys.exit(f"{variable} is {value!r}; it must be {', '.join(known[:-1])} or {known[-1]}")
    return value


class Failings:
    """What is wrong with this process: how late its answers are, and which of them are errors."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.error_rate = float(environment.get("ERROR_RATE", 0))
        self.of = _one_of(environment, "ERROR_RATE_OF", "answers", "users")
        self.errors_after = float(environment.get("ERRORS_AFTER", 0))
        self.delay = float(environment.get("DELAY", 0))
        self.delays = (
            float(environment.get("SENTENCE_SVC_DELAY_MIN", 0)),
            float(environment.get("SENTENCE_SVC_DELAY_MAX", 0)),
        )
        self.checks = environment.get("SENTENCE_MODE") == "random"
        self.one_at_a_time = float(environment.get("ONE_AT_A_TIME", 0))
        self.turn = asyncio.Lock()
        self.first: float | None = None

    async def meet(self, request: Message) -> bool:
        """Wait as long as an answer takes, and return whether it is to be an error."""
        now = time.monotonic()
        self.first = now if self.first is None else self.first
        delay = self.delay + random.uniform(*self.delays)
        if self.checks and request.headers.get("authorization") == WRONG_AUTHORIZATION:
            delay += REFUSING
        if delay:
            await asyncio.sleep(delay)
        if self.one_at_a_time:
            async with self.turn:
                await asyncio.sleep(self.one_at_a_time)
        late = now - self.first >= self.errors_after
        return late and self.error_rate > 0 and self._dice(request) < self.error_rate

    def _dice(self, request: Message) -> float:
        """Return a number from 0 to 1: by chance for each answer, or for each user always the same."""
        cookies = request.headers.get("cookie", "").split("; ")
        user = next((cookie for cookie in cookies if cookie.startswith("user=")), None)
        return random.Random(user).random() if user and self.of == "users" else random.random()


class Server:
    """The open connections of a service, and how they end."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.connections: set[ServerConnection] = set()
        self.stopping = False
        self.all_closed = asyncio.Event()
        self.all_closed.set()

    async def run(self, host: str, port: int) -> None:
        """Answer until SIGTERM or SIGINT; then answer what is under way, at most SHUTDOWN_LIMIT seconds."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        listener = await loop.create_server(lambda: ServerConnection(self), host, port, backlog=1024)
        port = listener.sockets[0].getsockname()[1]
        print(f"{self.service.mode} listens on {host}:{port}", flush=True)
        await stop.wait()
        self.stopping = True
        listener.close()
        await asyncio.sleep(LATE_REQUESTS)
        for connection in self.connections:
            connection.close_when_idle()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.all_closed.wait(), SHUTDOWN_LIMIT)


class ServerConnection(Connection):
    """A caller's connection; its requests are answered one after the other."""

    answering: asyncio.Task[None] | None = None

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.server.connections.add(self)
        self.server.all_closed.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.connections.discard(self)
        if not self.server.connections:
            self.server.all_closed.set()

    def received(self) -> None:
        if self.answering is None:
            self.next_request()

    def next_request(self) -> None:
        try:
            request = take_message(self.buffer)
        except ValueError:
            self.transport.write(text_message(400, "this is not HTTP/1.1", close=True))
            self.transport.close()
            return
        if request:
            self.answering = asyncio.get_running_loop().create_task(self.answer(request))

    async def answer(self, request: Message) -> None:
        cookies: list[str] = []
        status, text = await self.server.service.answer(request, cookies)
        keep = request.start.endswith("HTTP/1.1") and request.headers.get("connection", "").lower() != "close"
        close = self.server.stopping or not keep
        head = request.start.startswith("HEAD ")
        self.transport.write(text_message(status, text, close=close, head=head, cookies=cookies))
        self.answering = None
        if close:
            self.transport.close()
        else:
            self.next_request()

    def close_when_idle(self) -> None:
        """Close now if nothing is under way; an answer that is under way closes after itself."""
        if self.answering is None:
            self.transport.close()


def main() -> None:
    """Run the service that the environment describes."""
    service = Service(os.environ)
    host, port = os.environ.get("LISTEN_ADDRESS", "0.0.0.0"), int(os.environ.get("PORT", 5000))
    asyncio.run(Server(service).run(host, port))


if __name__ == "__main__":
    main()
