"""The application, as a process of its own: answers, errors, forwarding, and how it ends."""

import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from application_process import SOURCE, Application, running


@pytest.fixture(scope="module")
def age() -> Iterator[Application]:
    with running("age") as application:
        yield application


@pytest.fixture(scope="module")
def name() -> Iterator[Application]:
    with running("name", SENTENCE_NAMES="Athos (v2),Porthos (v2)") as application:
        yield application


def get(
    application: Application, path: str = "/", method: str = "GET", body: str | None = None, **headers: str
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", application.port, timeout=5)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer = response.status, response.read().decode()
    connection.close()
    return answer


def exchange(application: Application, request: bytes) -> bytes:
    """Send bytes and return all that comes back until the service closes the connection."""
    with socket.create_connection(("127.0.0.1", application.port), timeout=5) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(4096), b""))


class Recorder(BaseHTTPRequestHandler):
    """Answers what the test sets, and keeps the requests."""

    protocol_version = "HTTP/1.1"
    answer = (200, b"Aramis")
    chunked = False
    cookie = ""

    def do_GET(self) -> None:
        self.server.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))  # type: ignore[attr-defined]
        status, body = self.answer
        self.send_response(status)
        if self.cookie:
            self.send_header("Set-Cookie", self.cookie)
        if self.chunked:
            self.send_header("transfer-encoding", "chunked")
            body = b"3\r\n" + body[:3] + b"\r\n%x\r\n" % len(body[3:]) + body[3:] + b"\r\n0\r\n\r\n"
        else:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


class RecordingServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handler: type[Recorder]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.handler = handler
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/"


@pytest.fixture
def recorder() -> Iterator[RecordingServer]:
    class Handler(Recorder):
        pass

    server = RecordingServer(Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_sentence_is_made_of_a_name_and_an_age(age: Application, name: Application) -> None:
    with running("sentence", SENTENCE_AGE_SVC_URL=age.url, SENTENCE_NAME_SVC_URL=name.url) as sentence:
        status, text = get(sentence)
    assert status == 200
    assert re.fullmatch(r"(Athos|Porthos) \(v2\) is \d+ years\n", text)


@pytest.mark.parametrize("path", ["/", "/anything?x=1"])
def test_every_path_answers(age: Application, path: str) -> None:
    status, text = get(age, path)
    assert status == 200
    assert 18 <= int(text) <= 80


def test_health(age: Application) -> None:
    assert get(age, "/healthz") == (200, "ok\n")


def test_head_answers_without_a_body(age: Application) -> None:
    assert get(age, method="HEAD") == (200, "")


def test_other_methods_are_refused_and_the_connection_stays(age: Application) -> None:
    two = exchange(
        age,
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
        b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n",
    )
    assert re.findall(rb"HTTP/1.1 (\d+)", two) == [b"405", b"200"]


@pytest.mark.parametrize("length", [b"x", b"-5"])
def test_a_malformed_request_is_answered_with_400(age: Application, length: bytes) -> None:
    answer = exchange(age, b"GET / HTTP/1.1\r\ncontent-length: " + length + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_request_that_arrives_byte_by_byte_is_answered(age: Application) -> None:
    with socket.create_connection(("127.0.0.1", age.port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n":
            connection.send(bytes([byte]))
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")


def test_the_proxy_gets_absolute_urls_and_what_traces_and_routes(recorder: RecordingServer) -> None:
    with running("sentence", http_proxy=recorder.url) as sentence:
        headers = {"x-request-id": "7", "end-user": "jason", "traceparent": "00-1", "x-canary": "always"}
        dropped = {"x-forwarded-for": "1.2.3.4", "x-envoy-attempt-count": "1", "accept": "text/plain"}
        assert get(sentence, **headers, **dropped) == (200, "Aramis is Aramis years\n")
    assert {path for path, _ in recorder.seen} == {"http://age:5000/", "http://name:5000/"}
    for path, seen in recorder.seen:
        assert seen == {"host": path.split("/")[2], **headers}


@pytest.mark.parametrize(("mode", "answer"), [("age", "25"), ("name", "Porthos")])
def test_a_third_tier_chooses_and_gets_the_headers_too(
    mode: str, answer: str, recorder: RecordingServer
) -> None:
    recorder.handler.answer = (200, b"7")
    with running(mode, SENTENCE_RANDOM_SVC_URL=recorder.url) as tier:
        assert get(tier, **{"x-request-id": "9", "authorization": "mine"}) == (200, f"{answer}\n")
    ((path, seen),) = recorder.seen
    assert path == "/"
    assert seen.items() >= {"x-request-id": "9", "authorization": "mine"}.items()


def test_a_third_tier_that_answers_no_number_is_named(recorder: RecordingServer) -> None:
    with running("age", SENTENCE_RANDOM_SVC_URL=recorder.url) as tier:
        assert get(tier) == (502, "random answered no number: Aramis\n")


def test_the_third_tier_answers_a_number_and_takes_its_time_for_a_wrong_authorization() -> None:
    with running("random") as tier:
        status, text = get(tier)
        assert (status, text.strip().isdecimal()) == (200, True)
        began = time.monotonic()
        get(tier, authorization="12345")
        assert time.monotonic() - began >= 0.7


def test_the_bug_sends_a_wrong_authorization_on(recorder: RecordingServer) -> None:
    with running("sentence", http_proxy=recorder.url, SENTENCE_AUTH_BUG_PROBABILITY="1") as sentence:
        get(sentence, authorization="mine")
    assert {seen["authorization"] for _, seen in recorder.seen} == {"12345"}


def test_an_answer_takes_as_long_as_it_is_told_to() -> None:
    with running("age", SENTENCE_SVC_DELAY_MIN="0.2", SENTENCE_SVC_DELAY_MAX="0.3") as age:
        began = time.monotonic()
        get(age)
        assert time.monotonic() - began >= 0.2


def test_cookies_come_back_from_the_services_behind(recorder: RecordingServer) -> None:
    recorder.handler.cookie = "canary=v2"
    with running("sentence", http_proxy=recorder.url) as sentence:
        answer = exchange(sentence, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert b"\r\nset-cookie: canary=v2\r\n" in answer


def test_headers_and_cookies_end_where_they_are_not_forwarded(recorder: RecordingServer) -> None:
    recorder.handler.cookie = "canary=v2"
    request = b"GET / HTTP/1.1\r\nhost: a\r\nx-test: use-v2\r\nconnection: close\r\n\r\n"
    with running("sentence", http_proxy=recorder.url, FORWARD_HEADERS="no") as sentence:
        answer = exchange(sentence, request)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"set-cookie" not in answer
    assert [[*seen] for _, seen in recorder.seen] == [["host"], ["host"]]


def test_connections_to_the_proxy_are_kept_and_one_that_was_closed_is_replaced(
    recorder: RecordingServer,
) -> None:
    with running("sentence", http_proxy=recorder.url) as sentence:
        for _ in range(3):
            assert get(sentence)[0] == 200
        recorder.handler.protocol_version = "HTTP/1.0"  # closes after each answer
        for _ in range(3):
            assert get(sentence)[0] == 200


def test_a_chunked_answer_is_understood(recorder: RecordingServer) -> None:
    recorder.handler.chunked = True
    with running("sentence", http_proxy=recorder.url) as sentence:
        assert get(sentence) == (200, "Aramis is Aramis years\n")


@pytest.mark.parametrize(("status", "passed_on"), [(503, 503), (504, 504), (500, 502), (404, 502)])
def test_an_error_of_a_service_is_passed_on(recorder: RecordingServer, status: int, passed_on: int) -> None:
    recorder.handler.answer = (status, b"no healthy upstream")
    with running("sentence", http_proxy=recorder.url) as sentence:
        got, text = get(sentence)
    assert got == passed_on
    assert re.fullmatch(rf"(age|name) answered {status}: no healthy upstream\n", text)


def test_a_service_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    with running("sentence", SENTENCE_AGE_SVC_URL=url, SENTENCE_NAME_SVC_URL=url) as sentence:
        status, text = get(sentence)
    assert status == 502
    assert text.startswith("127.0.0.1 did not answer: ")


def test_a_faulty_version_fails_for_its_share() -> None:
    with running("name", ERROR_RATE="1", SENTENCE_NAMES="Athos (v3)") as name:
        assert get(name) == (500, "Athos (v3) failed, as ERROR_RATE asks\n")
        assert get(name, "/healthz")[0] == 200


def test_a_version_fails_for_some_users_and_for_these_always() -> None:
    with running("name", ERROR_RATE="0.5", ERROR_RATE_OF="users") as name:
        found = [[get(name, cookie=f"canary=v2; user={user}")[0] for _ in range(3)] for user in range(20)]
    assert {tuple(statuses) for statuses in found} == {(200, 200, 200), (500, 500, 500)}


def test_a_version_turns_bad_some_time_after_its_first_request() -> None:
    with running("name", ERROR_RATE="1", ERRORS_AFTER="0.2") as name:
        begun = time.monotonic()
        assert get(name, "/healthz")[0] == 200
        statuses = [get(name)[0]]
        while statuses[-1] == 200 and time.monotonic() < begun + 5:
            statuses.append(get(name)[0])
        assert statuses[0] == 200, "the first request begins it"
        assert statuses[-1] == 500
        assert time.monotonic() - begun >= 0.2


def test_answers_that_wait_for_each_other_are_late_only_where_there_are_many() -> None:
    with running("name", ONE_AT_A_TIME="0.05") as name, ThreadPoolExecutor(10) as callers:
        begun = time.monotonic()
        assert [status for status, _ in callers.map(lambda _: get(name), range(10))] == [200] * 10
        assert time.monotonic() - begun >= 0.5


def test_what_a_store_was_brought_is_counted_and_the_record_before_comes_back() -> None:
    with running("store") as store:
        assert get(store) == (200, "0\n")
        assert get(store, method="POST", body="name=Athos") == (200, "\n")
        assert get(store, method="POST", body="name=Porthos") == (200, "name=Athos\n")
        assert get(store) == (200, "2\n")


def test_a_version_cannot_read_what_a_newer_one_has_written() -> None:
    with running("store") as store:
        shared = {"STORE_URL": store.url, "SENTENCE_NAMES": "Athos"}
        with running("name", **shared) as old, running("name", **shared, STORE_FORMAT="2") as new:
            assert [get(name)[0] for name in (old, old, new, new)] == [200] * 4
            assert get(old) == (500, "Athos cannot read the record before, which is of format 2\n")
            assert get(old)[0] == 200
        assert get(store) == (200, "6\n")


def test_a_store_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    with running("name", STORE_URL=url) as name:
        assert get(name)[0] == 502


def test_sigterm_answers_what_is_under_way_and_closes_what_is_idle() -> None:
    with running("age", DELAY="0.3") as age:
        idle = socket.create_connection(("127.0.0.1", age.port), timeout=5)
        busy = socket.create_connection(("127.0.0.1", age.port), timeout=5)
        idle.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
        busy.sendall(b"GET / HTTP/1.1\r\n\r\n")
        age.process.send_signal(signal.SIGTERM)
        assert idle.recv(4096) == b""
        answer = b"".join(iter(lambda: busy.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b"connection: close" in answer
        assert age.process.wait(timeout=5) == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", age.port), timeout=5)
        idle.close()
        busy.close()


def test_an_unknown_mode_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, str(SOURCE)],
        env={"SENTENCE_MODE": "names"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "SENTENCE_MODE is 'names'; it must be sentence, age, name, random or store" in done.stderr
