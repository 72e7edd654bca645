"""The one door to the objects: what the API means by create, update, patch, delete and read.

Flows in: requests of the HTTP handlers and of the daemon's own controllers, kubelet and mesh. Flows out: the
objects as stored, StatusError where a request is refused, and an Event to every subscriber for each change.
Everything is synchronous and in one thread, so a read and the write that follows it cannot be interleaved.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from kata_lib.engines.embedded.registry import crds, deletion, metadata
from kata_lib.engines.embedded.registry.decoding import check_fields
from kata_lib.engines.embedded.registry.patches import APPLY_PATCH, STRATEGIC_MERGE_PATCH, patched
from kata_lib.engines.embedded.registry.recorder import EventRecorder
from kata_lib.engines.embedded.registry.resources import SCALES, Resource
from kata_lib.engines.embedded.registry.selectors import combined
from kata_lib.engines.embedded.registry.served import Resources
from kata_lib.engines.embedded.registry.services import ServiceAddresses, ServiceAllocator
from kata_lib.engines.embedded.registry.status import already_exists, method_not_allowed, not_found
from kata_lib.engines.embedded.registry.writing import (
    Admission,
    Write,
    Writer,
    is_own,
    unsupported,
    without_effect,
)
from kata_lib.engines.embedded.store import Event, Obj, Store

Warnings = list[str] | None
"""Where warnings for the client are put, as one text each."""


class Registry:
    """Objects by resource (its key: the plural), namespace (None for cluster-wide ones) and name.

    `mutations` may change an object before it is defaulted and validated (sidecar injection), `admission` may
    refuse it after that. `addresses` and `bindable` give Services their cluster addresses and node ports.
    `manager` is the field manager's name; `version` the one that the client speaks, by default the stored.
    """

    def __init__(
        self,
        store: Store,
        *,
        addresses: ServiceAddresses,
        bindable: Callable[[int], bool] = lambda port: True,
        clock: Callable[[], datetime] = metadata.utc_now,
        mutations: Sequence[Admission] = (),
        admission: Sequence[Admission] = (),
    ) -> None:
        self.store = store
        self.resources = Resources(store)
        self._clock = clock
        services = ServiceAllocator(addresses, bindable)
        self._writer = Writer(store, self.resources, services, clock, mutations, admission)
        self._recorder = EventRecorder(self, clock)
        self._watched: Counter[str] = Counter()

    def get(self, resource: str, namespace: str | None, name: str) -> Obj:
        """Return the object; raise StatusError 404 if there is none."""
        obj = self.store.get(resource, namespace or "", name)
        if obj is None:
            raise not_found(self.resources.get(resource), name)
        return obj

    def list(
        self,
        resource: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
    ) -> list[Obj]:
        """Return the objects of one or (None) all namespaces that both selectors choose, by name."""
        chosen = combined(self.resources.get(resource), labels, fields)
        return [obj for obj in self.store.each(resource, namespace) if chosen(obj)]

    def create(
        self,
        resource: str,
        namespace: str | None,
        obj: Obj,
        *,
        manager: str,
        version: str | None = None,
        field_validation: str = "",
        warnings: Warnings = None,
        dry_run: bool = False,
    ) -> Obj:
        """Create the object and return it as stored; raise StatusError 409 if its name is taken."""
        kind = self.resources.get(resource, version)
        if kind.unsupported:
            raise unsupported(kind, metadata.said_name(obj))
        new = metadata.own_copy(obj)
        check_fields(kind, self.resources.schema(kind), new, field_validation, warnings, version=version)
        if is_own(kind, own_name := (new.get("metadata") or {}).get("name", "")):
            raise already_exists(kind, own_name)
        made = self._writer.create(Write(kind, manager, version, dry_run=dry_run), namespace, new)
        self._tell(kind, warnings)
        return made

    def update(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        obj: Obj,
        *,
        manager: str,
        subresource: str = "",
        version: str | None = None,
        field_validation: str = "",
        warnings: Warnings = None,
        dry_run: bool = False,
    ) -> Obj:
        """Replace the object (or its status, scale or finalizers) and return it as stored.

        Raises StatusError 409 when the object carries a resourceVersion that is no longer the present one.
        """
        kind = self.resources.get(resource, version)
        if is_own(kind, name):
            return self._standing(name, warnings)
        old = self.resources.coerced(kind, self.get(resource, namespace, name))
        new = metadata.own_copy(obj)
        sent = SCALES if subresource == "scale" else kind
        schema = self.resources.schema(kind, subresource)
        check_fields(
            sent, schema, new, field_validation, warnings, version=None if sent is SCALES else version
        )
        new.setdefault("metadata", {})
        metadata.require_name(name, new)
        metadata.check_same_name(name, new)
        metadata.check_same_uid(kind, old, new)
        if sent is kind:
            metadata.require_version(kind, new)
        return self._writer.update(Write(kind, manager, version, subresource, dry_run), old, new)

    def mutate(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        change: Callable[[Obj], None],
        *,
        manager: str,
        subresource: str = "",
    ) -> Obj | None:
        """Read the object, let `change` alter it, write it; return it as stored, None where it is gone."""
        old = self.store.get(resource, namespace or "", name)
        if old is None:
            return None
        new = metadata.own_copy(old)
        change(new)
        if new == old:
            return old
        write = Write(self.resources.get(resource), manager, subresource=subresource)
        return self._writer.update(write, old, new)

    def patch(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        body: Any,
        content_type: str,
        *,
        manager: str,
        force: bool = False,
        subresource: str = "",
        version: str | None = None,
        field_validation: str = "",
        warnings: Warnings = None,
        dry_run: bool = False,
    ) -> Obj:
        """Apply a patch of the given content type and return the object as stored.

        An apply patch creates the object if it is not there; `force` takes fields over from other managers.
        """
        kind = self.resources.get(resource, version)
        if is_own(kind, name):
            return self._standing(name, warnings)
        write = Write(kind, manager, version, subresource, dry_run)
        if content_type == APPLY_PATCH:
            if kind.unsupported:
                raise unsupported(kind, name)
            applied = metadata.own_copy(body)
            stored = self.store.get(resource, namespace or "", name)
            live = self.resources.coerced(kind, stored) if stored else None
            made = self._writer.apply(write, namespace, name, live, applied, force=force)
            if stored is None:
                self._tell(kind, warnings)
            return made
        old = self.resources.coerced(kind, self.get(resource, namespace, name))
        new = patched(kind, self.resources.schema(kind), old, body, content_type, subresource)
        metadata.require_name(name, new)
        metadata.check_same_name(name, new)
        check_fields(
            SCALES if subresource == "scale" else kind,
            self.resources.schema(kind, subresource),
            new,
            field_validation,
            warnings,
            version=version,
            patched=json.dumps(new, separators=(",", ":"), sort_keys=kind.custom),
            strategic=body if content_type == STRATEGIC_MERGE_PATCH else None,
        )
        return self._writer.update(write, old, new)

    def delete(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        *,
        propagation: str = "Background",
        grace_seconds: int | None = None,
        preconditions: dict[str, Any] | None = None,
        dry_run: bool = False,
    ) -> Obj:
        """Delete the object, or mark it as deleted where a finalizer or a grace period holds it.

        Returns its last state. A pod that runs is gone when it is deleted with `grace_seconds=0`, a namespace
        when its spec.finalizers are emptied (subresource "finalize").
        """
        kind, obj = self.resources.get(resource), self.get(resource, namespace, name)
        if is_own(kind, name):
            raise method_not_allowed(kind)
        deletion.check(kind, obj, preconditions)
        before = metadata.own_copy(obj)
        stays = deletion.mark(kind, obj, propagation, grace_seconds, self._clock())
        if dry_run:
            return obj
        if not stays:
            self.store.delete(resource, namespace or "", name)
            return obj if resource == "pods" else before
        return before if before == obj else self.store.put(resource, namespace or "", name, obj)

    def subscribe(self, callback: Callable[[Event], None], resources: set[str] | None) -> Callable[[], None]:
        """Call back at once for each change of these resources (None: of all); return what ends it."""

        def chosen(event: Event) -> None:
            if resources is None or event.resource in resources:
                callback(event)

        named = resources or set()
        self._watched.update(named)
        unsubscribe = self.store.subscribe(chosen)

        def end() -> None:
            self._watched.subtract(named)
            unsubscribe()

        return end

    def _standing(self, name: str, warnings: Warnings) -> Obj:
        """Return one of the API's own definitions as it stands, and say that it stays."""
        if warnings is not None:
            warnings.append(f"{name} is the embedded engine's own and stays as it is")
        return self.get(crds.KEY, None, name)

    def _tell(self, kind: Resource, warnings: Warnings) -> None:
        """Warn where nobody acts on an object."""
        if warnings is not None and (why := without_effect(kind, watched=self._watched[kind.key] > 0)):
            warnings.append(why)

    def now(self) -> str:
        """Return the present moment as objects hold it."""
        return metadata.timestamp(self._clock())

    def record_event(
        self,
        involved: Obj,
        type_: str,
        reason: str,
        message: str,
        *,
        component: str,
        field_path: str = "",
    ) -> None:
        """Record an Event about an object, or count it where the same one is known."""
        self._recorder.record(involved, type_, reason, message, component=component, field_path=field_path)
