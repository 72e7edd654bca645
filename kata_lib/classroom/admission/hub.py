"""A class in a JupyterHub, whose OAuth and tokens say who somebody is, and whose roles say who instructs.

    GET /oauth_callback   where the hub sends a browser back to

Whoever instructs has the scope INSTRUCT. All settings are in the environment that JupyterHub gives a service:
https://jupyterhub.readthedocs.io/en/stable/reference/services.html
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from kata_lib.classroom import answers
from kata_lib.classroom.admission import Joined
from kata_lib.classroom.store import Learner, Store
from kata_lib.errors import KataError

INSTRUCT = "custom:class:instruct"
NEEDED = (
    "JUPYTERHUB_SERVICE_URL",
    "JUPYTERHUB_SERVICE_PREFIX",
    "JUPYTERHUB_API_TOKEN",
    "JUPYTERHUB_API_URL",
    "JUPYTERHUB_CLIENT_ID",
)
COOKIE = "kata-hub"
STATE = "kata-hub-state"
STATE_SECONDS = 600
CACHE_SECONDS = 60
"""So long what the hub said of a token holds."""

User = dict[str, Any]


def settings() -> dict[str, str]:
    """Return what JupyterHub sets for a service; KataError names what is missing."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        raise KataError(
            f"--hub is for a service that JupyterHub starts; not set: {', '.join(missing)}. "
            "deploy/hub/class_config.py is a configuration that does."
        )
    return {name: os.environ[name] for name in NEEDED}


def _services() -> Any:
    """Return jupyterhub's module for services: whoever serves a hub has it, and learners need not."""
    try:
        from jupyterhub.services import auth
    except ImportError as error:
        raise KataError(
            f"--hub needs the hub's own package here: pip install jupyterhub ({error})."
        ) from error
    return auth


class Hub:
    """Knows people by the hub's word, asked anew each minute."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        services = _services()
        self._auth = services.HubOAuth(cache_max_age=CACHE_SECONDS)
        self._failed = services.HTTPError
        self._store = store
        self._clock = clock

    def routes(self, joined: Joined) -> Sequence[web.RouteDef]:
        """Return the end of the hub's OAuth; whoever comes in from the hub has joined."""
        return [web.get("/oauth_callback", self._callback)]

    async def learner(self, request: web.Request) -> Learner | None:
        """Return whose token the request bears, or whose browser it is."""
        user = await self._user(request)
        return None if user is None else self._store.of_account(str(user["name"]), self._clock())

    async def instructs(self, request: web.Request) -> bool:
        """Return whether the hub gives this user the scope of instructors."""
        user = await self._user(request)
        return user is not None and INSTRUCT in user.get("scopes", ())

    async def asks(self, request: web.Request) -> web.StreamResponse:
        """Send the browser to the hub, to come back by _callback; PKCE as of RFC 7636."""
        verifier, challenge, method = self._auth.generate_pkce_code_challenge()
        state = self._auth.generate_state(next_url=request.path, code_verifier=verifier)
        question = {
            "client_id": self._auth.oauth_client_id,
            "redirect_uri": self._auth.oauth_redirect_uri,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": method,
        }
        where = f"{self._auth.oauth_authorization_url}?{urlencode(question, quote_via=quote)}"
        answer = web.Response(status=303, headers={"Location": where})
        self._set(answer, STATE, state, request, STATE_SECONDS)
        return answer

    async def _callback(self, request: web.Request) -> web.StreamResponse:
        state, code = request.query.get("state", ""), request.query.get("code", "")
        if not state or not code or state != request.cookies.get(STATE):
            raise answers.refused(403, "This log-in was not begun here, or long ago: open the board again.")
        verifier, after = self._auth.get_code_verifier(state), self._auth.get_next_url(state)
        self._auth.clear_oauth_state(state)
        token = await self._asked(self._auth.token_for_code(code, code_verifier=verifier, sync=False))
        answer = web.Response(status=303, headers={"Location": after})
        self._set(answer, COOKIE, token, request)
        answer.del_cookie(STATE, path=self._auth.cookie_path)
        return answer

    def _set(
        self, answer: web.Response, name: str, value: str, request: web.Request, seconds: int | None = None
    ) -> None:
        # Lax, since a log-in may come from another site: the one that the hub asks who somebody is.
        secure = request.headers.get("X-Forwarded-Proto", request.scheme).split(",")[0] == "https"
        path = self._auth.cookie_path
        answer.set_cookie(
            name, value, path=path, max_age=seconds, httponly=True, samesite="Lax", secure=secure
        )

    async def _user(self, request: web.Request) -> User | None:
        """Return what the hub says of the request's token, None for nobody; 403 for who may not come in."""
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ").removeprefix("token ")
        token = bearer or request.cookies.get(COOKIE, "")
        user: User | None = await self._asked(self._auth.user_for_token(token, sync=False)) if token else None
        if user is None or user.get("kind") != "user":
            return None
        if not self._auth.check_scopes(self._auth.access_scopes, user):
            raise answers.refused(403, f"The hub does not let {user['name']} into the class.")
        return user

    async def _asked(self, answer: Any) -> Any:
        """Return what the hub answers; 502 where it does not."""
        try:
            return await answer
        except self._failed as error:
            raise answers.refused(502, f"The hub does not say who this is: {error.log_message}.") from error
