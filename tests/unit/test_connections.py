"""kata_lib.cluster.connections: by the standard library as by lightkube, and which is taken where."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from kata_lib.cluster.client import KubeClient
from kata_lib.cluster.connections import connect, loopback
from kata_lib.cluster.connections.connection import Connection, NoAnswer, Request
from kata_lib.cluster.connections.loopback import Loopback
from kata_lib.errors import ClusterError

JSON = {"Accept": "application/json"}


class Server(ThreadingHTTPServer):
    """Answers each request with its token, method, path and body, a line each.

    encrypted: by TLS. closes: each connection after its answer, without having said so. breaks: in the middle
    of a body. silent: until the end. opened: how many connections came.
    """

    daemon_threads = True

    def __init__(
        self,
        authority: trustme.CA,
        encrypted: bool = True,
        closes: bool = False,
        breaks: bool = False,
        silent: bool = False,
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.closes, self.breaks, self.opened = closes, breaks, 0
        self.speaks = threading.Event()
        if not silent:
            self.speaks.set()
        self.address = f"http{'s' if encrypted else ''}://127.0.0.1:{self.server_port}"
        if encrypted:
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1").configure_cert(trust)
            self.socket = trust.wrap_socket(self.socket, server_side=True)

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.opened += 1
        super().finish_request(request, client_address)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        said = "\n".join((self.headers["Authorization"], self.command, self.path, sent)).encode()
        self.server.speaks.wait(60)
        self.send_response(200)
        self.send_header("Retry-After", "7")
        self.send_header("Content-Length", str(len(said) + self.server.breaks))
        self.end_headers()
        self.wfile.write(said)
        self.close_connection = self.server.closes or self.server.breaks

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def running(server: Server) -> Iterator[Server]:
    with server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.speaks.set()
        server.shutdown()


@pytest.fixture
def server(authority: trustme.CA, request: pytest.FixtureRequest) -> Iterator[Server]:
    yield from running(Server(authority, **getattr(request, "param", {})))


def kubeconfig(server: str, authority: trustme.CA) -> dict[str, Any]:
    """Return a kubeconfig as the embedded engine's."""
    data = base64.b64encode(authority.cert_pem.bytes()).decode()
    trust = {"certificate-authority-data": data} if server.startswith("https") else {}
    return {
        "clusters": [{"name": "c", "cluster": {"server": server, **trust}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "ada"}}],
        "current-context": "here",
    }


@pytest.fixture(params=[json.dumps, yaml.safe_dump], ids=["loopback", "anywhere"])
def file(request: pytest.FixtureRequest, server: Server, authority: trustme.CA, tmp_path: Path) -> Path:
    """Return a kubeconfig that is asked by the standard library, or by lightkube since it is YAML."""
    written = tmp_path / "kubeconfig"
    written.write_text(request.param(kubeconfig(server.address, authority)))
    return written


@pytest.fixture
def way(file: Path) -> Connection:
    return connect(file)


@pytest.mark.parametrize("server", [{}, {"encrypted": False}], ids=["https", "http"], indirect=True)
def test_a_request_and_its_answer(way: Connection, server: Server) -> None:
    answer = way.send(Request("POST", "/a?b=c", JSON, b"body"))
    assert answer.read() == b"Bearer secret\nPOST\n/a?b=c\nbody"
    assert (answer.status, answer.retry_after, way.server, way.namespace) == (200, "7", server.address, "ada")


def test_one_connection_serves_many_requests(way: Connection, server: Server) -> None:
    for _ in range(3):
        way.send(Request("GET", "/a", JSON)).read()
    lines = way.send(Request("POST", "/a", JSON, b"end", seconds=None)).lines()
    assert list(lines) == ["Bearer secret", "POST", "/a", "end"]
    assert server.opened == 1


@pytest.mark.parametrize("server", [{"closes": True}], indirect=True)
def test_one_that_the_server_closed_is_opened_anew(way: Connection, server: Server) -> None:
    for _ in range(3):
        assert way.send(Request("GET", "/a", JSON)).read().startswith(b"Bearer secret\nGET\n")
    assert server.opened == 3


def test_two_answers_at_once_have_connections_of_their_own(way: Connection, server: Server) -> None:
    first, second = (way.send(Request("GET", path, JSON)) for path in ("/a", "/b"))
    assert (b"/b" in second.read(), b"/a" in first.read(), server.opened) == (True, True, 2)


@pytest.mark.parametrize("server", [{"breaks": True}], indirect=True)
def test_an_answer_that_breaks_off_is_none(way: Connection, file: Path) -> None:
    with pytest.raises(NoAnswer):
        way.send(Request("GET", "/a", JSON)).read()
    with pytest.raises(NoAnswer):
        list(way.send(Request("GET", "/a", JSON)).lines())
    with pytest.raises(ClusterError, match="does not answer at https://127"):
        KubeClient(file).text("/a")


def test_a_server_of_another_authority_is_not_trusted(authority: trustme.CA, tmp_path: Path) -> None:
    for other in running(Server(trustme.CA())):
        for form in (json.dumps, yaml.safe_dump):
            (tmp_path / "kubeconfig").write_text(form(kubeconfig(other.address, authority)))
            with pytest.raises(NoAnswer, match="certificate"):
                connect(tmp_path / "kubeconfig").send(Request("GET", "/a", JSON))


@pytest.mark.parametrize("server", [{"silent": True}], indirect=True)
def test_a_silent_server_is_waited_for_so_long(way: Connection) -> None:
    with pytest.raises(NoAnswer, match="timed out"):
        way.send(Request("GET", "/a", JSON, seconds=0.05))


def test_nobody_is_there(authority: trustme.CA, tmp_path: Path) -> None:
    for form in (json.dumps, yaml.safe_dump):
        (tmp_path / "kubeconfig").write_text(form(kubeconfig("https://127.0.0.1:1", authority)))
        with pytest.raises(NoAnswer, match="refused"):
            connect(tmp_path / "kubeconfig").send(Request("GET", "/a", JSON))


@pytest.mark.parametrize("server", [{}, {"encrypted": False}], ids=["https", "http"], indirect=True)
def test_a_websocket_gets_address_login_and_trust(way: Connection, server: Server) -> None:
    address, headers, trust = way.websocket("/a?b=c")
    assert address == f"{server.address.replace('http', 'ws')}/a?b=c"
    assert headers == ["Authorization: Bearer secret"]
    assert trust.verify_mode == ssl.CERT_REQUIRED


ELSEWHERE: dict[str, dict[str, dict[str, str]]] = {
    "another machine": {"cluster": {"server": "https://192.0.2.7:6443"}},
    "a name": {"cluster": {"server": "https://localhost:6443"}},
    "below a path": {"cluster": {"server": "https://127.0.0.1:6443/clusters/c"}},
    "trusted, and not encrypted": {"cluster": {"server": "http://127.0.0.1:6443"}},
    "by another name": {"cluster": {"tls-server-name": "api.example"}},
    "through a proxy": {"cluster": {"proxy-url": "http://127.0.0.1:3128"}},
    "not judged": {"cluster": {"insecure-skip-tls-verify": "true"}},
    "a certificate": {"user": {"client-certificate": "/none"}},
    "a password": {"user": {"username": "ada"}},
    "another's name": {"user": {"as": "root"}},
}


@pytest.mark.parametrize("more", ELSEWHERE.values(), ids=ELSEWHERE)
def test_more_than_a_token_on_the_loopback_is_lightkubes(
    more: dict[str, dict[str, str]], authority: trustme.CA, tmp_path: Path
) -> None:
    file, config = tmp_path / "kubeconfig", kubeconfig("https://127.0.0.1:6443", authority)
    file.write_text(json.dumps(config))
    assert isinstance(connect(file), Loopback)
    for part, fields in more.items():
        config[f"{part}s"][0][part] |= fields
    file.write_text(json.dumps(config))
    assert loopback.access(file) is None


@pytest.mark.parametrize("damage", ["current-context", "clusters", "users", "contexts"])
def test_what_cannot_be_read_is_left_to_lightkube_to_say(
    damage: str, authority: trustme.CA, tmp_path: Path
) -> None:
    file, config = tmp_path / "kubeconfig", kubeconfig("https://127.0.0.1:6443", authority)
    values: tuple[Any, ...] = ([], None, "x", 3)
    for value in values:
        file.write_text(json.dumps(config | {damage: value}))
        assert loopback.access(file) is None
    assert loopback.access(tmp_path / "none") is None


def test_another_context_is_chosen_by_its_name(authority: trustme.CA, tmp_path: Path) -> None:
    file, config = tmp_path / "kubeconfig", kubeconfig("https://127.0.0.1:6443", authority)
    config["contexts"].append({"name": "there", "context": {"cluster": "c", "user": "u"}})
    file.write_text(json.dumps(config))
    assert (connect(file).namespace, connect(file, "there").namespace) == ("ada", "default")
    with pytest.raises(ClusterError, match="'nowhere' not found"):
        connect(file, "nowhere")
