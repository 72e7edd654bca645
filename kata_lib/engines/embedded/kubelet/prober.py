"""What a running container's three probes lead to."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass

from kata_lib.engines.embedded.kubelet import probes
from kata_lib.engines.embedded.kubelet.launchers import Launcher
from kata_lib.engines.embedded.retries import back_off

FIRST_RETRY = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prober:
    """Startup first, then readiness and liveness side by side.

    `unhealthy` hears each failure with the probe's name, `kill` that the container must be started again.
    """

    launcher: Launcher
    started: Callable[[], None]
    ready: Callable[[bool], None]
    unhealthy: Callable[[str, str], None]
    kill: Callable[[str], None]

    async def run(self) -> None:
        """Probe until cancelled; where that fails, say so and begin again, later each time."""
        for failures in itertools.count(1):
            try:
                async with asyncio.TaskGroup() as probing:
                    await self._startup()
                    probing.create_task(self._readiness())
                    probing.create_task(self._liveness())
                return
            except Exception as error:
                log.exception("the probes of a container failed")
                self._say(error)
                await asyncio.sleep(back_off(failures, FIRST_RETRY))

    def _say(self, error: Exception) -> None:
        first = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        with contextlib.suppress(Exception):  # the log has it
            self.unhealthy("readiness", f"{type(first).__name__}: {first}")

    async def _startup(self) -> None:
        if found := self.launcher.probe("startupProbe"):
            async for success in probes.results(*found, self._tell("startup"), probes.START_PATIENCE):
                if success:
                    break
                self.kill("startup")
        self.started()

    async def _readiness(self) -> None:
        found = self.launcher.probe("readinessProbe")
        if found is None:
            self.ready(True)
            return
        async for success in probes.results(*found, self._tell("readiness"), probes.START_PATIENCE):
            self.ready(success)

    async def _liveness(self) -> None:
        if found := self.launcher.probe("livenessProbe"):
            async for success in probes.results(*found, self._tell("liveness")):
                if not success:
                    self.kill("liveness")

    def _tell(self, probe: str) -> Callable[[str], None]:
        return lambda message: self.unhealthy(probe, message)
