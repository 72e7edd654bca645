"""Long work in pieces, between which others have their turn: the server has one thread."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

TURN_SECONDS = 0.01

T = TypeVar("T")


async def in_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield the items; whenever a turn's time is over, let others go on first."""
    loop = asyncio.get_running_loop()
    over = loop.time() + TURN_SECONDS
    for item in items:
        yield item
        if loop.time() > over:
            await asyncio.sleep(0)
            over = loop.time() + TURN_SECONDS
