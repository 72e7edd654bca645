"""A class's board on loopback, as `kata class serve` has it, in a loop of its own."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from kata_lib.classroom.admission.codes import Codes
from kata_lib.classroom.board import Board
from kata_lib.classroom.server import Classroom
from kata_lib.classroom.store import Store
from kata_lib.course.exercises import QUESTIONS
from kata_lib.course.progress import tables

Request = tuple[str, str, bytes]
"""Method, path and body."""


_PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody, and is not asked: the board speaks plain HTTP. To read whom a machine trusts takes 20 ms."""
Client = partial(httpx2.Client, verify=_PLAIN, timeout=10)
get, post = partial(httpx2.get, verify=_PLAIN), partial(httpx2.post, verify=_PLAIN)


class Served:
    """A board that is served: where, its codes, and all that came in."""

    def __init__(self, url: str, codes: Codes, requests: list[Request]) -> None:
        self.url = url
        self.requests = requests
        self.learners_code = codes.credentials.code("learner")
        self.instructors_code = codes.credentials.code("instructor")


@contextmanager
def served(file: Path, port: int = 0) -> Iterator[Served]:
    """Serve the board of a store's file on a port, by default a free one."""
    requests: list[Request] = []
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[web.AppRunner, Store, Served]:
        store = Store(file)
        codes = Codes(store)
        runner = Classroom(store, Board(tables.plan(), QUESTIONS), codes).runner()
        runner.app.middlewares.append(_noting(requests))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner, store, Served(f"http://127.0.0.1:{runner.addresses[0][1]}", codes, requests)

    async def end() -> None:
        await runner.cleanup()
        store.close()

    try:
        runner, store, made = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        yield made
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _noting(requests: list[Request]) -> Middleware:
    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        requests.append((request.method, request.path, await request.read()))
        return await handler(request)

    return note
