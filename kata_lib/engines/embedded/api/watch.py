"""Watches: a stream of events, one JSON object a line, from a resource version or from the present state."""

import asyncio
import contextlib
from collections.abc import Iterator
from itertools import chain

from aiohttp import web

from kata_lib.engines.embedded.api.query import check_list_options, flag, number, resource_version
from kata_lib.engines.embedded.api.respond import as_table, encoded, send, served, wants_table
from kata_lib.engines.embedded.api.target import Target
from kata_lib.engines.embedded.api.turns import in_turns
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.selectors import Predicate
from kata_lib.engines.embedded.registry.status import Cause, StatusError, bad_request, expired, invalid
from kata_lib.engines.embedded.store import Compacted, Event, Obj

BACKLOG = 1000
"""How many events may wait for a slow client before its watch is ended."""

DEFAULT_SECONDS = 1800.0
LONGEST_SECONDS = 3600.0
BOOKMARK_SECONDS = 60.0
SLACK_SECONDS = 0.2
"""A client that asked for one second takes a watch that lasts less for a broken one."""

INITIAL_EVENTS_END = "k8s.io/initial-events-end"

Change = tuple[str, Obj]
"""An event's type and object, as this watcher sees it."""


class Watch:
    """One watch: subscribed from its construction on, so that nothing is missed while it starts."""

    def __init__(self, request: web.Request, registry: Registry, target: Target, chooses: Predicate) -> None:
        self._request = request
        self._registry = registry
        self._target = target
        self._matches = chooses
        self._bookmarks = flag(request, "allowWatchBookmarks")
        self._initial = _sends_initial_events(request, target)
        self._seconds = number(request, "timeoutSeconds") or DEFAULT_SECONDS
        self._since = resource_version(request) or 0
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(BACKLOG)
        self._overrun = False
        self._headers_due = True
        self._seen = registry.store.revision
        self.close = registry.subscribe(self._take, {target.resource.key})

    @property
    def resource(self) -> str:
        """The key of the resource that is watched."""
        return self._target.resource.key

    def end(self) -> None:
        """Let the stream end after what is already queued, or at once where the queue is full."""
        if self._queue.full():
            self._overrun = True
        else:
            self._queue.put_nowait(None)

    def _take(self, event: Event) -> None:
        if self._target.namespace not in (None, event.object["metadata"].get("namespace")):
            return
        if self._queue.full():
            self._overrun = True
        else:
            self._queue.put_nowait(event)

    async def stream(self) -> web.StreamResponse:
        """Send events until the time is over, the client goes, or the server ends it."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        with contextlib.suppress(ConnectionResetError):  # the client has seen enough
            await self._send_to(response)
        return response

    async def _send_to(self, response: web.StreamResponse) -> None:
        start = self._start()
        await response.prepare(self._request)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(self._seconds, LONGEST_SECONDS) + SLACK_SECONDS
        async for change in in_turns(start):
            await send(response, self._line(change))
        while (left := deadline - loop.time()) > 0 and not self._overrun:
            try:
                event = await asyncio.wait_for(self._queue.get(), min(left, BOOKMARK_SECONDS))
            except TimeoutError:
                if self._bookmarks:
                    await send(response, self._line(self._bookmark()))
                elif self._request.transport is None or self._request.transport.is_closing():
                    break
                continue
            if event is None:
                break
            self._seen = int(event.object["metadata"]["resourceVersion"])
            if seen := self._change(event):
                await send(response, self._line(seen))
        if self._overrun:
            await send(response, self._line(_error(expired("the watcher is too slow: events were lost"))))

    def _start(self) -> Iterator[Change]:
        """Return what the stream begins with, as of this moment."""
        store, collection = self._registry.store, (self._target.resource.key, self._target.namespace)
        if self._initial or not self._since:
            added = (("ADDED", obj) for obj in store.each(*collection) if self._matches(obj))
            return chain(added, [self._bookmark({INITIAL_EVENTS_END: "true"})] if self._initial else ())
        try:
            events = store.history(self._since, *collection)
        except Compacted as error:
            self.end()
            return iter([_error(expired(str(error)))])
        return filter(None, map(self._change, events))

    def _change(self, event: Event) -> Change | None:
        """Return what a watcher with these selectors sees: an object that leaves them looks deleted."""
        before = event.old is not None and self._matches(event.old)
        after = event.type != "DELETED" and self._matches(event.object)
        if after:
            return ("MODIFIED" if before else "ADDED"), event.object
        return ("DELETED", event.object) if before else None

    def _bookmark(self, annotations: dict[str, str] | None = None) -> Change:
        metadata: Obj = {"resourceVersion": str(self._seen), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        kind = self._target.resource.kind
        return "BOOKMARK", {"kind": kind, "apiVersion": self._target.api_version, "metadata": metadata}

    def _line(self, change: Change) -> bytes:
        type_, obj = change
        if type_ in ("ERROR", "BOOKMARK"):
            shown = obj
        elif wants_table(self._request):
            version = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            shown = as_table(self._request, self._target, [obj], version, headers=self._headers_due)
            self._headers_due = False
        else:
            shown = served(self._target, obj)
        return encoded({"type": type_, "object": shown}) + b"\n"


def _error(error: StatusError) -> Change:
    return "ERROR", error.body()


def _sends_initial_events(request: web.Request, target: Target) -> bool:
    check_list_options(request)
    if "sendInitialEvents" not in request.query:
        return False
    if request.query.get("resourceVersionMatch") != "NotOlderThan":
        why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        cause = Cause("resourceVersionMatch", "FieldValueForbidden", why)
        raise invalid("ListOptions", "meta.k8s.io", "", [cause])
    if flag(request, "sendInitialEvents") and not flag(request, "allowWatchBookmarks"):
        raise bad_request(f"watching {target.resource.plural} from the start needs allowWatchBookmarks")
    return flag(request, "sendInitialEvents")
