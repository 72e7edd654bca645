"""What a running container's three probes lead to."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from kata_lib.engines.embedded.kubelet import probes
from kata_lib.engines.embedded.kubelet.launchers import Launcher

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
        """Probe until cancelled."""
        try:
            await self._startup()
            await asyncio.gather(self._readiness(), self._liveness())
        except Exception:
            log.exception("the probes of a container failed")

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
