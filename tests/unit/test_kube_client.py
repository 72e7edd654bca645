"""kata_lib.cluster.client, asking a server that is not ready, as for a kind that was just defined."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from kata_lib.cluster.client import RETRIES, ApiRefused, KubeClient

NOT_READY = {"kind": "Status", "reason": "TooManyRequests", "message": "storage is (re)initializing"}


class Server(ThreadingHTTPServer):
    """Answers 429, "come again", `times` times and then what it was sent; asked: the bodies that came."""

    def __init__(self, times: int) -> None:
        self.times, self.asked = times, list[bytes]()
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(body)
        ready = len(self.server.asked) > self.server.times
        self.send_response(201 if ready else 429)
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body if ready else json.dumps(NOT_READY).encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def client(folder: Path, times: int) -> Iterator[tuple[KubeClient, Server]]:
    with Server(times) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = folder / "kubeconfig"
        config = {
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
            "users": [{"name": "c", "user": {}}],
            "current-context": "c",
        }
        file.write_text(yaml.safe_dump(config))
        yield KubeClient(file), server
        server.shutdown()


def test_a_server_that_is_not_ready_is_asked_again(tmp_path: Path) -> None:
    with client(tmp_path, times=2) as (api, server):
        assert api.request("POST", "/things", {"a": 1}) == {"a": 1}
        assert server.asked == [b'{"a":1}'] * 3


def test_one_that_is_never_ready_has_refused(tmp_path: Path) -> None:
    with client(tmp_path, times=1000) as (api, server):
        with pytest.raises(ApiRefused, match="initializing") as refused:
            api.request("POST", "/things", {"a": 1})
        assert refused.value.code == 429
        assert len(server.asked) == RETRIES + 1
