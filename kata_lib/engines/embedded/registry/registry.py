"""The one door to the objects: what the API means by create, update, patch, delete and read.

Flows in: requests of the HTTP handlers and of the daemon's own controllers, kubelet and mesh. Flows out: the
objects as stored, StatusError where a request is refused, and an Event to every subscriber for each change.
Everything is synchronous and in one thread, so a read and the write that follows it cannot be interleaved.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from kata_lib.engines.embedded.registry import deletion, metadata, patches
from kata_lib.engines.embedded.registry.decoding import check_fields
from kata_lib.engines.embedded.registry.recorder import EventRecorder
from kata_lib.engines.embedded.registry.resources import RESOURCES, SCALES, Resource
from kata_lib.engines.embedded.registry.schemas import schema_for
from kata_lib.engines.embedded.registry.selectors import combined
from kata_lib.engines.embedded.registry.services import ServiceAddresses, ServiceAllocator
from kata_lib.engines.embedded.registry.status import (
    Cause,
    bad_request,
    invalid,
    not_found,
    unsupported_patch,
)
from kata_lib.engines.embedded.registry.subresources import scale_of
from kata_lib.engines.embedded.registry.writing import Admission, Write, Writer, unsupported
from kata_lib.engines.embedded.store import Event, Obj, Store

Warnings = list[str] | None
"""Where warnings for the client are put, as one text each."""

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


class Registry:
    """Objects by resource (its plural), namespace (None for cluster-wide ones) and name.

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
        clock: Callable[[], datetime] = utc_now,
        mutations: Sequence[Admission] = (),
        admission: Sequence[Admission] = (),
    ) -> None:
        self.store = store
        self._clock = clock
        self._writer = Writer(store, ServiceAllocator(addresses, bindable), clock, mutations, admission)
        self._recorder = EventRecorder(self, clock)

    def get(self, resource: str, namespace: str | None, name: str) -> Obj:
        """Return the object; raise StatusError 404 if there is none."""
        obj = self.store.get(resource, namespace or "", name)
        if obj is None:
            raise not_found(RESOURCES[resource], name)
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
        chosen = combined(RESOURCES[resource], labels, fields)
        return [obj for obj in self.store.list(resource, namespace) if chosen(obj)]

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
        kind = RESOURCES[resource]
        if kind.unsupported:
            raise unsupported(kind, (obj.get("metadata") or {}).get("name", ""))
        new = metadata.own_copy(obj)
        check_fields(kind, new, field_validation, warnings, version=version)
        return self._writer.create(Write(kind, manager, version, dry_run=dry_run), namespace, new)

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
        kind, old = RESOURCES[resource], self.get(resource, namespace, name)
        new = metadata.own_copy(obj)
        sent = SCALES if subresource == "scale" else kind
        check_fields(sent, new, field_validation, warnings, version=None if sent is SCALES else version)
        metadata.check_same_name(name, new)
        metadata.check_same_uid(kind, old, new)
        _require_version(kind, new)
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
        return self._writer.update(Write(RESOURCES[resource], manager, subresource=subresource), old, new)

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
        kind = RESOURCES[resource]
        write = Write(kind, manager, version, subresource, dry_run)
        if content_type == APPLY_PATCH:
            if kind.unsupported:
                raise unsupported(kind, name)
            applied = metadata.own_copy(body)
            live = self.store.get(resource, namespace or "", name)
            return self._writer.apply(write, namespace, name, live, applied, force=force)
        old = self.get(resource, namespace, name)
        new = _patched(kind, old, body, content_type, subresource)
        metadata.check_same_name(name, new)
        check_fields(
            SCALES if subresource == "scale" else kind,
            new,
            field_validation,
            warnings,
            version=version,
            patched=json.dumps(new, separators=(",", ":")),
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
        kind, obj = RESOURCES[resource], self.get(resource, namespace, name)
        deletion.check(kind, obj, preconditions)
        before = metadata.own_copy(obj)
        stays = deletion.mark(kind, obj, propagation, grace_seconds, self._clock())
        if dry_run:
            return obj
        if not stays:
            self.store.delete(resource, namespace or "", name)
            return obj if resource == "pods" else before
        return before if before == obj else self.store.put(resource, namespace or "", name, obj)

    def subscribe(self, callback: Callable[[Event], None], resources: set[str]) -> Callable[[], None]:
        """Call back at once for each change of these resources; return what ends it."""

        def chosen(event: Event) -> None:
            if event.resource in resources:
                callback(event)

        return self.store.subscribe(chosen)

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
        action: str = "",
    ) -> None:
        """Record an Event about an object, or count it where the same one is known."""
        self._recorder.record(
            involved, type_, reason, message, component=component, field_path=field_path, action=action
        )


def _patched(kind: Resource, old: Obj, body: Any, content_type: str, subresource: str) -> Obj:
    base = scale_of(old) if subresource == "scale" else old
    if content_type == JSON_PATCH:
        new = patches.json_patch(base, body)
    elif content_type == MERGE_PATCH:
        new = patches.merge_patch(base, body)
    elif content_type == STRATEGIC_MERGE_PATCH and not kind.custom:
        schema = schema_for("scales" if subresource == "scale" else kind.plural)
        new = patches.strategic_merge_patch(base, body, schema)
    else:
        strategic = () if kind.custom else (STRATEGIC_MERGE_PATCH,)
        raise unsupported_patch(content_type, [JSON_PATCH, MERGE_PATCH, *strategic, APPLY_PATCH])
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise bad_request("the patch leaves no object")
    patched: Obj = new
    return patched


def _require_version(kind: Resource, obj: Obj) -> None:
    if kind.custom and not obj["metadata"].get("resourceVersion"):
        message = "Invalid value: 0: must be specified for an update"
        cause = Cause("metadata.resourceVersion", "FieldValueInvalid", message)
        raise invalid(kind.plural, kind.group, obj["metadata"].get("name", ""), [cause])
