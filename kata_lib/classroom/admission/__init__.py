"""Who somebody is: by the class's codes (codes.py), or by a JupyterHub (hub.py). The server knows neither."""

from collections.abc import Callable, Sequence
from typing import Protocol

from aiohttp import web

from kata_lib.classroom.store import Learner

Joined = Callable[[Learner], None]
"""Called with a learner whom nobody has seen yet."""


class Admission(Protocol):
    """Says for whom a request speaks."""

    def routes(self, joined: Joined) -> Sequence[web.RouteDef]:
        """Return the routes that are its own, below the board's address."""

    async def learner(self, request: web.Request) -> Learner | None:
        """Return the learner for whom a request speaks, None for nobody."""

    async def instructs(self, request: web.Request) -> bool:
        """Return whether a request is an instructor's."""

    async def asks(self, request: web.Request) -> web.StreamResponse:
        """Return what a browser gets that is nobody yet: where it says who it is."""
