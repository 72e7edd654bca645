"""What the instructor orders, and what stands for all: a gate, a timer, a message, what is projected."""

import secrets
from typing import Annotated

import msgspec
from msgspec.structs import replace

from kata_lib.course.outbox.messages import Name

LONGEST_TIMER_SECONDS = 4 * 3600.0

Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_TIMER_SECONDS)]
Line = Annotated[str, msgspec.Meta(max_length=500)]


class SetGate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="gate"):
    """All wait once this check is right until everyone's is; None: they go on."""

    check: Name | None


class SetTimer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="timer"):
    """All have so many seconds from now; 0: there is no timer."""

    seconds: Seconds


class Say(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="message"):
    """A line that all read; "": none."""

    text: Line


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="project"):
    """The predictions for a question are on the projector, with the truth or before it; None: all are."""

    question: str | None
    truth: bool = False


class OfferReset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="offer"):
    """A learner is offered to reset a step, named by its notebook."""

    learner: int
    step: Name


class Remove(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="remove"):
    """A learner is removed, with all that is kept of them."""

    learner: int


ToAll = SetGate | SetTimer | Say | Project
Order = ToAll | OfferReset | Remove


class Standing(msgspec.Struct, frozen=True):
    """What stands; each has an id, so that it is told anew when it is set anew. timer: seconds since 1970."""

    gate: tuple[str, str] | None = None
    timer: tuple[str, float] | None = None
    message: tuple[str, str] | None = None
    projected: str | None = None
    truth: bool = False

    def after(self, order: ToAll, now: float) -> "Standing":
        """Return what stands after an order."""
        id = secrets.token_hex(4)
        match order:
            case SetGate(check):
                return replace(self, gate=(id, check) if check else None)
            case SetTimer(seconds):
                return replace(self, timer=(id, now + seconds) if seconds else None)
            case Say(text):
                line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
                return replace(self, message=(id, line) if line else None)
            case Project(question, truth):
                return replace(self, projected=question, truth=truth)
