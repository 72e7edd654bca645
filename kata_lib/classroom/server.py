"""The board as a web service: learners' kernels post to it, and browsers watch it.

    POST   /api/messages   what a kernel tells (course/outbox/messages.py) -> 204
    GET    /api/mine       a learner's stream: how they stand, what the instructor set (course/inbox/told.py)
    GET    /api/me         all that is kept of whoever asks; DELETE removes it
    GET    /me             the learner's own page
    GET    /               the instructor's board, GET /api/board its stream
    GET    /projector      the view without names, GET /api/projected its stream
    POST   /api/orders     what the instructor sets (standing.py) -> 204
    GET    /api/learners/NUMBER/report   a report that a learner sent
    GET    /api/alive      204

Streams are server-sent events. Learners speak for themselves and see nobody else's; what they send is text,
and the pages put it into the document as such. Who is who, and how one comes in, is the admission's.
"""

import time
from collections.abc import Callable, Iterable

import msgspec
from aiohttp import web

from kata_lib.classroom import answers
from kata_lib.classroom.admission import Admission
from kata_lib.classroom.board import Board
from kata_lib.classroom.limits import Limits
from kata_lib.classroom.standing import (
    OfferReset,
    Order,
    Project,
    Remove,
    Say,
    SetGate,
    SetTimer,
    Standing,
    ToAll,
)
from kata_lib.classroom.store import Learner, Offered, Store
from kata_lib.classroom.streams import Streams
from kata_lib.course.outbox.messages import MOST_BYTES, Batch

REQUESTS = 240
"""A minute, of one learner."""
BOARD_SECONDS, LEARNER_SECONDS = 0.25, 1.0
"""Between two states of a stream."""
MOST_LEARNERS = 2_000
_BOARD, _LEARNERS = "board", "learners"
_REPORT_HEADERS = {
    # A page that somebody else made: no script runs in it, and it is of no origin.
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Content-Type": "text/html; charset=utf-8",
}


class Classroom:
    """One class: its store, its board, who is let in, and who watches."""

    def __init__(
        self, store: Store, board: Board, admission: Admission, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._board = board
        self._admission = admission
        self._clock = clock
        self._streams = Streams()
        self._requests = Limits(REQUESTS)
        self._fill()

    def _fill(self) -> None:
        """Bring the board to where it was."""
        self._board.standing = self._store.standing()
        for learner in self._store.learners():
            self._board.join(learner)
        for who, offered in self._store.offers().items():
            self._board.offer(who, offered)
        for received in self._store.messages():
            self._board.take(received)

    def runner(self, prefix: str = "/") -> web.AppRunner:
        """Return what serves it below a prefix; who closes a stream has its handler end."""
        made = self._application()
        if prefix.strip("/"):
            outer = web.Application(client_max_size=MOST_BYTES)
            outer.add_subapp(f"/{prefix.strip('/')}", made)
            made = outer
        return web.AppRunner(made, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)

    def _application(self) -> web.Application:
        made = web.Application(middlewares=[answers.with_headers], client_max_size=MOST_BYTES)
        made.on_shutdown.append(self._end)
        made.add_routes(
            [
                *self._admission.routes(self._joined),
                web.post("/api/messages", self._messages),
                web.get("/api/mine", self._mine),
                web.get("/api/me", self._kept),
                web.delete("/api/me", self._forget),
                web.get("/me", self._own_page),
                web.get("/", self._front_page),
                web.get("/projector", self._projector),
                web.get("/api/board", self._watched),
                web.get("/api/projected", self._projected),
                web.post("/api/orders", self._orders),
                web.get("/api/learners/{number:[0-9]{1,9}}/report", self._report),
                web.get("/api/alive", self._alive),
                web.static("/page", answers.PAGES),
            ]
        )
        return made

    # What learners ask

    async def _messages(self, request: web.Request) -> web.Response:
        learner = await self._learner(request)
        batch = await answers.read(request, Batch)
        for received in self._store.add(learner, batch.messages, self._clock(), batch.sent):
            self._board.take(received)
        self._streams.tell(learner.id)
        self._changed()
        return web.Response(status=204)

    async def _mine(self, request: web.Request) -> web.StreamResponse:
        learner = await self._learner(request)
        if self._streams.is_full(learner.id):
            raise answers.refused(429, "Too many streams of one learner.")

        async def told() -> bytes | None:
            if await self._admission.learner(request) is None or learner not in self._board:
                return None
            return msgspec.json.encode(self._board.told(learner, self._clock()))

        return await self._streams.serve(request, (learner.id, _LEARNERS), told, LEARNER_SECONDS)

    async def _kept(self, request: web.Request) -> web.Response:
        learner = await self._learner(request)
        kept = [received.message for received in self._store.messages(learner)]
        offered = self._store.offers().get(learner.id)
        found = {"name": learner.name, "joined": learner.joined, "messages": kept, "offered": offered}
        return answers.of(found)

    async def _forget(self, request: web.Request) -> web.Response:
        self._remove(await self._learner(request))
        return web.Response(status=204)

    async def _own_page(self, request: web.Request) -> web.StreamResponse:
        if "key" in request.query or await self._admission.learner(request) is None:
            return await self._admission.asks(request)
        return answers.page("mine")

    async def _learner(self, request: web.Request) -> Learner:
        """Return who asks, who may ask so often and no more."""
        if (learner := await self._admission.learner(request)) is None:
            raise answers.refused(401, "Nobody of this class has this token.")
        if self._requests.spent(learner.id):
            raise answers.refused(429, "Too many requests within a minute; the rest can wait.")
        self._requests.count(learner.id)
        if learner not in self._board:
            self._joined(learner)
        return learner

    # What instructors ask

    async def _front_page(self, request: web.Request) -> web.StreamResponse:
        if await self._admission.instructs(request):
            return answers.page("board")
        if await self._admission.learner(request) is not None:
            return web.Response(status=303, headers={"Location": "me"})
        return await self._admission.asks(request)

    async def _projector(self, request: web.Request) -> web.StreamResponse:
        if await self._admission.instructs(request):
            return answers.page("projector")
        return await self._admission.asks(request)

    async def _watched(self, request: web.Request) -> web.StreamResponse:
        return await self._shown(request, self._board.state)

    async def _projected(self, request: web.Request) -> web.StreamResponse:
        return await self._shown(request, self._board.projected)

    async def _shown(self, request: web.Request, seen: Callable[[float], object]) -> web.StreamResponse:
        await self._only_instructors(request)

        async def state() -> bytes | None:
            if not await self._admission.instructs(request):
                return None
            return msgspec.json.encode(seen(self._clock()))

        return await self._streams.serve(request, (_BOARD,), state, BOARD_SECONDS)

    async def _orders(self, request: web.Request) -> web.Response:
        await self._only_instructors(request)
        self._follow(await answers.read(request, Order))  # type: ignore[arg-type]
        self._changed()
        return web.Response(status=204)

    def _follow(self, order: Order) -> None:
        match order:
            case Remove(learner=number):
                self._remove(self._of_class(number))
            case OfferReset(learner=number, step=step):
                learner = self._of_class(number)
                _one_of("step", step, self._board.steps)
                self._board.offer(number, Offered(self._store.offer(learner, step), None))
                self._streams.tell(number)
            case SetGate() | SetTimer() | Say() | Project():
                self._check_names(order)
                self._stand(self._board.standing.after(order, self._clock()))

    def _check_names(self, order: ToAll) -> None:
        match order:
            case SetGate(check=str(check)):
                _one_of("check", check, self._board.plan)
            case Project(question=str(question)):
                _one_of("question", question, self._board.questions)

    async def _report(self, request: web.Request) -> web.Response:
        await self._only_instructors(request)
        page = self._store.report(self._of_class(int(request.match_info["number"])))
        if page is None:
            raise answers.refused(404, "This learner has sent no report.")
        return web.Response(body=page.encode(), headers=_REPORT_HEADERS)

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _only_instructors(self, request: web.Request) -> None:
        if not await self._admission.instructs(request):
            raise answers.refused(403, "The board is the instructor's: log in at /.")

    # What changes

    def _joined(self, learner: Learner) -> None:
        if len(self._store.learners()) > MOST_LEARNERS:
            self._store.forget(learner)
            raise answers.refused(403, f"The class is full: it has {MOST_LEARNERS:,} learners.")
        self._board.join(learner)
        self._changed()

    def _remove(self, learner: Learner) -> None:
        self._store.forget(learner)
        self._board.leave(learner)
        self._streams.tell(learner.id)
        self._changed()

    def _of_class(self, number: int) -> Learner:
        if (learner := self._store.learner(number)) is None:
            raise answers.refused(404, f"The class has no learner {number}.")
        return learner

    def _changed(self) -> None:
        """Tell whoever watches; a gate opens by itself once all are there."""
        self._streams.tell(_BOARD)
        gate = self._board.gate()
        if gate is not None and gate.here == gate.of > 0:
            self._stand(self._board.standing.after(SetGate(None), self._clock()))
        elif gate is not None:
            self._streams.tell(_LEARNERS)

    def _stand(self, standing: Standing) -> None:
        """Keep what stands for all from now on, and tell it."""
        self._store.stand(standing)
        self._board.standing = standing
        self._streams.tell(_LEARNERS)

    async def _end(self, _: web.Application) -> None:
        self._streams.end()


def _one_of(what: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise answers.refused(400, f"There is no {what} {name!r}; there are: {', '.join(known)}.")
