"""While a cell runs in a real kernel, a widget's words are heard, and the cell shows what it waits for."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from kata_lib.machine import PROJECT

LIMIT = 60.0
WIDGET = """
import threading
from comm import create_comm
from kata_lib import shares

heard = threading.Semaphore(0)
comm = create_comm(target_name="jupyter.widget", comm_id="slider")
comm.on_msg(lambda message: heard.release())
"""
BUSY = f"assert heard.acquire(timeout={LIMIT}) and heard.acquire(timeout={LIMIT})"


class Browser:
    """What JupyterLab's page is to a kernel; `subshell` is where it wants its widgets heard."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client
        client.control_channel.send(client.session.msg("create_subshell_request", {}))
        self.subshell = self._next(client.get_control_msg, "create_subshell_reply")["content"]["subshell_id"]

    def run(self, code: str) -> str:
        """Begin to run a cell, and return the id of the message that asked for it."""
        return str(self._client.execute(code))

    def move_slider(self) -> None:
        moved = self._client.session.msg("comm_msg", {"comm_id": "slider", "data": {}})
        moved["header"]["subshell_id"] = self.subshell
        self._client.shell_channel.send(moved)

    def shown(self) -> dict[str, Any]:
        return self._next(self._client.get_iopub_msg, "display_data")

    def result(self) -> dict[str, Any]:
        """Return what the kernel says of the cell in the end."""
        content: dict[str, Any] = self._next(self._client.get_shell_msg, "execute_reply")["content"]
        return content

    def _next(self, receive: Callable[..., dict[str, Any]], kind: str) -> dict[str, Any]:
        while (found := receive(timeout=LIMIT))["msg_type"] != kind:
            pass
        return found


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    manager, client = start_new_kernel(startup_timeout=LIMIT)
    yield Browser(client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_new_widget_is_heard_while_a_cell_runs_which_shows_that_it_does(browser: Browser) -> None:
    browser.run(WIDGET)
    assert browser.result()["status"] == "ok"
    cell = browser.run(BUSY)
    browser.move_slider()
    shown = browser.shown()
    assert "Running" in shown["content"]["data"]["text/html"]
    assert shown["parent_header"]["msg_id"] == cell
    browser.move_slider()
    assert browser.result()["status"] == "ok"
