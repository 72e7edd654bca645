"""The instructor's board: who is how far, who is stuck on what, what the class predicted and saw.

A web service of its own with one SQLite file. Learners' kernels post messages (course/outbox), instructors'
browsers are sent the board as it changes. `store` keeps, `board` says what follows, `server` serves.
"""

import asyncio
import signal
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from kata_lib import machine
from kata_lib.classroom.board import Board
from kata_lib.classroom.server import Classroom
from kata_lib.classroom.store import Store
from kata_lib.course.exercises import QUESTIONS
from kata_lib.course.progress import tables
from kata_lib.errors import KataError


@dataclass(frozen=True)
class Where:
    """Where the board listens; certificate and key: files in PEM for https, None for http."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    def url(self, port: int) -> str:
        """Return the board's address as this machine says it, at the port that it got."""
        return f"{'https' if self.certificate else 'http'}://{self.host}:{port}"

    def trust(self) -> ssl.SSLContext | None:
        """Return what https needs, None for http; raises KataError."""
        if (self.certificate is None) != (self.key is None):
            raise KataError("A certificate and its key go together: --certificate FILE --key FILE.")
        if self.certificate is None:
            return None
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            made.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise KataError(f"{self.certificate} with {self.key} is no certificate: {error}.") from error
        return made


async def serve(where: Where, new_codes: bool, say: Callable[[str], None]) -> None:
    """Serve the board until SIGINT or SIGTERM; KataError where it cannot listen."""
    trust = where.trust()
    ending = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    store = Store(machine.state_folder() / "class.sqlite")
    if new_codes:
        store.renew("learner")
        store.renew("instructor")
    runner = Classroom(store, Board(tables.plan(), QUESTIONS)).runner()
    await runner.setup()
    try:
        await web.TCPSite(runner, where.host, where.port, ssl_context=trust).start()
        url = where.url(runner.addresses[0][1])
        say(f"The board: {url}, for whoever has the instructor's code: {store.code('instructor')}")
        say(f"To join:   kata class join {url} --code {store.code('learner')} --as NAME")
        say("Ctrl-C ends it; what it knows is kept.")
        await ending.wait()
    except OSError as error:
        raise KataError(f"The board cannot listen on {where.host}:{where.port}: {error.strerror}.") from error
    finally:
        await runner.cleanup()
        store.close()
