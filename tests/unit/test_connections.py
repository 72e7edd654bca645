"""kata_lib.cluster.connections: kept open, opened anew, through a proxy, by another name."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from kata_lib.cluster import connections
from kata_lib.cluster.connections import Connections
from kata_lib.cluster.kubeconfig import Access

NAME = "api.example"


class Server(ThreadingHTTPServer):
    """Answers each GET with its path, and passes on what is sent by CONNECT to `behind`.

    opened: how many connections came. met: the destinations of CONNECT, with the credentials.
    """

    daemon_threads = True

    def __init__(self, behind: "Server | None" = None, ends: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind, self.ends = behind, ends
        self.opened, self.met = 0, list[tuple[str, str | None]]()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def finish_request(self, request: object, client_address: object) -> None:
        self.opened += 1
        super().finish_request(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.path}\n".encode() * 2
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.server.ends  # without having said so

    def do_CONNECT(self) -> None:
        self.server.met.append((self.path, self.headers["Proxy-Authorization"]))
        self.send_response(200)
        self.end_headers()
        assert self.server.behind
        with socket.create_connection(("127.0.0.1", self.server.behind.server_port)) as onward:
            back = threading.Thread(target=_pass_on, args=(onward, self.connection))
            back.start()
            _pass_on(self.connection, onward)
            back.join()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # whoever asked has gone
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def server() -> Iterator[Server]:
    yield from served(Server())


def served(made: Server) -> Iterator[Server]:
    with made:
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield made
        made.shutdown()


def to(server: str, trust: ssl.SSLContext | None = None, name: str = "", proxy: str = "") -> Connections:
    trust = trust or ssl.create_default_context()
    return Connections(Access(server, "default", trust, lambda _: "", name, proxy))


def asked(way: Connections, path: str = "/a") -> str:
    return way.send("GET", path, None, {}, 5.0).read().decode()


def test_a_connection_serves_one_request_after_the_other(server: Server) -> None:
    way = to(f"http://{server.address}/clusters/c/")
    assert asked(way, "/a?b=c") == "/clusters/c/a?b=c\n" * 2
    assert asked(way) == "/clusters/c/a\n" * 2
    assert list(way.send("GET", "/a", None, {}, None).lines()) == ["/clusters/c/a"] * 2
    assert server.opened == 1


def test_one_that_the_server_has_closed_is_opened_anew() -> None:
    for server in served(Server(ends=True)):
        way = to(f"http://{server.address}")
        assert [asked(way), asked(way)] == ["/a\n/a\n"] * 2
        assert server.opened == 2


def test_threads_have_connections_of_their_own(server: Server) -> None:
    way = to(f"http://{server.address}")
    first, second = (way.send("GET", path, None, {}, 5.0) for path in ("/a", "/b"))
    assert (second.read(), first.read()) == (b"/b\n/b\n", b"/a\n/a\n")
    assert server.opened == 2


@pytest.mark.parametrize("user", ["", "ada:p%40ss@"])
def test_a_kubeconfigs_proxy_is_gone_through(server: Server, user: str) -> None:
    for proxy in served(Server(behind=server)):
        way = to(f"http://{server.address}", proxy=f"http://{user}{proxy.address}")
        assert asked(way) == "/a\n/a\n"
        assert proxy.met == [(server.address, "Basic YWRhOnBAc3M=" if user else None)]


def test_the_environments_proxy_counts_for_other_machines_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    hosts = ("api.example", "inside.example", "127.9.8.7", "localhost")
    found = [connections._proxy("https", host) for host in hosts]
    assert found == ["http://proxy.example:3128", "", "", ""]


@pytest.fixture
def encrypted(server: Server, tmp_path: Path) -> tuple[Server, ssl.SSLContext]:
    """Return the server by TLS, whose certificate has one name alone, and trust in its authority."""
    authority = trustme.CA()
    ours, theirs = (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    authority.configure_trust(ours)
    authority.issue_cert(NAME).configure_cert(theirs)
    server.socket = theirs.wrap_socket(server.socket, server_side=True)
    return server, ours


def test_a_server_may_be_known_by_another_name(encrypted: tuple[Server, ssl.SSLContext]) -> None:
    server, trust = encrypted
    assert asked(to(f"https://{server.address}", trust, name=NAME)) == "/a\n/a\n"
    with pytest.raises(ssl.SSLCertVerificationError):
        asked(to(f"https://{server.address}", trust))


def test_a_proxy_leads_to_a_server_by_tls(encrypted: tuple[Server, ssl.SSLContext]) -> None:
    server, trust = encrypted
    for proxy in served(Server(behind=server)):
        way = to(f"https://{server.address}", trust, name=NAME, proxy=f"http://{proxy.address}")
        assert asked(way) == "/a\n/a\n"


def test_nobody_there_is_a_failure() -> None:
    with pytest.raises(connections.FAILURES):
        asked(to("http://127.0.0.1:1"))
