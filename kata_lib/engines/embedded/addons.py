"""Add-ons on the embedded engine: programs of this machine, each as a pod that is a process.

The kubelet starts the program that stands for an image, gives it the cluster's kubeconfig, starts it again
where it ends, and ends it with the cluster; its log is where those of all pods are.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kata_lib.cluster import waiting
from kata_lib.cluster.waiting import Progress
from kata_lib.engines import deployed, kubectl, programs
from kata_lib.engines.addons import Addon, Site
from kata_lib.engines.embedded.images import Image, Images
from kata_lib.engines.embedded.state import SCRAPE_TARGETS, State
from kata_lib.engines.programs import ProgramFailed
from kata_lib.errors import EngineError, WaitTimeout
from kata_lib.files import read_json

READY_SECONDS = 60.0


@dataclass(frozen=True)
class ProcessAddons:
    """The add-ons of an embedded cluster."""

    state: State
    images: Images

    def refused(self, addon: Addon) -> str:
        """Return why an add-on that comes as a container alone cannot run here, "" for any other."""
        if addon.process is not None:
            return ""
        return (
            "The embedded engine runs programs of this machine, and this add-on comes as a container alone. "
            f"{addon.instead} `kata up --engine kind` gives a cluster that can have it."
        )

    def install(self, addon: Addon, progress: Progress) -> None:
        """Install one and wait until it works; see Addons. One that does not come is taken away again."""
        process = addon.process
        assert process is not None, addon.name
        file = Path(programs.program(process.program, process.source)).resolve()
        manifest = "\n---\n".join(map(json.dumps, process.manifests(self._site())))
        self.images.add([process.image], Image((str(file),), client=True, folder=str(self.state.home)))
        progress(f"installing {addon.name}: {file}")
        deployed.apply(self.state.kubeconfig, addon, manifest)
        try:
            waiting.until(partial(self.missing, addon), READY_SECONDS, progress, f"{addon.name} did not work")
        except WaitTimeout as late:
            self._kubectl(addon, "delete", "deployment", addon.deployment)
            raise EngineError(
                f"{late} It is removed; what it wrote is in {self.state.logs / 'pods'}."
            ) from late

    def missing(self, addon: Addon) -> str:
        """Return why one does not work yet, "" where it does."""
        if why := deployed.missing(self.state.kubeconfig, addon):
            return why
        if addon.process is None or not addon.process.works:
            return ""
        try:
            log = self._kubectl(addon, "logs", f"deployment/{addon.deployment}")
        except ProgramFailed as failed:
            return failed.said
        last = (log.splitlines() or ["its log is empty"])[-1]
        return "" if addon.process.works in log else f"{addon.deployment}: {last}"

    @contextmanager
    def opened(self, addon: Addon, port: int) -> Iterator[str]:
        """Give the URL of an add-on's node port."""
        service = json.loads(self._kubectl(addon, "get", "service", addon.deployment, "--output=json"))
        yield f"http://{self._known()['node_address']}:{service['spec']['ports'][0]['nodePort']}/"

    def _site(self) -> Site:
        server, pki = self._known()["server"], self.state.pki
        return Site(self.state.home, server, pki / "token", pki / "ca.pem", f"{server}{SCRAPE_TARGETS}")

    def _known(self) -> dict[str, str]:
        """Return what the daemon wrote down of itself."""
        return read_json(self.state.daemon) or {}

    def _kubectl(self, addon: Addon, *words: str) -> str:
        return kubectl.kubectl(self.state.kubeconfig, *words, f"--namespace={addon.namespace}")
