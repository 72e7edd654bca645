"""A real JupyterHub of deploy/hub with its real proxy, for tests: learners' homes, log-in, and its end."""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from homes import end_clusters, watch_over
from playwright.sync_api import Browser, Page

LEARNERS = ("ada", "bob")
INSTRUCTOR = "ines"
START_SECONDS = 120
END_SECONDS = 60


@dataclass(frozen=True)
class Hub:
    """A hub that serves: its address, the folder of learners' homes, and a browser."""

    url: str
    homes: Path
    browser: Browser

    def workshop(self, learner: str) -> Path:
        """Return the folder in which a learner works."""
        return self.homes / learner / "canary-kata"

    def log_in(self, name: str) -> Page:
        """Return a page of a person's own browser, logged in."""
        page = self.browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
        page.set_default_timeout(90_000)
        page.goto(f"{self.url}/hub/login?next=/hub/home")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill("any")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/hub/home")
        return page


@contextmanager
def hub(browser: Browser) -> Iterator[Hub]:
    """Serve a hub; whatever it and its learners started has ended afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hub-"))
    folder.chmod(0o711)  # homes are in it, and their owners pass through
    homes = folder / "homes"
    homes.mkdir(mode=0o711)
    clusters = [homes / name / "canary-kata" / ".kata" for name in LEARNERS]
    for home in clusters:
        watch_over(home)
    process = HubProcess("jupyterhub_config.py", folder, {"KATA_TEST_HOMES": str(homes)})
    try:
        process.start()
        yield Hub(process.url, homes, browser)
    finally:
        process.end()
        for home in filter(Path.is_dir, clusters):
            end_clusters(home)
        shutil.rmtree(folder)


class HubProcess:
    """The process of a hub, which may be ended and started again: same ports, same data base."""

    def __init__(self, config: str, folder: Path, settings: dict[str, str]) -> None:
        """Take a configuration of this folder, the folder in which the hub runs, and further settings."""
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.culler_token = secrets.token_hex(16)
        self._command = [
            str(Path(sys.executable).with_name("jupyterhub")),
            f"--config={Path(__file__).with_name(config)}",
        ]
        self._log = folder / "hub.log"
        self._settings = {
            "KATA_HUB_URL": self.url,
            "KATA_BOARD_AT": f"http://127.0.0.1:{_free_port()}",
            "KATA_INSTRUCTORS": INSTRUCTOR,
            "KATA_TEST_HUB_PORT": str(_free_port()),
            "KATA_TEST_PROXY_PORT": str(_free_port()),
            "KATA_TEST_CULLER_TOKEN": self.culler_token,
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the hub, and wait until it serves."""
        with self._log.open("w") as out:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, **self._settings},
                stdout=out,
                stderr=out,
                cwd=self._log.parent,
            )
        _until_running(self._process, self._log)

    def end(self) -> None:
        """End the hub as an administrator does."""
        if self._process:
            _end(self._process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _until_running(process: "subprocess.Popen[bytes]", log: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        if re.search("JupyterHub is now running", log.read_text()):
            return
        time.sleep(0.1)
    raise AssertionError(f"The hub did not start: {log.read_text()}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a hub as an administrator does; what outlives it is killed."""
    started = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
    for left in psutil.wait_procs(started, 1)[1]:
        with suppress(psutil.NoSuchProcess):
            left.kill()
    process.kill()
    process.wait()
