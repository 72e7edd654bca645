"""The context engine: a namespace of the learner's own on a cluster that somebody else runs.

kata up    looks whether the cluster serves, makes the namespace, finds the way to the application
kata down  deletes the namespace alone
"""

import contextlib
import uuid
from collections.abc import Sequence
from typing import Any

from kata_lib.cluster.location import Entry, Location
from kata_lib.cluster.waiting import Progress
from kata_lib.engines import forward, ways
from kata_lib.engines.application import Application
from kata_lib.engines.containers import ContainerAddons
from kata_lib.engines.context import inspection, kubeconfig, namespace, reach
from kata_lib.engines.context.settings import ContextSettings
from kata_lib.engines.folder import Folder
from kata_lib.engines.ports import choose
from kata_lib.engines.programs import program
from kata_lib.errors import EngineError, EngineUnavailable, KataError


class ContextEngine:
    """The engine protocol for the cluster `cluster`; see kata_lib/engines/base.py."""

    name = "context"

    def __init__(self, cluster: str, application: Application) -> None:
        self.folder = Folder(cluster)
        self._application = application

    def unavailable(self) -> str | None:
        """Return why this machine cannot run the engine, or None if it can."""
        try:
            program("kubectl")
        except EngineUnavailable as error:
            return str(error)
        if not self._settings.context and self.folder.note() is None:
            return "no context is named: `kata up --engine context --context NAME`, or KATA_CONTEXT"
        return None

    def start(self, progress: Progress) -> Location:
        """Make the learner's namespace, or find it; a cluster that does not serve is left as it is."""
        if reason := self.unavailable():
            raise EngineUnavailable(f"The context engine cannot run here: {reason}.")
        with self.folder.held():
            note = self.folder.note()
            if note and not note["ready"]:  # a start that was killed
                self._unmake(note)
                note = None
            if note is None:
                note = self._make(progress)
            elif self._settings.context not in ("", note["context"]):
                raise EngineError(
                    f"The cluster {self.folder.name!r} is a namespace of the context {note['context']!r}. "
                    "`kata down` removes it; KATA_NAME=other makes another beside it."
                )
            elif not namespace.exists(self.folder.kubeconfig, note["namespace"], note["owner"]):
                progress("the namespace is gone: making it anew")
                namespace.make(self.folder.kubeconfig, note["namespace"], note["owner"], note["learner"])
            return self._location(self._with_way(note))

    def stop(self) -> None:
        """Delete the learner's namespace and nothing else; do nothing where there is none."""
        if not self.folder.logs.is_dir():
            return
        with self.folder.held():
            note = self.folder.note()
            if note is None:
                return
            if namespace.exists(self.folder.kubeconfig, note["namespace"], note["owner"]):
                namespace.delete(self.folder.kubeconfig, note["namespace"])
            if "forward" in note:
                forward.end(tuple(note["forward"]))
            ways.end(self.folder.path)
            self.folder.clear()

    def where(self) -> Location | None:
        """Return where the namespace is, None where there is none or the way to it has ended."""
        note = self.folder.note()
        if note is None or not note["ready"]:
            return None
        if "port" in note and not forward.runs(tuple(note.get("forward", (0, 0.0)))):
            return None
        return self._location(note)

    def load(self, images: Sequence[str], progress: Progress) -> None:
        """Do nothing: the nodes of a cluster that somebody else runs pull what they lack."""

    def addons(self) -> ContainerAddons:
        """Return what installs add-ons from the manifests of their releases."""
        return ContainerAddons(self.folder, self.load)

    def _make(self, progress: Progress) -> dict[str, Any]:
        settings, file = self._settings, self.folder.kubeconfig
        note: dict[str, Any] = {
            "engine": self.name,
            "ready": False,
            "context": settings.context,
            "namespace": settings.namespace,
            "learner": settings.learner,
            "owner": str(uuid.uuid4()),
            "image": settings.image,
        }
        try:
            kubeconfig.copy(settings.kubeconfig, settings.context, settings.namespace, file)
            progress(f"looking at the cluster of the context {settings.context}")
            inspection.require_api(file, settings.context)
            inspection.require_istio(file, settings.context)
            inspection.require_rights(file, settings.namespace, new=True)
            namespace.exists(file, settings.namespace, note["owner"])
            progress(f"making the namespace {settings.namespace}")
            self.folder.write(note)
            namespace.make(file, settings.namespace, note["owner"], settings.learner)
            pod = inspection.injected(file, settings.namespace, self._application.images[0])
            if unseen := inspection.require_room(file, pod, self._application.pods):
                progress(unseen)
            note |= {**self._way(settings), "ready": True}
            self.folder.write(note)
        except BaseException:
            self._unmake(note)
            raise
        return note

    def _unmake(self, note: dict[str, Any]) -> None:
        """Delete the namespace if it is there and ours, as its label tells, and forget it."""
        with contextlib.suppress(KataError):  # what stopped the start is what is told
            if namespace.exists(self.folder.kubeconfig, note["namespace"], note["owner"]):
                namespace.delete(self.folder.kubeconfig, note["namespace"])
        self.folder.clear()

    def _way(self, settings: ContextSettings) -> dict[str, Any]:
        """Return what the note says of the way to the application."""
        if settings.reach.startswith("http://"):
            return {"url": settings.reach}
        if settings.reach != "port-forward":
            if host := reach.node_host(self.folder.kubeconfig):
                return {"node_host": host}
            if settings.reach == "node-port":
                raise EngineError(
                    "No node of the cluster answers from here (KATA_REACH is node-port): "
                    "KATA_REACH=port-forward goes through the API server."
                )
        return {"port": choose(None)}

    def _with_way(self, note: dict[str, Any]) -> dict[str, Any]:
        """Open the port-forward, where that is the way and it is not open."""
        if "port" not in note or ("forward" in note and forward.runs(tuple(note["forward"]))):
            return note
        log = self.folder.logs / "port-forward.log"
        way = forward.Way(note["namespace"], self._application.service, self._application.port, note["port"])
        begun = forward.begin(self.folder.kubeconfig, way, log)
        note = {**note, "forward": list(begun)}
        self.folder.write(note)
        return note

    def _location(self, note: dict[str, Any]) -> Location:
        url = note.get("url") or (f"http://127.0.0.1:{note['port']}/" if "port" in note else "")
        host = note.get("node_host", "127.0.0.1")
        entry = Entry(self._application.service, url) if url else None
        images = {self._application.image: note["image"]} if note["image"] else {}
        return Location(self.folder.kubeconfig, host, entry, images, shared=True)

    @property
    def _settings(self) -> ContextSettings:
        return ContextSettings.read(self.folder.name, self.folder.kubeconfig)
