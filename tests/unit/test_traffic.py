"""The sampler against a real server: what it counts, when it sends, and how it ends."""

import itertools
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import psutil
import pytest
from application_process import Application, running
from hypothesis import given
from hypothesis import strategies as st

from kata_lib import traffic
from kata_lib.course import application
from kata_lib.errors import TrafficError
from kata_lib.traffic import sampler_process, summary
from kata_lib.traffic.frames import RequestRecord
from kata_lib.traffic.process import settings
from kata_lib.traffic.sampler_process import IDLE_LIMIT, Output, Sampler, moments, read_answer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def name() -> Iterator[Application]:
    with running("name", SENTENCE_NAMES="Athos (v2),Porthos") as application:
        yield application


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve connections, each in a thread, with a function; yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        def one(connection: socket.socket) -> None:
            with connection:
                while connection.recv(65536):
                    answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        server.shutdown(socket.SHUT_RDWR)


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that tell who asks, and sets a cookie; no user has two requests under way."""

    protocol_version = "HTTP/1.1"
    under_way: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        user = self.headers.get("cookie", "").partition(";")[0]
        assert not user or user not in self.under_way
        self.under_way.add(user)
        body = f"{self.headers.get('cookie')} {self.headers.get('x-test')}".encode()
        time.sleep(0.002)
        self.under_way.discard(user)
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("Set-Cookie", "canary=v2; Max-Age=60")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("connections", ["per-request", "keep-alive"])
def test_users_keep_their_cookies_and_ask_one_after_the_other(echo: str, connections: Any) -> None:
    frame = traffic.sample(echo, users=5, requests=4, concurrency=3, connections=connections)
    assert len(frame) == 20
    for user, rows in frame.groupby("user"):
        first, *later = rows["answer"]
        assert first == f"user={user} None"
        assert later == [f"user={user}; canary=v2 None"] * 3


def test_users_in_the_background_all_ask(echo: str) -> None:
    with traffic.Sampler(echo, rate=500, users=10) as sampler:
        until(lambda: len(sampler.frame()) >= 40)
    assert sorted(sampler.frame()["user"].unique()) == [*range(10)]


def test_headers_go_with_each_request(echo: str) -> None:
    frame = traffic.sample(echo, requests=3, headers={"x-test": "use-v2"})
    assert set(frame["answer"]) == {"None use-v2"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"users": 0}, "users from 1 to 100,000, found 0"),
        ({"headers": {"x test": "a"}}, "found 'x test: a'"),
        ({"headers": {"x-test": "a\r\nhost: b"}}, "Expected headers such as"),
    ],
)
def test_users_and_headers_that_are_none_are_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(TrafficError, match=said):
        traffic.sample("http://127.0.0.1:9/", requests=1, **asked)


def fixed(*pieces: bytes, close: bool = False) -> Callable[[socket.socket], None]:
    """Answer every request with the same bytes, in pieces."""

    def answer(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.002 if len(pieces) > 1 else 0)
        if close:
            connection.shutdown(socket.SHUT_RDWR)

    return answer


@pytest.mark.parametrize("connections", ["per-request", "keep-alive"])
@pytest.mark.parametrize("concurrency", [1, 5])
def test_every_request_is_a_row(name: Application, connections: Any, concurrency: int) -> None:
    before = pd.Timestamp.now("UTC")
    frame = application.sample(name.url, requests=40, connections=connections, concurrency=concurrency)
    assert list(frame.columns) == ["time", "version", "status", "latency_ms", "answer", "error"]
    assert len(frame) == 40
    assert set(frame["status"]) == {200}
    assert set(frame["answer"]) == {"Athos (v2)", "Porthos"}
    assert (frame["version"] == frame["answer"].map({"Athos (v2)": "v2", "Porthos": "unknown"})).all()
    assert frame["error"].isna().all()
    assert frame["latency_ms"].between(0, 5000, inclusive="neither").all()
    assert frame["time"].between(before, pd.Timestamp.now("UTC")).all()
    assert str(frame["time"].dtype) == "datetime64[ns, UTC]"


def test_the_connection_policy_decides_how_many_connections_there_are() -> None:
    seen: set[int] = set()

    def answer(connection: socket.socket) -> None:
        seen.add(connection.getpeername()[1])
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    with answering(answer) as url:
        traffic.sample(url, requests=20, connections="keep-alive", concurrency=2)
        assert len(seen) <= 2
        seen.clear()
        traffic.sample(url, requests=20, connections="per-request")
        assert len(seen) == 20


def test_a_rate_sends_evenly_and_a_seed_sends_the_same_again(name: Application) -> None:
    frame = traffic.sample(name.url, seconds=0.25, rate=200, connections="keep-alive")
    assert len(frame) == 50
    even = [next(slot) for slot in [moments(200, seed=None)] for _ in range(50)]
    assert [b - a for a, b in itertools.pairwise(even)] == pytest.approx([1 / 200] * 49)
    first = [next(slot) for slot in [moments(10, seed=7)] for _ in range(5)]
    assert first == [next(slot) for slot in [moments(10, seed=7)] for _ in range(5)]


@given(st.floats(0.1, 1e4), st.none() | st.integers())
def test_every_moment_lies_in_its_own_slot(rate: float, seed: int | None) -> None:
    due = moments(rate, seed)
    for slot in range(50):
        assert slot / rate <= next(due) <= (slot + 1) / rate


def test_with_a_rate_latency_counts_from_the_intended_moment() -> None:
    def answer(connection: socket.socket) -> None:
        time.sleep(0.02)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    with answering(answer) as url:
        frame = traffic.sample(url, requests=10, rate=100, concurrency=1)
        # Ten requests of 20 ms, of which the last was due after 90 ms.
        assert frame["latency_ms"].iloc[-1] > 100
        unhurried = traffic.sample(url, requests=5, concurrency=1)
    took = (unhurried["time"].iloc[-1] - unhurried["time"].iloc[0]).total_seconds()
    latencies = unhurried["latency_ms"]
    # One after the other, each from its own beginning: together they fill the time and no more.
    assert latencies.iloc[:-1].sum() <= 1000 * took + 1


@pytest.mark.parametrize(
    ("pieces", "close"),
    [
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nAt", b"hos"), False),
        (
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nAt\r",
                b"\n3;x=1\r\nhos\r\n0\r\n\r\n",
            ),
            False,
        ),
        ((b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nAthos",), False),
        ((b"HTTP/1.0 200 OK\r\n\r\nAth", b"os"), True),
        ((b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nAthos",), True),
    ],
    ids=["length", "chunks", "interim", "until-closed", "closing"],
)
@pytest.mark.parametrize("connections", ["per-request", "keep-alive"])
def test_answers_are_read_however_they_are_framed(
    pieces: tuple[bytes, ...], close: bool, connections: Any
) -> None:
    with answering(fixed(*pieces, close=close)) as url:
        frame = traffic.sample(url, requests=3, connections=connections)
    assert list(frame["answer"]) == ["Athos"] * 3
    assert list(frame["version"]) == ["unknown"] * 3


@given(st.binary(max_size=50), st.lists(st.integers(1, 9), max_size=5), st.data())
def test_an_answer_is_complete_only_at_its_last_byte(body: bytes, cuts: list[int], data: Any) -> None:
    if cuts:
        chunks, rest = b"", body
        for size in cuts:
            piece, rest = rest[:size], rest[size:]
            chunks += b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b""
        body = body[: len(body) - len(rest)]
        answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    else:
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    assert read_answer(answer, ended=False) == (200, body, True)
    cut = data.draw(st.integers(0, len(answer) - 1))
    assert read_answer(answer[:cut], ended=False) is None


@pytest.mark.parametrize(
    ("answer", "close", "status", "error"),
    [
        (
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 9\r\n\r\nno health",
            False,
            503,
            "HTTP 503: no health",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nAth", True, 0, "the connection was closed before"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", False, 0, "the answer is not HTTP/1"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n", False, 0, "a chunk has no length"),
    ],
)
def test_failures_are_counted_as_failures(answer: bytes, close: bool, status: int, error: str) -> None:
    with answering(fixed(answer, close=close)) as url:
        frame = traffic.sample(url, requests=3)
    assert list(frame["status"]) == [status] * 3
    assert frame["version"].isna().all()
    assert frame["error"].str.startswith(error).all()


def test_an_answer_that_does_not_come_is_a_failure_too() -> None:
    with answering(fixed(b"", close=False)) as url:
        frame = traffic.sample(url, requests=3, timeout=0.05)
    assert list(frame["status"]) == [0] * 3
    assert frame["version"].isna().all()
    assert set(frame["error"]) == {"no answer within 0.05 s"}


def test_nobody_there_is_a_failure_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    frame = traffic.sample(url, seconds=0.05)
    assert set(frame["error"]) == {"Connection refused"}
    assert set(frame["answer"]) == {""}


def test_a_kept_connection_that_the_server_closes_while_idle_is_no_failure() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        time.sleep(0.005)
        connection.shutdown(socket.SHUT_RDWR)

    with answering(answer) as url:
        # A second is between the two, for a server that gets no processor at once.
        frame = traffic.sample(url, requests=2, rate=1, concurrency=1, connections="keep-alive")
    assert list(frame["status"]) == [200, 200]


def test_kept_connections_that_are_not_used_are_closed() -> None:
    asked = settings("http://127.0.0.1/", None, None, 50, 3, "keep-alive", 1, None)
    with Path(os.devnull).open("wb") as output, socket.create_server(("127.0.0.1", 0)) as server:
        sampler = Sampler(asked, Output(output.fileno()))
        for ended, connection in enumerate(sampler.free):
            connection.socket = socket.create_connection(server.getsockname())
            sampler.selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.ended = ended * IDLE_LIMIT
        sampler.close_idle(2 * IDLE_LIMIT)
        assert [connection.socket is None for connection in sampler.free] == [True, True, False]
        sampler.free[-1].close()


@pytest.mark.parametrize(
    ("url", "arguments", "message"),
    [
        ("http://127.0.0.1/", {}, "either requests or seconds"),
        ("http://127.0.0.1/", {"requests": 1, "seconds": 1}, "either requests or seconds"),
        ("http://127.0.0.1/", {"requests": 0}, "requests above 0, found 0"),
        ("http://127.0.0.1/", {"seconds": 1, "rate": -1}, "rate above 0, found -1"),
        ("http://127.0.0.1/", {"seconds": 1, "concurrency": 501}, "concurrency from 1 to 500, found 501"),
        ("http://127.0.0.1/", {"seconds": 1, "connections": "close"}, "found 'close'"),
        ("https://127.0.0.1/", {"requests": 1}, "a URL such as http://"),
        ("127.0.0.1:80", {"requests": 1}, "a URL such as http://"),
        ("http://127.0.0.1:99999/", {"requests": 1}, "a URL such as http://"),
        ("http://127.0.0.1/", {"requests": 1, "concurrency": 0}, "concurrency from 1 to 500, found 0"),
        ("http://no-such-host.invalid/", {"requests": 1}, "found 'no-such-host.invalid'"),
    ],
)
def test_what_makes_no_sense_is_refused(url: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TrafficError, match=message):
        traffic.sample(url, **arguments)


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("Porthos is 42 years", "v1"),
        ("Porthos (v2) is 42 years", "v2"),
        ("Athos (v3) is 18 years", "v3"),
        ("Constance de Bonacieux is 7 years\n", "v1"),
        ("Porthos is Athos years", "v1"),
        ("Porthos is Athos (v2) years", "v1"),
        ("Porthos (v2) is Athos years", "v2"),
        ("Athos (v2)", "v2"),
        ("Athos", "unknown"),
        ("42", "unknown"),
        ("", "unknown"),
        (" is 42 years", "unknown"),
        ("Porthos is old", "unknown"),
        ("<html><title>It works</title></html>", "unknown"),
        ("Porthos is 42 years\nand so on", "unknown"),
    ],
)
def test_the_mark_and_the_form_tell_the_version(answer: str, version: str) -> None:
    assert application.version_of(answer) == version
    assert application.frame_of([RequestRecord(0, 1.0, 200, answer)])["version"].to_list() == [version]
    assert traffic.frame_of([RequestRecord(0, 1.0, 200, answer)])["version"].to_list() == ["unknown"]


def test_progress_is_told(name: Application) -> None:
    told: list[int] = []
    traffic.sample(name.url, requests=30, on_progress=told.append)
    assert told[-1] == 30


def test_an_empty_sample_has_the_same_columns() -> None:
    full = traffic.frame_of([RequestRecord(1, 1.0, 200, "Athos")])
    assert list(traffic.frame_of([]).dtypes) == list(full.dtypes)


def process_is_gone(pid: int) -> bool:
    """Whether no such process is left; one that the test's container has not reaped yet counts as gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = subprocess.run(["ps", "-o", "ppid=,stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return "Z" in state and int(state.split()[0]) != os.getpid()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_background_sampler_keeps_the_newest_and_stops(name: Application) -> None:
    with traffic.Sampler(name.url, rate=500, ring=20) as sampler:
        until(lambda: len(sampler.frame()) == 20)
        first = sampler.frame()["time"].min()
        until(lambda: sampler.frame()["time"].min() > first)
    assert len(sampler.frame()) == 20
    assert process_is_gone(sampler.pid)
    sampler.stop()


def test_a_background_sampler_ends_with_its_last_reference(name: Application) -> None:
    sampler = traffic.Sampler(name.url, rate=100)
    pid = sampler.pid
    del sampler
    assert process_is_gone(pid)


def test_a_sampler_that_broke_off_says_so(name: Application) -> None:
    sampler = traffic.Sampler(name.url, rate=100)
    os.kill(sampler.pid, signal.SIGKILL)
    until(lambda: sampler._process.ended)
    for _ in range(2):
        with pytest.raises(TrafficError, match="ended before its time: SIGKILL ended it"):
            sampler.frame()
    sampler.stop()
    with pytest.raises(TrafficError, match="SIGKILL"):
        sampler.since(0)


def test_a_background_sampler_that_ends_by_itself_broke_off_too(name: Application) -> None:
    sampler = traffic.Sampler(name.url, rate=100)
    sampler._process.finish()
    until(lambda: sampler._process.ended)
    with pytest.raises(TrafficError, match="it ended by itself"):
        sampler.frame()


def broken_block(url: str) -> None:
    with traffic.Sampler(url, rate=100) as sampler:
        os.kill(sampler.pid, signal.SIGKILL)
        until(lambda: sampler._process.ended)
        raise LookupError("the block's own")


def test_the_error_of_a_block_is_not_hidden_by_the_samplers(name: Application) -> None:
    with pytest.raises(LookupError, match="the block's own") as caught:
        broken_block(name.url)
    assert caught.value.__notes__ == ["The sampler ended before its time: SIGKILL ended it."]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("kata_lib.traffic.GRACE", "kata_lib.traffic.process.GRACE"):
        monkeypatch.setattr(place, 1.0)


def samplers() -> list[psutil.Process]:
    """Return this process's samplers that still run."""
    running = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in running if sampler_process.__file__ in child.cmdline()]


def send(number: signal.Signals) -> None:
    for process in samplers():
        process.send_signal(number)


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, "SIGKILL ended it"), (signal.SIGSTOP, r"within 1\.2 s, found none: it was stopped")],
)
@pytest.mark.usefixtures("impatient")
def test_a_sample_whose_process_dies_or_stops_has_no_rows(
    name: Application, number: signal.Signals, said: str
) -> None:
    with pytest.raises(TrafficError, match=said):
        traffic.sample(name.url, seconds=60, timeout=0.2, on_progress=lambda _: send(number))
    assert samplers() == []


@pytest.mark.usefixtures("impatient")
def test_a_background_sampler_that_is_stopped_says_so_and_is_ended(name: Application) -> None:
    sampler = traffic.Sampler(name.url, rate=100, timeout=0.1)
    until(lambda: len(sampler.frame()) > 0)
    os.kill(sampler.pid, signal.SIGSTOP)
    with pytest.raises(TrafficError, match="found none: it was stopped"):
        until(lambda: not sampler.since(0))
    assert process_is_gone(sampler.pid)


@pytest.mark.usefixtures("impatient")
def test_what_did_not_end_in_order_is_not_taken_for_a_death(name: Application) -> None:
    sampler = traffic.Sampler(name.url, rate=5, timeout=0.01)
    os.kill(sampler.pid, signal.SIGSTOP)
    with pytest.raises(TrafficError, match="it did not end when it was asked to, and was killed"):
        sampler.stop()


def test_an_interrupted_sample_leaves_its_own_error(name: Application) -> None:
    def interrupt(_: int) -> None:
        send(signal.SIGKILL)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        traffic.sample(name.url, seconds=60, rate=50, on_progress=interrupt)


def test_many_interim_answers_are_no_trouble() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5000
    answer = interim + b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    assert read_answer(answer, ended=False) == (200, b"", True)
    assert read_answer(interim, ended=False) is None


CALLER = """
import sys
from kata_lib import traffic
from kata_lib.course import application
sampler = traffic.Sampler(sys.argv[1], rate=100)
print(sampler.pid, flush=True)
traffic.sample(sys.argv[1], seconds=60, rate=10)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_samplers_end_with_their_caller(name: Application, number: signal.Signals) -> None:
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, name.url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    assert caller.stdout
    pid = int(caller.stdout.readline())
    caller.send_signal(number)
    caller.wait(5)
    caller.stdout.close()

    until(lambda: process_is_gone(pid))


def test_the_ring_gives_what_is_new_as_far_as_it_is_kept() -> None:
    ring = traffic._Ring(3)
    records = [RequestRecord(number, 1.0, 200, "") for number in range(5)]
    ring.extend(records[:2])
    assert ring.since(0) == (records[:2], 2)
    ring.extend(records[2:])
    assert ring.since(4) == (records[4:], 5)
    assert ring.since(0) == (records[2:], 5)
    assert ring.since(5) == ([], 5)


def test_a_summary_counts_answers_of_unknown_version_apart() -> None:
    texts = ["Athos is 3 years", "Athos (v2) is 4 years", "It works", "It works"]
    frame = application.frame_of(
        [
            *(RequestRecord(number, 1.0, 200, text) for number, text in enumerate(texts)),
            RequestRecord(9, 1.0, 503, "no"),
        ]
    )
    found = summary.summarize(frame)
    assert {version: seen["count"] for version, seen in found["versions"].items()} == {
        "v1": 1,
        "v2": 1,
        "unknown": 2,
    }
    assert (found["failures"], found["versions"]["unknown"]["share"]) == (1, 0.5)
    assert "unknown       2  50.0 % of 4" in summary.text(found)
