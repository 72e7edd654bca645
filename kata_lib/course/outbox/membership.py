"""Which class a learner is in, if any: joined by a code, or by itself in a JupyterHub, and left at any time.

<state folder>/NAME.class.json    of the cluster NAME, readable by its owner only; `kata down` keeps it

In a hub no file is needed: KATA_CLASS_URL says where the board is, and the token with which JupyterHub
started the learner's server speaks for them there. A file that says "left" is stronger.
"""

import os
import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from kata_lib import engines, files, machine
from kata_lib.errors import KataError

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 5.0
STREAM_SECONDS = 60.0
"""The board pings a stream four times as often; before a minute is over, one without a ping is given up."""
IN_HUB = ("KATA_CLASS_URL", "JUPYTERHUB_API_TOKEN")
"""The environment variables that put a kernel into a hub's class."""


class ClassError(KataError):
    """The class's board cannot be reached, or refuses; the text says which and what to do."""


class Membership(msgspec.Struct, frozen=True):
    """Where the board is, who the learner is there, and the token that speaks for them."""

    url: str
    name: str
    token: str
    left: bool = False


def place() -> Path:
    """Return the file of the cluster that KATA_NAME names."""
    return machine.state_folder() / f"{engines.cluster_name()}.class.json"


def current() -> Membership | None:
    """Return the class that the learner is in; None for none."""
    try:
        kept = msgspec.json.decode(place().read_bytes(), type=Membership)
    except (OSError, msgspec.MsgspecError):
        return _of_hub()
    return None if kept.left else kept


def _of_hub() -> Membership | None:
    url, token = (os.environ.get(name, "") for name in IN_HUB)
    if not url or not token:
        return None
    return Membership(url.rstrip("/"), os.environ.get("JUPYTERHUB_USER", ""), token)


def join(url: str, code: str, name: str) -> Membership:
    """Join a class by its code; ClassError where that cannot be, or another class is to be left first."""
    _in_none()
    url = _address(url)
    answer = asked(url, "POST", "/api/join", content={"code": code, "name": name})
    made = Membership(url, name, str(msgspec.json.decode(answer)["token"]))
    _keep(made)
    return made


def join_hubs() -> Membership:
    """Be in the hub's class again after leaving it; ClassError outside a hub."""
    _in_none()
    if (of_hub := _of_hub()) is None:
        missing = " and ".join(name for name in IN_HUB if not os.environ.get(name))
        raise ClassError(
            f"Here is no JupyterHub with a class ({missing} not set): kata class join URL --code CODE."
        )
    place().unlink(missing_ok=True)
    return of_hub


def _in_none() -> None:
    if (already := current()) is not None:
        raise ClassError(f"You are in the class at {already.url}. `kata class leave` leaves it.")


def _keep(membership: Membership) -> None:
    place().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_text(place(), msgspec.json.encode(membership).decode())


def kept(membership: Membership) -> bytes:
    """Return all that the board keeps of the learner, as JSON; raises ClassError."""
    return asked(membership.url, "GET", "/api/me", membership.token)


def forget(membership: Membership) -> None:
    """Have the board remove all that it keeps of the learner; raises ClassError."""
    asked(membership.url, "DELETE", "/api/me", membership.token)


def page(membership: Membership) -> str:
    """Return where the learner's own page is: in a hub its path there, else a link that opens it once."""
    if membership == _of_hub():
        return f"{urlsplit(membership.url).path}/me"
    answer = asked(membership.url, "POST", "/api/me/key", membership.token)
    return f"{membership.url}/me?key={msgspec.json.decode(answer)['key']}"


def leave() -> None:
    """Be in no class any more: nothing is sent from now on."""
    if _of_hub() is None:
        place().unlink(missing_ok=True)
    else:
        _keep(Membership("", "", "", left=True))


def asked(url: str, method: str, path: str, token: str = "", content: object = None) -> bytes:
    """Ask the board and return its answer's body; ClassError where there is none, or a refusal."""
    import httpx2

    body = None if content is None else msgspec.json.encode(content)
    patience = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    try:
        answer = httpx2.request(
            method, url + path, headers=_speaks(token), content=body, timeout=patience, verify=_trusted()
        )
    except httpx2.HTTPError as error:
        raise ClassError(f"The board at {url} does not answer: {error}.") from error
    _accepted(url, answer)
    return answer.content


def lines(membership: Membership, path: str) -> Iterator[str]:
    """Yield the lines of a stream of the board's until it ends; ClassError as of `asked`."""
    import httpx2

    url, headers = membership.url, _speaks(membership.token)
    patience = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, read=STREAM_SECONDS)
    try:
        with httpx2.stream("GET", url + path, headers=headers, timeout=patience, verify=_trusted()) as answer:
            if not answer.is_success:
                answer.read()
            _accepted(url, answer)
            yield from answer.iter_lines()
    except httpx2.HTTPError as error:
        raise ClassError(f"The board at {url} does not answer: {error}.") from error


@cache
def _trusted() -> ssl.SSLContext:
    """Return the authorities that https is trusted by; reading them costs more than a request."""
    import httpx2

    return httpx2.create_ssl_context()


def _speaks(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _accepted(url: str, answer: "httpx2.Response") -> None:
    """Raise Refused for an answer that is no success."""
    if answer.is_success:
        return
    try:
        why = str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        why = f"HTTP {answer.status_code}: is this the address of a board?"
    raise Refused(answer.status_code, f"The board at {url} refuses. {why}")


class Refused(ClassError):
    """The board answered, and refused; `code` is the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _address(text: str) -> str:
    """Return a board's address without what follows it; ClassError for what is none."""
    found = urlsplit(text if "//" in text else f"http://{text}")
    if found.scheme not in ("http", "https") or not found.hostname:
        raise ClassError(f"{text!r} is no address of a board; expected is such as http://192.0.2.7:8780.")
    return f"{found.scheme}://{found.netloc}"
