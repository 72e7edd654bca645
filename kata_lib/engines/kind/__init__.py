"""The kind engine: a real Kubernetes and a real Istio in one container, made step by step or not at all.

kata up    the steps of `_steps`, in order; what one of them leaves half-made is removed
kata down  removes the cluster; images stay in Docker, where another cluster may be about to load them, and so
           does kind's network `kind`
"""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kata_lib.cluster.location import Entry, Location
from kata_lib.cluster.waiting import Progress
from kata_lib.engines import gateway_api, ports, ways
from kata_lib.engines.application import Application
from kata_lib.engines.containers import ContainerAddons
from kata_lib.engines.folder import Folder
from kata_lib.engines.kind import images, istio, needs
from kata_lib.engines.kind.images import ImageStore
from kata_lib.engines.kind.nodes import AlreadyThere, Nodes
from kata_lib.engines.kind.settings import KindSettings
from kata_lib.engines.kubectl import kubectl
from kata_lib.errors import EngineError, EngineUnavailable, KataError

Action = tuple[str, Callable[[], object]]


class KindEngine:
    """The engine protocol for the cluster `cluster`; see kata_lib/engines/base.py."""

    name = "kind"

    def __init__(self, cluster: str, application: Application) -> None:
        self.folder = Folder(cluster)
        self._application = application

    def unavailable(self) -> str | None:
        """Return why this machine cannot run the engine, or None if it can."""
        if not re.fullmatch(r"[a-z0-9-]+", self.folder.name):
            name = self.folder.name
            return f"kind takes names of small letters, digits and dashes, not {name!r}: set KATA_NAME"
        return needs.lacking(KindSettings.read())

    def start(self, progress: Progress) -> Location:
        """Make the cluster, or find the one that runs; what one that was never ready left goes first."""
        if reason := self.unavailable():
            raise EngineUnavailable(f"The kind engine cannot run here: {reason}.")
        with self.folder.held():
            self._refuse_what_is_not_ours()
            note = self.folder.note()
            if note and note.get("port") and (state := self._nodes().state()):
                if not state["Running"]:
                    self._nodes().start(progress)
                self._renew_image(note, progress)
                return self._location(note)
            if note:
                progress("removing what an earlier start left")
                self._remove()
            return self._make(progress)

    def stop(self) -> None:
        """Remove the cluster and nothing else; do nothing where we made none."""
        if not self.folder.logs.is_dir():
            return
        with self.folder.held():
            if self.folder.note() is None:
                return
            if reason := needs.lacking(KindSettings.read()):
                raise EngineError(f"The cluster cannot be removed: {reason}.")
            self._refuse_what_is_not_ours()
            self._remove()

    def where(self) -> Location | None:
        """Return where the cluster is, None where its node does not run."""
        note = self.folder.note()
        if not note or not note.get("port"):
            return None
        try:
            state = self._nodes().state()
        except EngineError:  # no Docker, no node
            return None
        return self._location(note) if state and state["Running"] and state["Id"] == note["node"] else None

    def load(self, images: Sequence[str], progress: Progress) -> None:
        """Load those of the images into the node that this machine has; the node pulls the others."""
        store = ImageStore(self._settings, self.folder.engine_log)
        if local := [image for image in images if store.has(image)]:
            progress(f"loading {', '.join(local)}")
            store.load(self.folder.name, local, self.folder.work, progress)

    def addons(self) -> ContainerAddons:
        """Return what installs add-ons from the manifests of their releases."""
        return ContainerAddons(self.folder, self.load)

    def _make(self, progress: Progress) -> Location:
        port = ports.choose(self._settings.port)
        self.folder.write({"engine": self.name})
        title = ""
        try:
            for title, action in self._steps(port, progress):
                progress(title)
                action()
            node = self._nodes().state()
            if node is None:
                raise EngineError(f"The container {self._nodes().container} is gone.")
        except AlreadyThere:
            self.folder.clear()
            raise
        except BaseException as error:
            said = self._undo(progress, logs=isinstance(error, Exception))
            if not isinstance(error, KataError | OSError):
                raise
            raise EngineError(f'kind: the step "{title}" failed. {error}\n{said}') from error
        note = {"engine": self.name, "port": port, "node": node["Id"], "app": self._application.digest()}
        self.folder.write(note)
        return self._location(note)

    def _steps(self, port: int, progress: Progress) -> list[Action]:
        nodes, settings = self._nodes(), self._settings
        node_port = self._application.node_port
        store = ImageStore(settings, self.folder.engine_log)
        return [
            ("get the node's image", lambda: store.require(settings.node_image, "KATA_NODE_IMAGE", progress)),
            ("build the application's image", lambda: store.build(self._application, progress)),
            ("create the cluster", lambda: nodes.create(settings.node_image, node_port, port, progress)),
            ("wait for the cluster", lambda: nodes.await_ready(progress)),
            ("load images into the node", lambda: self._load(store, progress)),
            ("install the Gateway API's kinds", lambda: gateway_api.install(self.folder.kubeconfig)),
            (
                "install Istio",
                lambda: istio.install(self.folder.kubeconfig, settings, self.folder.engine_log, progress),
            ),
        ]

    def _load(self, store: ImageStore, progress: Progress) -> None:
        """Load the application, and what of Istio this machine has already: the node pulls the rest."""
        local = [image for image in istio.images(self._settings) if store.has(image)]
        store.load(
            self.folder.name, [*images.full_names(self._application), *local], self.folder.work, progress
        )

    def _renew_image(self, note: dict[str, Any], progress: Progress) -> None:
        """Bring a changed application into a cluster that runs; its pods are made anew from it."""
        if note["app"] == self._application.digest():
            return
        progress("the application has changed: building and loading it")
        store = ImageStore(self._settings, self.folder.engine_log)
        store.build(self._application, progress)
        store.load(self.folder.name, images.full_names(self._application), self.folder.work, progress)
        kubectl(self.folder.kubeconfig, "rollout", "restart", "deployment", "--namespace=default")
        self.folder.write({**note, "app": self._application.digest()})

    def _undo(self, progress: Progress, *, logs: bool) -> str:
        """Remove what a failed start has made; return where the logs are."""
        said = f"What was said: {self.folder.engine_log}."
        if logs and (place := self._exported(progress)):
            said += f" The node's logs (kind export logs): {place}."
        progress("removing what was made")
        try:
            self._remove()
        except (KataError, OSError) as error:
            return f"{said} What was made could not be removed: {error} `kata down` tries again."
        return f"{said} Nothing of the cluster was left."

    def _exported(self, progress: Progress) -> Path | None:
        """Save the node's logs and return where; None where there is no node, or no room for them."""
        place = self.folder.logs / "kind"
        try:
            if self._nodes().state() is None:
                return None
            progress("saving the node's logs")
            self._nodes().export(place)
        except (KataError, OSError):
            shutil.rmtree(place, ignore_errors=True)
            return None
        return place

    def _remove(self) -> None:
        ways.end(self.folder.path)
        self._nodes().end_creation()
        self._nodes().delete()
        self.folder.clear()

    def _refuse_what_is_not_ours(self) -> None:
        """Leave a kind cluster alone that this folder has not made, or that was made anew since."""
        note, name = self.folder.note(), self.folder.name
        if name not in self._nodes().names():
            return
        state = self._nodes().state()
        if note is None or (note.get("node") and state and state["Id"] != note["node"]):
            raise EngineError(
                f"There is a kind cluster {name!r} that the workshop did not make; it stays as it is. "
                "Choose another name: KATA_NAME=other."
            )

    def _location(self, note: dict[str, Any]) -> Location:
        application, url = self._application, f"http://127.0.0.1:{note['port']}/"
        entry = Entry(application.service, url, application.node_port)
        return Location(self.folder.kubeconfig, "127.0.0.1", entry)

    def _nodes(self) -> Nodes:
        return Nodes(
            self.folder.name,
            self._settings.provider,
            self.folder.kubeconfig,
            self.folder.engine_log,
            self.folder.work,
        )

    @property
    def _settings(self) -> KindSettings:
        return KindSettings.read()
