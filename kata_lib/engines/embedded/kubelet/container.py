"""One container of a pod: a process that is started, watched, probed, and started again when it ends."""

import asyncio
import itertools
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kata_lib.engines.embedded import processes
from kata_lib.engines.embedded.kubelet.environment import ConfigError
from kata_lib.engines.embedded.kubelet.launchers import ImageError, Launcher
from kata_lib.engines.embedded.kubelet.prober import Prober
from kata_lib.engines.embedded.objects import timestamp
from kata_lib.engines.embedded.processes import Identity
from kata_lib.engines.embedded.retries import back_off
from kata_lib.engines.embedded.store import Obj

log = logging.getLogger(__name__)

BACK_OFF_FIRST = 10.0
BACK_OFF_LAST = 300.0
BACK_OFF_RESET = 600.0
PULL_BACK_OFF = 2.0
START_RETRY = 1.0
KILL_LIMIT = 5.0
UNSEEN_EXIT = 137
ID_SCHEME = "process://"

Event = Callable[[str, str, str], None]
"""Records an event: type, reason, message."""


@dataclass
class Container:
    """`changed` is called after each change of `status`; `restarts` says whether an exit code restarts it."""

    spec: Obj
    launcher: Launcher
    changed: Callable[[], None]
    event: Event
    pod_name: str
    restarts: Callable[[int], bool]
    process: Identity | None = None
    attempt: int = 0
    started: bool = False
    ready: bool = False
    state: dict[str, Any] = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: dict[str, Any] = field(default_factory=dict)
    was_started: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _probing: asyncio.Task[None] | None = None
    _stopping: bool = False
    _ends: int = 0
    _id: str = ""

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    def adopt(self, status: Obj) -> None:
        """Take over what an earlier daemon wrote: its process if it lives, else an end that nobody saw."""
        self.attempt = status["restartCount"]
        self._id = status.get("containerID", "")
        self.last = status.get("lastState", {})
        if "running" not in status["state"]:
            if "terminated" in status["state"]:
                self.state = status["state"]
            self._ends = self.attempt  # a loop of crashes goes on where it was
            return
        process = Identity.parse(self._id.removeprefix(ID_SCHEME))
        self.state = status["state"]
        if processes.alive(process):
            self.process, self.started, self.ready = process, status["started"], status["ready"]
            if self.started:
                self.was_started.set()
            return
        self._terminated(
            UNSEEN_EXIT,
            "ContainerStatusUnknown",
            "The container could not be located when the node came back",
        )
        self._again()

    def status(self) -> dict[str, Any]:
        """Return the container's entry of the pod's status."""
        return {
            **({"containerID": self._id} if self._id else {}),
            "image": self.spec["image"],
            "imageID": self.spec["image"] if self._id else "",
            "lastState": self.last,
            "name": self.name,
            "ready": self.ready,
            "restartCount": self.attempt,
            "started": self.started,
            "state": self.state,
        }

    async def run(self) -> None:
        """Keep the container as its pod wants it; ends when it is not to be started again."""
        failures = 0
        while "terminated" not in self.state and not self._stopping:
            try:
                await self._live()
                failures = 0
            except Exception as error:
                log.exception("container %s of %s", self.name, self.pod_name)
                self.event("Warning", "FailedSync", f"{type(error).__name__}: {error}")
                failures += 1
                await asyncio.sleep(back_off(failures, START_RETRY))

    async def _live(self) -> None:
        """Start the process unless it runs, and see its end."""
        if self.process is None:
            await self._back_off()
            if self._stopping:
                return
            await self._start()
        code = await self._watch()
        if not self._stopping:
            self._report(code)

    async def stop(self, grace: float) -> None:
        """End the process with SIGTERM, after `grace` seconds with SIGKILL, and do not start it again.

        Raises TimeoutError where even that does not end it.
        """
        self._stopping = True
        if self._probing:
            self._probing.cancel()
        if self.process is None:
            return
        processes.signal_group(self.process, signal.SIGTERM)
        try:
            await asyncio.wait_for(self._ended.wait(), grace)
        except TimeoutError:
            processes.signal_group(self.process, signal.SIGKILL)
            await asyncio.wait_for(self._ended.wait(), KILL_LIMIT)

    async def _start(self) -> None:
        """Start the process; where it cannot start, say why and try again, later each time."""
        for failures in itertools.count(1):
            try:
                self._running(self.launcher.launch(self.attempt))
                return
            except ImageError as error:
                await self._no_image(error)
            except Exception as error:
                reason = "CreateContainerError"
                if isinstance(error, ConfigError):
                    reason = "CreateContainerConfigError"
                elif not isinstance(error, OSError):
                    log.exception("container %s of %s", self.name, self.pod_name)
                self._wait(reason, str(error))
                self.event("Warning", "Failed", f"Error: {error}")
                await asyncio.sleep(back_off(failures, START_RETRY))

    async def _no_image(self, error: ImageError) -> None:
        image = self.spec["image"]
        self._wait(error.reason, str(error))
        if error.reason == "ErrImageNeverPull":
            self.event("Warning", "ErrImageNeverPull", str(error))
            self.event("Warning", "Failed", "Error: ErrImageNeverPull")
        else:
            self.event("Normal", "Pulling", f'Pulling image "{image}"')
            self.event("Warning", "Failed", f'Failed to pull image "{image}": {error}')
            self.event("Warning", "Failed", "Error: ErrImagePull")
            await asyncio.sleep(PULL_BACK_OFF)
            self._wait("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {error}')
            self.event("Normal", "BackOff", f'Back-off pulling image "{image}"')
            self.event("Warning", "Failed", "Error: ImagePullBackOff")
        await asyncio.Event().wait()  # the table of images does not change while the daemon runs

    def _wait(self, reason: str, message: str) -> None:
        self.state = {"waiting": {"reason": reason, "message": message}}
        self.changed()

    def _running(self, process: Identity) -> None:
        self.process = process
        self._ended.clear()
        self._id = f"{ID_SCHEME}{process}"
        self.state = {"running": {"startedAt": timestamp()}}
        there = "already present on machine and can be accessed by the pod"
        self.event("Normal", "Pulled", f'Container image "{self.spec["image"]}" {there}')
        self.event("Normal", "Created", "Container created")
        self.event("Normal", "Started", "Container started")
        self.changed()

    async def _watch(self) -> int | None:
        """Probe the process until it ends; return its exit code, None where nobody saw it."""
        assert self.process
        begun = asyncio.get_running_loop().time()
        prober = Prober(self.launcher, self._set_started, self._set_ready, self._unhealthy, self._kill)
        self._probing = asyncio.create_task(prober.run())
        try:
            code = await processes.wait(self.process)
        finally:
            self._probing.cancel()
        if asyncio.get_running_loop().time() - begun > BACK_OFF_RESET:
            self._ends = 0
        self.process = None
        self.ready = self.started = False
        self._ended.set()
        return code

    def _report(self, code: int | None) -> None:
        if code is None:
            message = "The container could not be located when the node looked for it"
            self._terminated(UNSEEN_EXIT, "ContainerStatusUnknown", message)
        else:
            shown = code if code >= 0 else 128 - code
            self._terminated(shown, "Completed" if shown == 0 else "Error", "")
        if self.restarts(self.state["terminated"]["exitCode"]):
            self._again()
        self.changed()

    def _terminated(self, code: int, reason: str, message: str) -> None:
        running = self.state["running"]
        self.state = {
            "terminated": {
                "exitCode": code,
                "reason": reason,
                "startedAt": running["startedAt"],
                "finishedAt": timestamp(),
                "containerID": self._id,
                **({"message": message} if message else {}),
            }
        }

    def _again(self) -> None:
        """Record `state` as the last end, and let the container wait for its next start."""
        self.last = self.state
        self.attempt += 1
        self._ends += 1
        self.state = {"waiting": {"reason": "ContainerCreating"}}

    async def _back_off(self) -> None:
        """Wait before the next start: not at all before the first two, then longer each time."""
        if self._ends < 2:
            return
        wait = min(BACK_OFF_FIRST * 2 ** (self._ends - 2), BACK_OFF_LAST)
        message = f"restarting failed container={self.name} pod={self.pod_name}"
        self._wait("CrashLoopBackOff", f"back-off {wait:g}s {message}")
        self.event(
            "Warning", "BackOff", f"Back-off restarting failed container {self.name} in pod {self.pod_name}"
        )
        await asyncio.sleep(wait)

    def _set_started(self) -> None:
        if self.process is None:  # it has ended, and its probes are about to learn that
            return
        self.was_started.set()
        if not self.started:
            self.started = True
            self.changed()

    def _set_ready(self, ready: bool) -> None:
        if self.process is not None and self.ready != ready:
            self.ready = ready
            self.changed()

    def _unhealthy(self, probe: str, message: str) -> None:
        self.event("Warning", "Unhealthy", f"{probe.capitalize()} probe failed: {message}")

    def _kill(self, probe: str) -> None:
        self.event("Normal", "Killing", f"Container {self.name} failed {probe} probe, will be restarted")
        if self.process:
            processes.signal_group(self.process, signal.SIGKILL)
