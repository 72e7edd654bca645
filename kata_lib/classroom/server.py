"""The board as a web service: learners' kernels post to it, instructors' browsers watch it.

    POST   /api/join       {code, name} -> {token, name}; a code on the projector lets a kernel in
    POST   /api/messages   what a kernel tells (course/outbox/messages.py) -> 204
    GET    /api/me         all that is kept of whoever asks
    DELETE /api/me         removes it
    POST   /login          an instructor's code -> a cookie
    GET    /               the board's page, GET /api/board its stream (server-sent events, a State each)
    POST   /api/codes/ROLE a new code: the old one lets nobody in any more

Learners speak for themselves by a bearer token and see nobody else's; what they send is text, and the page
puts it into the document as such.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar, cast

import msgspec
from aiohttp import web
from aiohttp_sse import sse_response

from kata_lib.classroom.board import Board
from kata_lib.classroom.limits import Limits
from kata_lib.classroom.store import Learner, Role, Store
from kata_lib.course.outbox.messages import Batch, Name

PAGE = Path(__file__).parent / "page"
COOKIE = "kata-board"
MOST_BYTES = 1_500_000
"""Of one request: fifty messages with an analysis each."""
STREAM_SECONDS = 0.25
"""Between two states of a stream."""
QUIET_SECONDS = 15.0
"""After so long a stream gets a state though nothing happened: times have gone on."""
WRONG_CODES = 20
"""A minute, from one address; a class may come in by one."""
REQUESTS = 240
"""A minute, of one learner."""
_WHERE = {"learner": "It stands on the board.", "instructor": "`kata class serve` prints it."}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Body = TypeVar("Body")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Join(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a learner's kernel says to be let in."""

    code: str
    name: Name


class Classroom:
    """One class: its store, its board, and who watches it."""

    def __init__(self, store: Store, board: Board, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self._board = board
        self._clock = clock
        self._changed = asyncio.Condition()
        self._version = 0
        self._ending = False
        self._wrong_codes = Limits(WRONG_CODES)
        self._requests = Limits(REQUESTS)
        for learner in store.learners():
            board.join(learner)
        for received in store.messages():
            board.take(received)

    def runner(self) -> web.AppRunner:
        """Return what serves it; who closes a stream has its handler end."""
        application = self._application()
        return web.AppRunner(application, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)

    def _application(self) -> web.Application:
        made = web.Application(middlewares=[_with_headers], client_max_size=MOST_BYTES)
        made.on_shutdown.append(self._end)
        made.add_routes(
            [
                web.post("/api/join", self._join),
                web.post("/api/messages", self._messages),
                web.get("/api/me", self._me),
                web.delete("/api/me", self._forget),
                web.post("/login", self._login),
                web.get("/", self._page),
                web.get("/api/board", self._stream),
                web.get("/api/codes", self._codes),
                web.post("/api/codes/{role:learner|instructor}", self._renew),
                web.static("/page", PAGE),
            ]
        )
        return made

    async def _join(self, request: web.Request) -> web.Response:
        asked = await _read(request, Join)
        self._admit(request, "learner", asked.code)
        learner, token = self.store.join(asked.name)
        self._board.join(learner)
        await self._tell()
        return web.json_response({"token": token, "name": learner.name})

    async def _messages(self, request: web.Request) -> web.Response:
        learner = self._learner(request)
        if self._requests.spent(learner.id):
            raise _refused(429, "Too many requests within a minute; the rest can wait.")
        self._requests.count(learner.id)
        batch = await _read(request, Batch)
        for received in self.store.add(learner, batch.messages, self._clock()):
            self._board.take(received)
        await self._tell()
        return web.Response(status=204)

    async def _me(self, request: web.Request) -> web.Response:
        learner = self._learner(request)
        kept = [received.message for received in self.store.messages(learner)]
        return _json({"name": learner.name, "messages": kept})

    async def _forget(self, request: web.Request) -> web.Response:
        learner = self._learner(request)
        self.store.forget(learner)
        self._board.leave(learner)
        await self._tell()
        return web.Response(status=204)

    async def _login(self, request: web.Request) -> web.Response:
        self._admit(request, "instructor", str((await request.post()).get("code", "")))
        answer = web.HTTPSeeOther("/")
        answer.set_cookie(
            COOKIE, self.store.instructor(), httponly=True, samesite="Strict", secure=request.secure
        )
        raise answer

    async def _page(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE / ("board.html" if self._watches(request) else "login.html"))

    async def _codes(self, request: web.Request) -> web.Response:
        self._instructor(request)
        return web.json_response({"learner": self.store.code("learner")})

    async def _renew(self, request: web.Request) -> web.Response:
        self._instructor(request)
        role = cast(Role, request.match_info["role"])
        return web.json_response({role: self.store.renew(role)})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self._instructor(request)
        async with sse_response(request) as stream:
            seen = -1
            while not self._ending and stream.is_connected() and self._watches(request):
                seen = await self._after(seen)
                await stream.send(msgspec.json.encode(self._board.state(self._clock())).decode())
                await asyncio.sleep(STREAM_SECONDS)
        return stream

    async def _after(self, seen: int) -> int:
        """Wait until there is more than was seen, for a while: times go on where nothing happens."""
        async with self._changed:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    await self._changed.wait_for(lambda: self._version > seen or self._ending)
            except TimeoutError:
                pass
            return self._version

    async def _end(self, _: web.Application) -> None:
        """End the streams: a server waits for whoever it serves."""
        self._ending = True
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._version += 1
            self._changed.notify_all()

    def _admit(self, request: web.Request, role: Role, code: str) -> None:
        """Refuse whoever has another code, and whoever tried too many."""
        if self._wrong_codes.spent(request.remote):
            raise _refused(429, "Too many wrong codes within a minute.")
        if not self.store.admits(role, code):
            self._wrong_codes.count(request.remote)
            raise _refused(403, f"This is not the {role}s' code. {_WHERE[role]}")

    def _learner(self, request: web.Request) -> Learner:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if (learner := self.store.learner(token)) is None:
            raise _refused(401, "Nobody of this class has this token.")
        return learner

    def _watches(self, request: web.Request) -> bool:
        return self.store.is_instructor(request.cookies.get(COOKIE, ""))

    def _instructor(self, request: web.Request) -> None:
        if not self._watches(request):
            raise _refused(403, "The board is the instructor's: log in at /.")


async def _read(request: web.Request, type_: type[Body]) -> Body:
    """Return a request's body; 400 says what is wrong with it."""
    try:
        return msgspec.json.decode(await request.read(), type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(400, f"This cannot be read: {error}.") from error


def _json(content: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


def _refused(code: int, why: str) -> web.HTTPException:
    """Return the answer that refuses a request, as JSON."""
    names = {400: web.HTTPBadRequest, 401: web.HTTPUnauthorized, 403: web.HTTPForbidden}
    kind = names.get(code, web.HTTPTooManyRequests)
    return kind(text=msgspec.json.encode({"error": why}).decode(), content_type="application/json")


@web.middleware
async def _with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        error.headers.update(_HEADERS)
        raise
    if not answer.prepared:
        answer.headers.update(_HEADERS)
    return answer
