"""What the class's board tells a learner: how they stand themselves, and what the instructor set for all."""

from collections.abc import Mapping, Sequence

import msgspec


class Gate(msgspec.Struct, frozen=True):
    """All wait once their check is right, until everyone's is; here: how many of them are there already."""

    id: str
    check: str
    here: int
    of: int


class Timer(msgspec.Struct, frozen=True):
    """A time that is given to all; left: seconds, 0 once it is over."""

    id: str
    left: float


class Note(msgspec.Struct, frozen=True):
    """A message of the instructor's to all."""

    id: str
    text: str


class Offer(msgspec.Struct, frozen=True):
    """The instructor offers to reset a step, a notebook's name; the learner does it, or declines."""

    number: int
    step: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """All that the board says to one learner.

    steps: each notebook's checks. verdicts: the last of each check. hand, report: since when, seconds since
    1970. stuck: on which check the board lists them as stuck, "" for none.
    """

    name: str
    steps: Mapping[str, Sequence[str]]
    verdicts: Mapping[str, str]
    predictions: Mapping[str, float]
    hand: float | None = None
    report: float | None = None
    stuck: str = ""
    gate: Gate | None = None
    timer: Timer | None = None
    message: Note | None = None
    offer: Offer | None = None
