"""Which class a learner is in, if any: joined by a code, left at any time.

<state folder>/NAME.class.json    of the cluster NAME, readable by its owner only; `kata down` keeps it
"""

from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import msgspec

from kata_lib import engines, files, machine
from kata_lib.errors import KataError

PATIENCE = httpx2.Timeout(5, connect=3)


class ClassError(KataError):
    """The class's board cannot be reached, or refuses; the text says which and what to do."""


class Membership(msgspec.Struct, frozen=True):
    """Where the board is, who the learner is there, and the token that speaks for them."""

    url: str
    name: str
    token: str


def place() -> Path:
    """Return the file of the cluster that KATA_NAME names."""
    return machine.state_folder() / f"{engines.cluster_name()}.class.json"


def current() -> Membership | None:
    """Return the class that the learner is in; None for none."""
    try:
        return msgspec.json.decode(place().read_bytes(), type=Membership)
    except (OSError, msgspec.MsgspecError):
        return None


def join(url: str, code: str, name: str) -> Membership:
    """Join a class by its code; ClassError where that cannot be, or another class is to be left first."""
    if (already := current()) is not None:
        raise ClassError(f"You are in the class at {already.url}. `kata class leave` leaves it.")
    url = _address(url)
    answer = asked(url, "POST", "/api/join", content={"code": code, "name": name})
    made = Membership(url, name, str(msgspec.json.decode(answer)["token"]))
    place().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_text(place(), msgspec.json.encode(made).decode())
    return made


def kept(membership: Membership) -> bytes:
    """Return all that the board keeps of the learner, as JSON; raises ClassError."""
    return asked(membership.url, "GET", "/api/me", membership.token)


def forget(membership: Membership) -> None:
    """Have the board remove all that it keeps of the learner; raises ClassError."""
    asked(membership.url, "DELETE", "/api/me", membership.token)


def leave() -> None:
    """Be in no class any more: nothing is sent from now on."""
    place().unlink(missing_ok=True)


def asked(url: str, method: str, path: str, token: str = "", content: object = None) -> bytes:
    """Ask the board and return its answer's body; ClassError where there is none, or a refusal."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = None if content is None else msgspec.json.encode(content)
    try:
        answer = httpx2.request(method, url + path, headers=headers, content=body, timeout=PATIENCE)
    except httpx2.HTTPError as error:
        raise ClassError(f"The board at {url} does not answer: {error}.") from error
    if answer.is_success:
        return answer.content
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
