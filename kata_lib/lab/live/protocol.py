"""What the kernel and the browser say to each other: the one list of it, for both.

The kernel's half is written with these types. The browser's half is checked against view/protocol.d.ts, which
`python tests/unit/protocol_types.py` writes from them. Seconds count from the beginning of a view, shares are
in per cent, latencies in milliseconds.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from kata_lib.lab.live.settings import RATES

Percent = Annotated[int, Meta(ge=0, le=100)]
Rate = Annotated[int, Meta(ge=1, le=RATES[-1])]


class _Said(Struct, frozen=True, tag_field="type"):
    """What one half says to the other."""


class Shown(_Said, frozen=True, tag="shown"):
    """The browser shows the view anew, and has nothing yet; calm: for a person who wants less motion."""

    calm: bool


class Drawn(_Said, frozen=True, tag="drawn"):
    """The browser has drawn the frame of this number, and those before it."""

    number: int


class SetWeight(_Said, frozen=True, tag="weight"):
    """A person chose a version's weight; version: None for the newest. number: what `handled` returns.

    settle: it comes from a control that may still be dragged, so it waits until no other one follows.
    """

    value: Percent
    version: str | None = None
    number: int = 0
    settle: bool = False


class SetRunning(_Said, frozen=True, tag="run"):
    """A person stopped the traffic, or let it go on."""

    value: bool


class SetRate(_Said, frozen=True, tag="rate"):
    """A person chose how many requests a second to send."""

    value: Rate


class Clear(_Said, frozen=True, tag="clear"):
    """A person wants what was measured to be forgotten."""


class Decide(_Said, frozen=True, tag="do"):
    """A person pressed a button of a release; command: one of the settings' commands."""

    command: str


Message = Shown | Drawn | SetWeight | SetRunning | SetRate | Clear | Decide
"""What the browser says."""


class VersionSecond(Struct, frozen=True, array_like=True):
    """A version's second: its share of the answers with its 95 % interval, its failures, its latencies.

    share, low, high: None where nothing was answered. failed: per cent of the version's own requests; of
    everybody's for those that name no version. p50, p95: of its answers, None where it gave none.
    """

    share: float | None
    low: float | None
    high: float | None
    failed: float
    p50: float | None
    p95: float | None


class Second(Struct, frozen=True, array_like=True):
    """The requests of one second, by when they were sent; failed: per cent of all of them."""

    second: int
    answers: int
    failed: float
    versions: dict[str, VersionSecond]


class MarkedChange(Struct, frozen=True):
    """The weights that were asked for from a moment on; None where nothing asks.

    mark: the words at the mark in the picture, None for no mark.
    """

    number: int
    at: float
    before: Mapping[str, float] | None
    after: Mapping[str, float] | None
    mark: str | None


class LabChange(MarkedChange, frozen=True):
    """A change in the live lab, and after how long and how many answers it was seen."""

    by: Literal["you", "elsewhere"]
    seen_ms: float | None
    requests: int | None


class VersionShare(Struct, frozen=True):
    """A version's answers since the last change; share: None of no answers."""

    version: str
    count: int
    share: float | None
    low: float
    high: float


class Latency(Struct, frozen=True, array_like=True):
    """A version's last ten seconds; None where nothing was answered."""

    p50: float | None
    p95: float | None
    failed: int


class Recent(Struct, frozen=True):
    """The last ten seconds: requests a second, failures, and each version's latencies."""

    rate: float
    failed: int
    versions: dict[str, Latency]


class LastAnswer(Struct, frozen=True, array_like=True):
    """One of the last answers, in its own words."""

    version: str
    failed: bool
    text: str


class LabWords(Struct, frozen=True):
    """What stands beside the live lab's picture.

    pods: each version's share if only the number of its pods decided. handled: the last weight's number.
    """

    since: list[VersionShare]
    recent: Recent
    last: list[LastAnswer]
    movable: bool
    pods: Mapping[str, float]
    rate: float
    handled: int
    running: bool
    note: str


class LabNews(Struct, frozen=True, omit_defaults=True, tag_field="view", tag="lab"):
    """What is new in the live lab; whole: everything, and what was there before is no longer."""

    whole: bool
    now: float
    seconds: list[Second]
    changes: list[LabChange]
    words: LabWords | None = None


class GraphNews(Struct, frozen=True, omit_defaults=True, tag_field="view", tag="graph"):
    """The graph as SVG and in words; without a new one the note says why."""

    note: str
    svg: str = ""
    alt: str = ""


class Metric(Struct, frozen=True):
    """What was counted of a version since the weight last changed; least: the good ones asked for."""

    version: str
    metric: str
    requests: int
    good: float | None
    low: float
    high: float
    least: float | None


class Standing(Struct, frozen=True):
    """Where a release stands; step: the current one's index in steps, -1 once it is back."""

    status: str
    phase: str
    steps: list[str]
    step: int
    may: list[str]
    metrics: list[Metric]
    decisions: list[str]


class ReleaseWords(Struct, frozen=True, omit_defaults=True):
    """What stands beside a release's picture; without a standing the note says why."""

    note: str
    standing: Standing | None = None


class ReleaseNews(Struct, frozen=True, tag_field="view", tag="release"):
    """A release; each frame holds everything."""

    whole: Literal[True]
    now: float
    seconds: list[Second]
    changes: list[MarkedChange]
    words: ReleaseWords


News = LabNews | GraphNews | ReleaseNews
"""What a frame of each kind of view holds."""


class Frame(_Said, frozen=True, tag="frame"):
    """What the kernel sends; the browser says which number it has drawn."""

    number: int
    news: News


def read(content: object) -> Message:
    """Return a message of the browser; msgspec.ValidationError says what was expected, and where."""
    message: Message = msgspec.convert(content, Message)
    return message


def plain(value: Struct) -> dict[str, Any]:
    """Return what goes to the browser as JSON's own types."""
    made: dict[str, Any] = msgspec.to_builtins(value)
    return made
