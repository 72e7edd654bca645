"""Add-ons where pods are containers: the release's manifest as it is, and a port-forward to its page."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from kata_lib.cluster import waiting
from kata_lib.cluster.waiting import Progress
from kata_lib.engines import deployed
from kata_lib.engines.addons import Addon
from kata_lib.engines.folder import Folder
from kata_lib.engines.forwarding import port_forward

READY_SECONDS = 180.0


@dataclass(frozen=True)
class ContainerAddons:
    """The add-ons of a real cluster; `load` brings images into it that this machine has."""

    folder: Folder
    load: Callable[[Sequence[str], Progress], None]

    def refused(self, addon: Addon) -> str:
        """Return "": a real cluster can have every add-on."""
        return ""

    def install(self, addon: Addon, progress: Progress) -> None:
        """Install one and wait until its Deployment is available; see Addons."""
        manifest = addon.manifest()
        self.load(images_of(manifest), progress)
        progress(f"installing {addon.name}")
        deployed.apply(self.folder.kubeconfig, addon, manifest)
        waiting.until(partial(self.missing, addon), READY_SECONDS, progress, f"{addon.name} was not ready")

    def missing(self, addon: Addon) -> str:
        """Return why one does not serve yet, "" where it does."""
        return deployed.missing(self.folder.kubeconfig, addon)

    @contextmanager
    def opened(self, addon: Addon, port: int) -> Iterator[str]:
        """Open a port-forward to an add-on's Service while the block runs."""
        assert addon.port is not None
        target = f"service/{addon.deployment}"
        with port_forward(self.folder.kubeconfig, addon.namespace, target, addon.port, port) as address:
            yield f"http://{address}/"


def images_of(manifest: str) -> list[str]:
    """Return the images that a manifest's text names."""
    return sorted(set(re.findall(r'^[\s-]*image: *"?([^"\s]+)', manifest, re.MULTILINE)))
