"""What a learner's kernel tells the class's board, and nothing else ever leaves it: one type a kind.

A message has an id, so that one sent twice counts once. Texts are cut where they are made: the board refuses
longer ones.
"""

import secrets
from typing import Annotated, Literal

import msgspec

MOST_AT_ONCE = 50
"""Messages of one request."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
LONGEST_TEXT = 4_000
LONGEST_ANALYSIS = 20_000
LONGEST_REPORT = 2_000_000
MOST_BYTES = 2 * LONGEST_REPORT + 10_000
"""Of one request: a report, some characters of which take two bytes, or fifty messages with an analysis."""
Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
Long = Annotated[str, msgspec.Meta(max_length=LONGEST_ANALYSIS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message; when: seconds since 1970, by the learner's clock."""

    id: Id = msgspec.field(default_factory=lambda: secrets.token_hex(8))
    when: float


class Verdict(Message, tag="verdict", frozen=True):
    """What a check said, with the finding in its own words."""

    check: Name
    verdict: Literal["right", "wrong", "not enough yet"]
    finding: Text = ""


class Prediction(Message, tag="prediction", frozen=True):
    """A number that was said before the truth was shown, in the question's unit."""

    question: Name
    value: Annotated[float, msgspec.Meta(ge=0, le=1e12)]


class Counts(Message, tag="counts", frozen=True):
    """How many requests of one sample each version answered; failed ones are of none."""

    requests: Count
    versions: Annotated[dict[Name, Count], msgspec.Meta(max_length=20)]


class Hand(Message, tag="hand", frozen=True):
    """A hand raised, with the last finding and what `kata analyze` says; or taken down."""

    up: bool
    finding: Text = ""
    analysis: Long = ""


class Quiz(Message, tag="quiz", frozen=True):
    """The answers of the quiz before or after, a letter by each item's name."""

    part: Literal["before", "after"]
    answers: Annotated[dict[Name, Literal["a", "b", "c", "d"]], msgspec.Meta(max_length=20)]


class Answer(Message, tag="answer", frozen=True):
    """What became of the instructor's offer to reset a step; the learner's own machine did it, or did not."""

    offer: Count
    accepted: bool


class Report(Message, tag="report", frozen=True):
    """The learner's report as `kata report` writes it, sent by hand: one page of HTML."""

    page: Annotated[str, msgspec.Meta(max_length=LONGEST_REPORT)]


Said = Verdict | Prediction | Counts | Hand | Quiz | Answer | Report


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one request carries; sent: when, by the same clock as the messages', which need not be right."""

    messages: Annotated[list[Said], msgspec.Meta(max_length=MOST_AT_ONCE)]
    sent: float = 0.0
