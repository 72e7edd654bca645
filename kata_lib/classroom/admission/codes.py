"""A class by its codes: one lets learners in, which stands on the projector, and another its instructors.

POST /api/join        {code, name} -> {token, name}: a learner's kernel is let in
POST /login           an instructor's code -> a cookie
POST /api/me/key      -> {key}, which opens the learner's own page in a browser once: /me?key=KEY
GET  /api/codes       the learners' code; POST /api/codes/ROLE makes a new one, and the old one ends
"""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import cast

import msgspec
from aiohttp import web

from kata_lib.classroom import answers
from kata_lib.classroom.admission import Joined
from kata_lib.classroom.admission.credentials import Credentials, Role
from kata_lib.classroom.limits import Limits
from kata_lib.classroom.store import Learner, Store
from kata_lib.course.outbox.messages import Name

COOKIES: dict[Role, str] = {"instructor": "kata-board", "learner": "kata-me"}
WRONG_CODES = 20
"""A minute, from one address; a class may come in by one."""
JOINS = 600
"""A minute, from one address."""
KEY_SECONDS = 600.0
"""So long a key opens a learner's page."""
_WHERE = {"learner": "It stands on the board.", "instructor": "`kata class serve` prints it."}


class Join(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a learner's kernel says to be let in."""

    code: str
    name: Name


class Codes:
    """Lets in whoever has a code, and knows them by the token that they got for it."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.credentials = Credentials(store.database)
        self._store = store
        self._clock = clock
        self._wrong = Limits(WRONG_CODES)
        self._joins = Limits(JOINS)
        self._keys: dict[int, tuple[str, float]] = {}
        self._joined: Joined = lambda learner: None

    def routes(self, joined: Joined) -> Sequence[web.RouteDef]:
        """Return the routes of joining, logging in, and codes."""
        self._joined = joined
        return [
            web.post("/api/join", self._join),
            web.post("/login", self._login),
            web.post("/api/me/key", self._key),
            web.get("/api/codes", self._codes),
            web.post("/api/codes/{role:learner|instructor}", self._renew),
        ]

    async def learner(self, request: web.Request) -> Learner | None:
        """Return the learner whose token the request bears, or whose key opens their page."""
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        number = self.credentials.learner(bearer or request.cookies.get(COOKIES["learner"], ""))
        return None if number is None else self._store.learner(number)

    async def instructs(self, request: web.Request) -> bool:
        """Return whether the browser logged in with the instructor's code."""
        return self.credentials.is_instructor(request.cookies.get(COOKIES["instructor"], ""))

    async def asks(self, request: web.Request) -> web.StreamResponse:
        """Return the page that asks for the instructor's code; a learner's key opens their own."""
        if (learner := self._opened(request.query.get("key", ""))) is not None:
            return self._in("learner", "me", request, learner)
        return answers.page("login")

    async def _join(self, request: web.Request) -> web.Response:
        asked = await answers.read(request, Join)
        self._admit(request, "learner", asked.code)
        name = asked.name.strip()
        if not name or not name.isprintable():
            raise answers.refused(
                400, "A name is one line of letters, without what turns the text's direction."
            )
        if self._joins.spent(request.remote):
            raise answers.refused(429, "Too many join within a minute; try it again.")
        self._joins.count(request.remote)
        learner = self._store.join(name, self._clock())
        self._joined(learner)
        return answers.of({"token": self.credentials.token("learner", learner.id), "name": learner.name})

    async def _login(self, request: web.Request) -> web.StreamResponse:
        self._admit(request, "instructor", str((await request.post()).get("code", "")))
        return self._in("instructor", ".", request)

    def _in(
        self, role: Role, page: str, request: web.Request, learner: int | None = None
    ) -> web.StreamResponse:
        """Return the way to a page, with the cookie that opens it."""
        answer = web.Response(status=303, headers={"Location": page})
        token = self.credentials.token(role, learner)
        answer.set_cookie(COOKIES[role], token, httponly=True, samesite="Strict", secure=request.secure)
        return answer

    async def _key(self, request: web.Request) -> web.Response:
        learner = await self.learner(request)
        if learner is None:
            raise answers.refused(401, "Nobody of this class has this token.")
        key = secrets.token_urlsafe(24)
        self._keys[learner.id] = (key, self._clock() + KEY_SECONDS)
        return answers.of({"key": key})

    def _opened(self, key: str) -> int | None:
        """Return whose page a key opens; it opens it once."""
        for learner, (kept, until) in self._keys.items():
            if secrets.compare_digest(kept.encode(), key.encode()) and self._clock() < until:
                del self._keys[learner]
                return learner if self._store.learner(learner) else None
        return None

    async def _codes(self, request: web.Request) -> web.Response:
        await self._only_instructors(request)
        return answers.of({"learner": self.credentials.code("learner")})

    async def _renew(self, request: web.Request) -> web.Response:
        await self._only_instructors(request)
        role = cast(Role, request.match_info["role"])
        return answers.of({role: self.credentials.renew(role)})

    async def _only_instructors(self, request: web.Request) -> None:
        if not await self.instructs(request):
            raise answers.refused(403, "The codes are the instructor's: log in at /.")

    def _admit(self, request: web.Request, role: Role, code: str) -> None:
        """Refuse whoever has another code, and whoever tried too many."""
        if self._wrong.spent(request.remote):
            raise answers.refused(429, "Too many wrong codes within a minute.")
        if not self.credentials.admits(role, code):
            self._wrong.count(request.remote)
            raise answers.refused(403, f"This is not the {role}s' code. {_WHERE[role]}")
