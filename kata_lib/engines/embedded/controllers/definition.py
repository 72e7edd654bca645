"""CustomResourceDefinitions in, their names and conditions out; and the end of their objects with them."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.objects import being_deleted, key
from kata_lib.engines.embedded.registry import crds
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Event, Obj


class DefinitionController(Controller[str]):
    """Establishes a definition, and deletes its objects before the definition is deleted."""

    name = "kube-apiserver"
    resources: ClassVar[None] = None
    subject = "customresourcedefinitions"

    def items(self, event: Event) -> Iterable[str]:
        if event.resource == crds.KEY and not crds.is_provided(event.object["metadata"]["name"]):
            yield event.object["metadata"]["name"]
            if event.type == "DELETED":  # its names are free
                yield from (other["metadata"]["name"] for other in self._beside(event.object))
        elif event.type == "DELETED" and self.registry.resources.get(event.resource).defined:
            yield event.resource

    def reconcile(self, item: str) -> None:
        definition = self._get(item)
        if definition is None:
            return
        if not being_deleted(definition):
            others = self._beside(definition)
            now = self.registry.now()
            self._write(item, lambda obj: crds.settle(obj, others, now))
        elif crds.CLEANUP in definition["metadata"].get("finalizers", ()) and self._is_empty(item):
            self._write(item, _release)

    def _is_empty(self, resource: str) -> bool:
        """Delete all objects of a defined resource; return whether none is held by a finalizer."""
        if resource not in self.registry.resources:
            return True
        for obj in self.registry.list(resource):
            if not being_deleted(obj):
                self.registry.delete(resource, *key(obj))
        return not self.registry.list(resource)

    def _beside(self, definition: Obj) -> list[Obj]:
        """Return the other definitions of the same group."""
        group, name = definition["spec"]["group"], definition["metadata"]["name"]
        names = [other for _, other in self.registry.store.names(crds.KEY) if other.endswith(f".{group}")]
        found = (self._get(other) for other in names if other != name)
        return [other for other in found if other is not None]

    def _get(self, name: str) -> Obj | None:
        try:
            return self.registry.get(crds.KEY, None, name)
        except StatusError as error:
            if error.code == 404:
                return None
            raise

    def _write(self, name: str, change: Callable[[Obj], None]) -> None:
        self.registry.mutate(crds.KEY, None, name, change, manager=self.name, subresource="status")


def _release(definition: Obj) -> None:
    finalizers = definition["metadata"]["finalizers"]
    definition["metadata"]["finalizers"] = [name for name in finalizers if name != crds.CLEANUP]
