"""A person's pip settings hold for each installer: index, proxy, certificate; for real, on loopback."""

import base64
import hashlib
import os
import ssl
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import installing
import pip_settings
import pytest
import trustme
from running import SetupError, nothing_known

WHEEL = "kata_probe-1.0-py3-none-any.whl"
UV = Path(sys.executable).with_name("uv")
OUTSIDE = ("PIP_", "UV_", "SSL_CERT", "REQUESTS_CA", "CURL_CA", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""Variables of this machine's own that would say where packages come from."""


@dataclass
class Index:
    """A package index on loopback, which has one package; as a proxy it answers for any host."""

    wheel: bytes
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Each request's path, and its authorization."""

    @contextmanager
    def served(self, tls: ssl.SSLContext | None = None) -> Iterator[int]:
        """Serve, and yield the port."""
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked.append((self.path, self.headers.get("Authorization", "")))
                page = b"" if self.path.endswith(".metadata") else f'<a href="{WHEEL}">{WHEEL}</a>'.encode()
                body = index.wheel if self.path.endswith(".whl") else page
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *said: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            if tls:
                server.socket = tls.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            yield server.server_address[1]
            server.shutdown()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    file = tmp_path_factory.mktemp("index") / WHEEL
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("kata_probe.py", "")
        info = "kata_probe-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: kata-probe\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(
            f"{info}/RECORD", f"kata_probe.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )
    return Index(file.read_bytes())


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The home of a person who has set up nothing yet."""
    for name in os.environ:
        if name.upper().startswith(OUTSIDE):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    (tmp_path / "pip.conf").write_text("[global]\n")
    return tmp_path


@pytest.fixture(params=["uv", "pip"])
def install(request: pytest.FixtureRequest, index: Index, person: Path) -> Callable[[], bool]:
    """Installs the index's package by one of the installers, and returns whether it is there."""

    def install() -> bool:
        index.asked.clear()
        lock, target, log = person / "probe.lock", person / "packages", person / "log"
        lock.write_text(f"kata-probe==1.0 --hash=sha256:{hashlib.sha256(index.wheel).hexdigest()}\n")
        words = ("--target", str(target), *installing.HASHED, "-r", str(lock))
        if request.param == "uv":
            told = pip_settings.for_uv(installing.listed(sys.executable), os.environ)
            assert told is not None
            installing.uv(UV, sys.executable, words, log, told, nothing_known)
        else:
            installing.pip(sys.executable, words, log)
        return (target / "kata_probe.py").exists()

    return install


def set_up(person: Path, **settings: str) -> None:
    """Write the person's pip.conf."""
    lines = (f"{name.replace('_', '-')} = {value}\n" for name, value in settings.items())
    (person / "pip.conf").write_text("[global]\n" + "".join(lines))


def test_the_index_with_its_password(index: Index, person: Path, install: Callable[[], bool]) -> None:
    with index.served() as port:
        set_up(person, index_url=f"http://ada:secret@127.0.0.1:{port}/simple")
        assert install()
    password = base64.b64encode(b"ada:secret").decode()
    assert ("/simple/kata-probe/", f"Basic {password}") in index.asked


def test_the_proxy(index: Index, person: Path, install: Callable[[], bool]) -> None:
    with index.served() as port:
        set_up(
            person,
            proxy=f"127.0.0.1:{port}",
            index_url="http://packages.example/simple",
            trusted_host="packages.example",
        )
        assert install()
    assert index.asked[0][0] == "http://packages.example/simple/kata-probe/"


def test_the_certificate(
    index: Index, person: Path, install: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, tls = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    authority.cert_pem.write_to_path(person / "authority.pem")
    with index.served(tls) as port:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)  # a machine's own may name certificates
        monkeypatch.setenv("PIP_INDEX_URL", f"https://localhost:{port}/simple")
        with pytest.raises(SetupError):
            install()
        assert not index.asked
        monkeypatch.setenv("PIP_CERT", str(person / "authority.pem"))
        assert install()
