"""Events: what happened to an object, told once and counted when it repeats."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kata_lib.engines.embedded.registry.metadata import timestamp
from kata_lib.engines.embedded.store import Obj

if TYPE_CHECKING:
    from kata_lib.engines.embedded.registry.registry import Registry

KEPT = timedelta(hours=1)
"""How long an event is kept, as a real cluster's default is."""


class EventRecorder:
    """Writes core/v1 Events; an event that repeats raises the count of the one that is there."""

    def __init__(self, registry: "Registry", clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._clock = clock

    def record(self, involved: Obj, type_: str, reason: str, message: str, *, component: str) -> None:
        """Record that `reason` happened to `involved`; `type_` is Normal or Warning."""
        now = self._clock()
        namespace = involved["metadata"].get("namespace", "default")
        known = self._registry.list(
            "events", namespace, fields=f"involvedObject.uid={involved['metadata'].get('uid', '')}"
        )
        for event in known:
            if (event["type"], event["reason"], event["message"]) == (type_, reason, message):
                self._repeat(event, timestamp(now), component)
                return
        self._forget(namespace, timestamp(now - KEPT))
        event = _event(involved, type_, reason, message, timestamp(now), component)
        event["metadata"] = {"name": f"{involved['metadata']['name']}.{self._suffix(now)}"}
        self._registry.create("events", namespace, event, manager=component)

    def _suffix(self, now: datetime) -> str:
        """Return what makes an event's name its own and sorts it by time, finer than its whole seconds."""
        return f"{int(now.timestamp() * 1e6) * 1000 + self._registry.store.revision % 1000:x}"

    def _repeat(self, event: Obj, now: str, component: str) -> None:
        def count(event: Obj) -> None:
            event["count"] += 1
            event["lastTimestamp"] = now

        metadata = event["metadata"]
        self._registry.mutate("events", metadata["namespace"], metadata["name"], count, manager=component)

    def _forget(self, namespace: str, before: str) -> None:
        for event in self._registry.list("events", namespace):
            if (event.get("lastTimestamp") or before) < before:
                self._registry.delete("events", namespace, event["metadata"]["name"])


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
