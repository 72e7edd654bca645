"""Objects whose owners are gone in, deletions out; and deletions that wait for what they own.

Background: an owner goes at once, what it owned follows. Foreground: the owner waits, under a finalizer,
until what blocks it is gone. Orphan: what is owned stays and forgets its owner.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, ClassVar

from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.objects import being_deleted, key
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Event, Obj

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"

Item = tuple[str, str, str]
"""Resource, namespace and name."""


class GarbageCollector(Controller[Item]):
    """Knows who owns what by uid, from the events of every resource but events themselves."""

    name = "kube-controller-manager"
    resources: ClassVar[None] = None

    def __init__(self, registry: Registry) -> None:
        super().__init__(registry)
        self._owned: dict[str, set[Item]] = defaultdict(set)
        self._leaving: dict[str, Item] = {}

    def _subject_of(self, item: Item) -> Obj | None:
        return self.registry.store.get(*item)

    def items(self, event: Event) -> Iterable[Item]:
        if event.resource == "events":
            return
        metadata = event.object["metadata"]
        item = (event.resource, *key(event.object))
        owners = {owner["uid"] for owner in metadata.get("ownerReferences", ())}
        former = {
            owner["uid"] for owner in (event.old or event.object)["metadata"].get("ownerReferences", ())
        }
        if event.type == "DELETED":
            self._leaving.pop(metadata["uid"], None)
            for uid in owners | former:
                self._owned[uid].discard(item)
                yield from self._waiting(uid)
            yield from self._owned.get(metadata["uid"], set()).copy()
            self._owned.pop(metadata["uid"], None)
            return
        for uid in former - owners:
            self._owned[uid].discard(item)
            yield from self._waiting(uid)
        for uid in owners:
            self._owned[uid].add(item)
        if being_deleted(event.object):
            self._leaving[metadata["uid"]] = item
        if owners or being_deleted(event.object):
            yield item

    def _waiting(self, uid: str) -> Iterable[Item]:
        """Yield the owner of this uid if it waits for what it owns."""
        if uid in self._leaving:
            yield self._leaving[uid]

    def reconcile(self, item: Item) -> None:
        obj = self._find(*item)
        if obj is None:
            return
        finalizers = obj["metadata"].get("finalizers", ())
        if being_deleted(obj) and ORPHAN in finalizers:
            for owned in self._dependents(obj):
                self._disown(owned, {obj["metadata"]["uid"]})
            self._release(item, ORPHAN)
        elif being_deleted(obj) and FOREGROUND in finalizers:
            self._delete_foreground(item, obj)
        elif not being_deleted(obj):
            self._check_owners(item, obj)

    def _delete_foreground(self, item: Item, obj: Obj) -> None:
        blocking = False
        for owned in self._dependents(obj):
            found = self._find(*owned)
            if found is None:
                continue
            uid = obj["metadata"]["uid"]
            references = found["metadata"].get("ownerReferences", ())
            blocking |= any(ref["uid"] == uid and ref.get("blockOwnerDeletion") for ref in references)
            if not being_deleted(found):
                self.registry.delete(*owned, propagation="Foreground")
        if not blocking:
            self._release(item, FOREGROUND)

    def _check_owners(self, item: Item, obj: Obj) -> None:
        references = obj["metadata"].get("ownerReferences", ())
        gone = {ref["uid"] for ref in references if self._is_gone(ref, obj["metadata"].get("namespace", ""))}
        if gone and len(gone) == len(references):
            self.registry.delete(*item, propagation="Background")
        elif gone:
            self._disown(item, gone)

    def _is_gone(self, reference: dict[str, Any], namespace: str) -> bool:
        """Return whether an owner is gone; an owner of a kind that is not served counts as there."""
        resource = self.registry.resources.of_kind(reference["apiVersion"], reference["kind"])
        if resource is None:
            return False
        owner = self._find(resource.key, namespace if resource.namespaced else "", reference["name"])
        return owner is None or owner["metadata"]["uid"] != reference["uid"]

    def _dependents(self, obj: Obj) -> list[Item]:
        return sorted(self._owned.get(obj["metadata"]["uid"], ()))

    def _disown(self, item: Item, uids: set[str]) -> None:
        def write(obj: Obj) -> None:
            kept = [ref for ref in obj["metadata"].get("ownerReferences", ()) if ref["uid"] not in uids]
            obj["metadata"]["ownerReferences"] = kept

        self.registry.mutate(*item, write, manager=self.name)

    def _release(self, item: Item, finalizer: str) -> None:
        def write(obj: Obj) -> None:
            obj["metadata"]["finalizers"] = [
                name for name in obj["metadata"]["finalizers"] if name != finalizer
            ]

        self.registry.mutate(*item, write, manager=self.name)

    def _find(self, resource: str, namespace: str, name: str) -> Obj | None:
        if resource not in self.registry.resources:
            return None
        try:
            return self.registry.get(resource, namespace or None, name)
        except StatusError as error:
            if error.code == 404:
                return None
            raise
