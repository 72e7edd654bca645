"""Events: what happened to an object, told once and counted when it repeats."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from kata_lib.engines.embedded.registry.metadata import timestamp
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Obj, Store

KEPT = timedelta(hours=1)
"""How long an event is kept, as a real cluster's default is."""

SWEEP_EVERY = timedelta(minutes=1)
REMEMBERED = 1000
"""Of how many events it is known that they are there, so that a repetition is counted."""


class EventStore(Protocol):
    """Where events are kept: a registry, as far as they need one."""

    store: Store

    def list(self, resource: str) -> list[Obj]: ...

    def create(self, resource: str, namespace: str, obj: Obj, *, manager: str) -> Obj: ...

    def mutate(
        self, resource: str, namespace: str, name: str, change: Callable[[Obj], None], *, manager: str
    ) -> Obj | None: ...

    def delete(self, resource: str, namespace: str, name: str) -> Obj: ...


class EventRecorder:
    """Writes core/v1 Events; an event that repeats raises the count of the one that is there."""

    def __init__(self, registry: EventStore, clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._clock = clock
        self._names: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._next_sweep = clock()

    def record(
        self,
        involved: Obj,
        type_: str,
        reason: str,
        message: str,
        *,
        component: str,
        field_path: str = "",
    ) -> None:
        """Record that `reason` happened to `involved`; `type_` is Normal or Warning.

        `field_path` says to which part of it.
        """
        now = self._clock()
        self._sweep(now)
        metadata = involved["metadata"]
        namespace = metadata.get("namespace", "default")
        key = (namespace, metadata.get("uid", ""), type_, reason, message, component, field_path)
        if self._repeat(namespace, self._names.get(key, ""), timestamp(now), component):
            return
        event = _event(involved, type_, reason, message, timestamp(now), component)
        if field_path:
            event["involvedObject"]["fieldPath"] = field_path
        event["metadata"] = {"name": f"{metadata['name']}.{self._suffix(now)}"}
        self._names[key] = event["metadata"]["name"]
        if len(self._names) > REMEMBERED:
            self._names.popitem(last=False)
        try:
            self._registry.create("events", namespace, event, manager=component)
        except StatusError as error:
            if error.code not in (403, 404):  # a namespace that ends takes no more events
                raise

    def _suffix(self, now: datetime) -> str:
        """Return what makes an event's name its own and sorts it by time, finer than its whole seconds."""
        return f"{int(now.timestamp() * 1e6) * 1000 + self._registry.store.revision % 1000:x}"

    def _repeat(self, namespace: str, name: str, now: str, component: str) -> bool:
        def count(event: Obj) -> None:
            event["count"] += 1
            event["lastTimestamp"] = now

        return bool(name and self._registry.mutate("events", namespace, name, count, manager=component))

    def _sweep(self, now: datetime) -> None:
        """Delete the events whose time is over, once in a while."""
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_EVERY
        before = timestamp(now - KEPT)
        for event in self._registry.list("events"):
            if (event.get("lastTimestamp") or event.get("eventTime") or before) < before:
                self._registry.delete("events", event["metadata"]["namespace"], event["metadata"]["name"])


def _event(involved: Obj, type_: str, reason: str, message: str, now: str, component: str) -> Obj:
    metadata = involved["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion") if key in metadata}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": {"apiVersion": involved["apiVersion"], "kind": involved["kind"], **kept},
        "type": type_,
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "reportingComponent": component,
        "reportingInstance": "",
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
