"""Server-sent events: a stream is sent its state anew when one of its topics changed, but not too often."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable

from aiohttp import web
from aiohttp_sse import sse_response

QUIET_SECONDS = 15.0
"""After so long a stream gets a state though nothing happened: times have gone on."""
MOST_OF_ONE = 12
"""Streams of one watcher."""

Topic = Hashable


class Streams:
    """The open streams, by their topics."""

    def __init__(self) -> None:
        self._open: dict[Topic, set[asyncio.Event]] = {}
        self._ending = False

    def tell(self, *topics: Topic) -> None:
        """Have the streams of these topics send their state."""
        for topic in topics:
            for event in self._open.get(topic, ()):
                event.set()

    def end(self) -> None:
        """End all streams: a server waits for whoever it serves."""
        self._ending = True
        self.tell(*self._open)

    def is_full(self, topic: Topic) -> bool:
        """Return whether a topic has as many streams as one watcher may."""
        return len(self._open.get(topic, ())) >= MOST_OF_ONE

    async def serve(
        self,
        request: web.Request,
        topics: tuple[Topic, ...],
        state: Callable[[], Awaitable[bytes | None]],
        between: float,
    ) -> web.StreamResponse:
        """Send `state()` at once and whenever a topic changed, until it is None or nobody listens.

        between: at least so many seconds lie between two.
        """
        changed = asyncio.Event()
        for topic in topics:
            self._open.setdefault(topic, set()).add(changed)
        try:
            async with sse_response(request) as stream:
                while stream.is_connected() and not self._ending and (content := await state()) is not None:
                    await stream.send(content.decode())
                    await asyncio.sleep(between)
                    await _changed(changed)
            return stream
        finally:
            for topic in topics:
                self._forget(topic, changed)

    def _forget(self, topic: Topic, changed: asyncio.Event) -> None:
        events = self._open[topic]
        events.discard(changed)
        if not events:
            del self._open[topic]


async def _changed(event: asyncio.Event) -> None:
    """Wait for the event, for a while."""
    try:
        async with asyncio.timeout(QUIET_SECONDS):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
