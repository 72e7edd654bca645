"""Someone of a class without a browser: logs in to a hub by its form, has a server, and runs cells on it."""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import httpx2
import websocket

from kata_lib.cluster import waiting

ANSWER_SECONDS = 60
SERVER_SECONDS = 300
CELL_SECONDS = 300


class KernelDied(Exception):
    """The kernel of a cell ended while the cell ran."""


def log_in(client: httpx2.Client, name: str, password: str) -> None:
    """Log a client in by the form of the hub that is its base; AssertionError where the hub refuses."""
    (token,) = re.findall(r'name="_xsrf"\s+value="([^"]+)"', client.get("/hub/login").text)
    form = {"username": name, "password": password, "_xsrf": token}
    assert client.post("/hub/login?next=/hub/home", data=form).url.path == "/hub/home"


def until(holds: Callable[[], object], what: str, seconds: float = SERVER_SECONDS) -> None:
    """Wait for a condition; AssertionError after so many seconds."""
    assert waiting.holds(lambda: bool(holds()), seconds, 0.5), f"not within {seconds} s: {what}"


@dataclass(frozen=True)
class Member:
    """A person with a name and a password at the hub of an address."""

    hub: str
    name: str
    password: str

    @cached_property
    def token(self) -> str:
        """A token of this person's own, which they asked for once they had logged in."""
        with httpx2.Client(base_url=self.hub, follow_redirects=True, timeout=ANSWER_SECONDS) as browser:
            log_in(browser, self.name, self.password)
            of_the_form = browser.cookies.get("_xsrf", path="/hub/") or ""
            answer = browser.post(
                f"/hub/api/users/{self.name}/tokens", headers={"X-XSRFToken": of_the_form}, json={}
            )
        return str(answer.raise_for_status().json()["token"])

    def ask(self, method: str, path: str) -> httpx2.Response:
        """Return what the hub, or this person's server, answers to this person; an error is raised."""
        headers = {"Authorization": f"token {self.token}"}
        answer = httpx2.request(method, f"{self.hub}{path}", headers=headers, timeout=ANSWER_SECONDS)
        return answer.raise_for_status()

    def servers(self) -> list[bool]:
        """Return for each server that the hub has of this person whether it is ready."""
        known = self.ask("GET", f"/hub/api/users/{self.name}").json()
        return [server["ready"] for server in known.get("servers", {}).values()]

    def start(self) -> None:
        """Start this person's server, and wait until it answers."""
        self.__dict__.pop("kernel", None)
        self.ask("POST", f"/hub/api/users/{self.name}/server")
        until(lambda: self.servers() == [True], f"{self.name}'s server")

    def stop(self) -> None:
        """End this person's server, and wait until the hub has none."""
        self.ask("DELETE", f"/hub/api/users/{self.name}/server")
        until(lambda: not self.servers(), f"the end of {self.name}'s server")

    @cached_property
    def kernel(self) -> str:
        """The id of a kernel of this person's, started when it is asked for."""
        return str(self.ask("POST", f"/user/{self.name}/api/kernels").json()["id"])

    def run(self, code: str) -> str:
        """Return what a cell printed; AssertionError where it raised, KernelDied where its kernel ended."""
        server = f"{self.hub}/user/{self.name}".replace("http", "ws", 1)
        channel = websocket.create_connection(
            f"{server}/api/kernels/{self.kernel}/channels",
            header={"Authorization": f"token {self.token}"},
            timeout=CELL_SECONDS,
        )
        try:
            number = uuid.uuid4().hex
            header = {"msg_id": number, "msg_type": "execute_request", "session": number, "username": ""}
            content = {"code": code, "silent": False, "allow_stdin": False, "stop_on_error": True}
            message = {"channel": "shell", "parent_header": {}, "metadata": {}}
            channel.send(json.dumps({**message, "header": {**header, "version": "5.3"}, "content": content}))
            return _printed(channel, number)
        finally:
            channel.close()


def _printed(channel: websocket.WebSocket, number: str) -> str:
    """Return what a kernel printed for a message until it was done."""
    printed: list[str] = []
    while True:
        message = json.loads(channel.recv())
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] in ("restarting", "dead"):
            raise KernelDied
        if message["parent_header"].get("msg_id") != number:
            continue
        if kind == "stream":
            printed.append(content["text"])
        elif kind == "error":
            raise AssertionError("\n".join(content["traceback"]))
        elif kind == "status" and content["execution_state"] == "idle":
            return "".join(printed)
