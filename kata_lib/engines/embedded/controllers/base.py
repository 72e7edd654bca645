"""What every controller is made of: a queue of objects to look at, one at a time, again after a failure.

The registry is in this process and its reads are always current, so a controller needs no cache, and none of
the expectations by which the real ones guard against a stale one.
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar, Generic, TypeVar
from weakref import WeakSet

from kata_lib.engines.embedded.registry import crds
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.retries import back_off
from kata_lib.engines.embedded.store import Event, Obj

log = logging.getLogger(__name__)

FAILED = "FailedSync"
"""The reason of events about what cannot be brought to what is wanted; it is tried again."""

LONG_SECONDS, BREATH_SECONDS = 0.01, 0.002
"""After so much processor time, requests that came meanwhile are read before a controller goes on."""

LAG = 3
"""A request that came during a long write begins before the controllers that look at what was written."""

_BUSY: WeakSet[asyncio.AbstractEventLoop] = WeakSet()
"""Loops in which no controller may reconcile at this moment: one has done so in this turn."""

Item = TypeVar("Item", bound=Hashable)


class Controller(ABC, Generic[Item]):
    """Reconciles the objects that events name. `name` stands in managedFields and events.

    `resources` are those whose events it is told; None means all that are served. An item that cannot be
    reconciled is tried again, later each time; `subject` is the resource of the object whose event says so.
    What an event names is looked at `rest` seconds and LAG turns of the loop after the first such event.
    """

    name: ClassVar[str]
    resources: ClassVar[set[str] | None]
    subject: ClassVar[str] = ""

    def __init__(self, registry: Registry, rest: float = 0.0) -> None:
        self.registry = registry
        self._rest = rest
        self._queue: dict[Item, None] = {}
        self._failures: dict[Item, int] = {}
        self._untold: dict[str, tuple[Obj, str]] = {}
        self._timers: dict[Item, asyncio.TimerHandle] = {}
        self._lagging: dict[Item, asyncio.Handle] = {}
        self._turn: asyncio.Handle | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is queued, or will be."""
        return bool(self._queue or self._lagging)

    @abstractmethod
    def items(self, event: Event) -> Iterable[Item]:
        """Return what an event makes worth looking at."""

    @abstractmethod
    def reconcile(self, item: Item) -> float | None:
        """Bring one item a step closer to what is wanted; return seconds until it must be looked at again."""

    def start(self) -> None:
        """Look at everything there is, then at what changes; needs a running event loop."""
        self._unsubscribe = self.registry.subscribe(self._on_event, self.resources)
        every = [row.key for row in self.registry.resources if not row.unsupported]
        for resource in sorted(every if self.resources is None else self.resources):
            for obj in self._present(resource):
                self._on_event(Event("ADDED", resource, obj, None))

    def _present(self, resource: str) -> list[Obj]:
        """Return what there is of a resource, without the definitions that come with the API: they stay."""
        if resource != crds.KEY:
            return self.registry.list(resource)
        names = (name for _, name in self.registry.store.names(resource) if not crds.is_provided(name))
        return [self.registry.get(resource, None, name) for name in names]

    def stop(self) -> None:
        """Do nothing more."""
        if self._unsubscribe:
            self._unsubscribe()
        for handle in (*self._timers.values(), *self._lagging.values(), self._turn):
            if handle:
                handle.cancel()
        self._queue.clear()

    def look_at(self, item: Item) -> None:
        """Queue the item, once."""
        self._queue[item] = None
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._next)

    def _look_later(self, item: Item) -> None:
        if self._rest:
            loop = asyncio.get_running_loop()
            self._lagging[item] = loop.call_later(self._rest, self._look_after, LAG, item)
        else:
            self._look_after(LAG, item)

    def _look_after(self, turns: int, item: Item) -> None:
        """Queue the item after so many turns of the loop, in which others do what cannot wait."""
        self._lagging.pop(item, None)
        if turns:
            again = asyncio.get_running_loop().call_soon(self._look_after, turns - 1, item)
            self._lagging[item] = again
        else:
            self.look_at(item)

    def _on_event(self, event: Event, failures: int = 0) -> None:
        try:
            for item in self.items(event):
                if item not in self._lagging:
                    self._look_later(item)
        except Exception as error:
            log.error("%s: %s of %s", self.name, event.type, event.resource, exc_info=error)
            self._tell(event.object, error)
            again = back_off(failures + 1)
            asyncio.get_running_loop().call_later(again, self._on_event, event, failures + 1)

    def _next(self) -> None:
        """Reconcile one item, then give the loop a turn; one controller does in each turn."""
        self._turn = None
        if not self._queue:
            return
        loop = asyncio.get_running_loop()
        if loop in _BUSY:
            self._turn = loop.call_soon(self._next)
            return
        _BUSY.add(loop)
        began = time.thread_time()
        try:
            self._take(next(iter(self._queue)))
        finally:
            is_long = time.thread_time() - began > LONG_SECONDS
            loop.call_later(BREATH_SECONDS if is_long else 0.0, _BUSY.discard, loop)
        if self._queue and self._turn is None:
            self._turn = loop.call_soon(self._next)

    def _take(self, item: Item) -> None:
        """Reconcile an item of the queue, and see to it that it is looked at again when it must be."""
        del self._queue[item]
        if timer := self._timers.pop(item, None):
            timer.cancel()
        try:
            again = self.reconcile(item)
            self._failures.pop(item, None)
            self._tell_rest()
        except Exception as error:
            again = self._after_failure(item, error)
        if again is not None:
            self._timers[item] = asyncio.get_running_loop().call_later(again, self.look_at, item)

    def _after_failure(self, item: Item, error: Exception) -> float:
        failures = self._failures[item] = self._failures.get(item, 0) + 1
        if isinstance(error, StatusError):
            log.info("%s: %s: %s", self.name, item, error)
        else:
            log.error("%s: %s", self.name, item, exc_info=error)
            if found := self._subject_of(item):
                self._tell(found, error)
        return back_off(failures)

    def _subject_of(self, item: Item) -> Obj | None:
        """Return the object that an item, a key or a name, stands for."""
        if not self.subject:
            return None
        namespace, name = item if isinstance(item, tuple) else ("", str(item))
        return self.registry.store.get(self.subject, namespace, name)

    def _tell(self, obj: Obj, error: Exception) -> None:
        """Record an event about an object that cannot be reconciled; a full disk takes it later."""
        self._untold[obj["metadata"]["uid"]] = obj, f"{type(error).__name__}: {error}"
        self._tell_rest()

    def _tell_rest(self) -> None:
        for uid, (obj, message) in tuple(self._untold.items()):
            try:
                self.registry.record_event(obj, "Warning", FAILED, message, component=self.name)
            except Exception as failure:
                log.error("%s: no event yet: %s", self.name, failure)
                return
            del self._untold[uid]
