"""A class's board on loopback, as `kata class serve` has it, in a loop of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from kata_lib.classroom.board import Board
from kata_lib.classroom.server import Classroom
from kata_lib.classroom.store import Store
from kata_lib.course.exercises import QUESTIONS
from kata_lib.course.progress import tables


class Served:
    """A board that is served: where, and its store, to be asked in its own thread."""

    def __init__(self, url: str, store: Store) -> None:
        self.url = url
        self.learners_code = store.code("learner")
        self.instructors_code = store.code("instructor")


@contextmanager
def served(file: Path) -> Iterator[Served]:
    """Serve the board of a store's file on a free port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[web.AppRunner, Store, str]:
        store = Store(file)
        runner = Classroom(store, Board(tables.plan(), QUESTIONS)).runner()
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, store, f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def made() -> Served:
        return Served(url, store)

    async def end() -> None:
        await runner.cleanup()
        store.close()

    try:
        runner, store, url = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        yield asyncio.run_coroutine_threadsafe(made(), loop).result(10)
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
