"""Someone of a class without a browser: logs in to a hub by its form, has a server, and runs cells on it."""

import json
import time
import uuid
from dataclasses import dataclass
from functools import cached_property

import requests
import websocket

ANSWER_SECONDS = 60
SERVER_SECONDS = 300
CELL_SECONDS = 300


class KernelDied(Exception):
    """The kernel of a cell ended while the cell ran."""


@dataclass(frozen=True)
class Member:
    """A person with a name and a password at the hub of an address."""

    hub: str
    name: str
    password: str

    @cached_property
    def asks(self) -> requests.Session:
        """What asks the hub and this person's server as this person."""
        form, browser = f"{self.hub}/hub/login", requests.Session()
        browser.get(form, timeout=ANSWER_SECONDS).raise_for_status()
        filled = {
            "username": self.name,
            "password": self.password,
            "_xsrf": str(browser.cookies["_xsrf"]),
        }
        browser.post(f"{form}?next=/hub/home", data=filled, timeout=ANSWER_SECONDS).raise_for_status()
        answer = browser.post(
            f"{self.hub}/hub/api/users/{self.name}/tokens",
            headers={"X-XSRFToken": str(browser.cookies["_xsrf"])},
            json={},
            timeout=ANSWER_SECONDS,
        )
        answer.raise_for_status()
        session = requests.Session()
        session.headers["Authorization"] = f"token {answer.json()['token']}"
        return session

    def servers(self) -> list[bool]:
        """Return for each server that the hub has of this person whether it is ready."""
        answer = self.asks.get(f"{self.hub}/hub/api/users/{self.name}", timeout=ANSWER_SECONDS)
        answer.raise_for_status()
        return [server["ready"] for server in answer.json().get("servers", {}).values()]

    def start(self) -> None:
        """Start this person's server, and wait until it answers."""
        self.__dict__.pop("kernel", None)
        answer = self.asks.post(f"{self.hub}/hub/api/users/{self.name}/server", timeout=ANSWER_SECONDS)
        answer.raise_for_status()
        self._until(lambda: self.servers() == [True], "ready")

    def stop(self) -> None:
        """End this person's server, and wait until the hub has none."""
        answer = self.asks.delete(f"{self.hub}/hub/api/users/{self.name}/server", timeout=ANSWER_SECONDS)
        answer.raise_for_status()
        self._until(lambda: not self.servers(), "ended")

    def _until(self, holds, what: str) -> None:  # type: ignore[no-untyped-def]
        limit = time.monotonic() + SERVER_SECONDS
        while not holds():
            if time.monotonic() > limit:
                raise AssertionError(f"{self.name}'s server was not {what} after {SERVER_SECONDS} s")
            time.sleep(0.5)

    @cached_property
    def kernel(self) -> str:
        """The id of a kernel of this person's, started when it is asked for."""
        answer = self.asks.post(f"{self._server}/api/kernels", json={}, timeout=ANSWER_SECONDS)
        answer.raise_for_status()
        return str(answer.json()["id"])

    @property
    def _server(self) -> str:
        return f"{self.hub}/user/{self.name}"

    def run(self, code: str) -> str:
        """Return what a cell printed; AssertionError where it raised, KernelDied where its kernel ended."""
        url = f"{self._server}/api/kernels/{self.kernel}/channels".replace("http", "ws", 1)
        asks = {"Authorization": str(self.asks.headers["Authorization"])}
        channel = websocket.create_connection(url, header=asks, timeout=CELL_SECONDS)
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
