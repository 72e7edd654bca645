"""The instructor's board: who is how far, who is stuck on what, what the class predicted and saw.

A web service of its own with one SQLite file. Learners' kernels post messages (course/outbox) and hear what
the instructor set for all (course/inbox); browsers are sent what changed. `store` keeps, `seat` and `board`
say what follows, `server` serves, `admission` says who is who.
"""

import asyncio
import signal
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from kata_lib import files, machine
from kata_lib.classroom.admission import hub
from kata_lib.classroom.admission.codes import Codes
from kata_lib.classroom.board import Board
from kata_lib.classroom.server import Classroom
from kata_lib.classroom.store import Store
from kata_lib.course.exercises import QUESTIONS
from kata_lib.course.progress import tables
from kata_lib.errors import KataError

LOCK_SECONDS = 5.0
"""So long a board waits for the one before it to end."""


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
    """Serve the board with codes of its own until SIGINT or SIGTERM; KataError where it cannot listen."""
    trust = where.trust()
    with _store() as store:
        codes = Codes(store)
        if new_codes:
            codes.credentials.renew("learner")
            codes.credentials.renew("instructor")

        def welcome(port: int) -> None:
            url = where.url(port)
            code = codes.credentials.code
            say(f"The board: {url}, for whoever has the instructor's code: {code('instructor')}")
            say(f"To join:   kata class join {url} --code {code('learner')} --as NAME")
            say("Ctrl-C ends it; what it knows is kept.")

        runner = Classroom(store, _board(), codes).runner()
        await _serve(runner, where.host, where.port, trust, welcome)


async def serve_hub(say: Callable[[str], None]) -> None:
    """Serve the board as a service of the JupyterHub that started this process, until it ends it.

    Raises KataError where JupyterHub's settings are missing, its package is, or the board cannot listen.
    """
    settings = hub.settings()
    url, prefix = urlsplit(settings["JUPYTERHUB_SERVICE_URL"]), settings["JUPYTERHUB_SERVICE_PREFIX"]
    host, port = url.hostname or "127.0.0.1", url.port or 80
    with _store() as store:
        runner = Classroom(store, _board(), hub.Hub(store)).runner(prefix)
        await _serve(runner, host, port, None, lambda port: say(f"The board: {prefix} of the hub."))


@contextmanager
def _store() -> Iterator[Store]:
    file = machine.state_folder() / "class.sqlite"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    late = KataError(f"Another board serves the class of {file} already; KATA_HOME names another folder.")
    with files.held(file.with_suffix(".lock"), LOCK_SECONDS, late):
        store = Store(file)
        try:
            yield store
        finally:
            store.close()


def _board() -> Board:
    return Board(tables.plan(), QUESTIONS)


async def _serve(
    runner: web.AppRunner,
    host: str,
    port: int,
    trust: ssl.SSLContext | None,
    welcome: Callable[[int], None],
) -> None:
    """Serve until SIGINT or SIGTERM; welcome: called with the port once it listens."""
    ending = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=trust).start()
        welcome(runner.addresses[0][1])
        await ending.wait()
    except OSError as error:
        raise KataError(f"The board cannot listen on {host}:{port}: {error.strerror}.") from error
    finally:
        await runner.cleanup()
