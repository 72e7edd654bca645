"""One learner of the class: which checks they did, on what they are stuck, whether their hand is up.

Somebody is stuck who was told the same twice, figures aside, or who has been at a check for twice as long as
half of the others took for it. Who said nothing for AWAY_SECONDS is away.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from kata_lib.classroom.store import Learner, Offered, Received
from kata_lib.course.outbox.messages import Answer, Counts, Hand, Report, Verdict

FEW = 10
"""Requests of the samples that are pooled: those of notebook 02's first look."""
AWAY_SECONDS = 3600.0

_FIGURES = re.compile(r"\d[\d.,]*")


class Stuck(msgspec.Struct, frozen=True):
    """The check on which somebody is stuck, since when (seconds since 1970), the finding; "": not tried."""

    check: str
    since: float
    finding: str


class Raised(msgspec.Struct, frozen=True):
    """A raised hand: since when, the last finding, and what `kata analyze` says."""

    since: float
    finding: str
    analysis: str


class _Told(msgspec.Struct, frozen=True):
    """What a check said last; since and times: how long, and how often, it says the same."""

    verdict: str
    finding: str
    since: float
    times: int = 1

    def then(self, at: float, verdict: Verdict) -> "_Told":
        """Return this after one more verdict; of the same ones the first is kept."""
        if _FIGURES.sub("", verdict.finding) != _FIGURES.sub("", self.finding):
            return _Told(verdict.verdict, verdict.finding, at)
        return msgspec.structs.replace(self, verdict=verdict.verdict, times=self.times + 1)


class Seat:
    """What is known of one learner; plan: the class's checks in their order, and no other is noted."""

    def __init__(self, learner: Learner, plan: Sequence[str]) -> None:
        self.learner = learner
        self.last: float | None = None
        self.took: dict[str, float] = {}
        self.few: Counter[int] = Counter()
        self.hand: Raised | None = None
        self.report: float | None = None
        self.offered: Offered | None = None
        self._plan = plan
        self._told: dict[str, _Told] = {}
        self._right: dict[str, None] = {}
        self._since = learner.joined or None

    def take(self, received: Received) -> bool:
        """Note a message; return whether one more check is right."""
        at, message, right = received.received, received.message, len(self._right)
        self.last = max(at, self.last or at)
        self._since = at if self._since is None else self._since
        match message:
            case Verdict(check=check) if check in self._plan and check not in self._right:
                self._note(at, message)
            case Counts(requests=requests) if requests == FEW:
                self.few[min(message.versions.get("v2", 0), FEW)] += 1
            case Hand():
                self.hand = Raised(at, message.finding, message.analysis) if message.up else None
            case Report():
                self.report = at
            case Answer(offer=number) if self.offered and self.offered.offer.number == number:
                self.offered = Offered(self.offered.offer, message.accepted)
        return len(self._right) > right

    def _note(self, at: float, verdict: Verdict) -> None:
        check = verdict.check
        before = self._told.get(check)
        self._told[check] = (
            before.then(at, verdict) if before else _Told(verdict.verdict, verdict.finding, at)
        )
        if verdict.verdict != "right":
            return
        self._right[check] = None
        if (
            self._since is not None and at >= self._since
        ):  # what was right before they joined took nobody knows how long
            self.took[check] = at - self._since
            self._since = at

    def is_right(self, check: str) -> bool:
        """Return whether a check was right."""
        return check in self._right

    def verdicts(self) -> dict[str, str]:
        """Return the last verdict of each check, or right once it was."""
        return {check: told.verdict for check, told in self._told.items()}

    def stuck(self, now: float, usual: Mapping[str, float]) -> Stuck | None:
        """Return on what the learner is stuck; usual: seconds that half of the others took for a check."""
        if self._since is None or now - (self.last or self._since) > AWAY_SECONDS:
            return None
        tried = {check: told for check, told in self._told.items() if check not in self._right}
        for check, told in tried.items():
            if told.times > 1:
                return Stuck(check, told.since, told.finding)
        for check in [*tried, *self._next()]:
            if now - self._since > 2 * usual.get(check, float("inf")):
                return Stuck(check, self._since, tried[check].finding if check in tried else "")
        return None

    def _next(self) -> list[str]:
        """Return the check that follows the last one that was right, if it is one that is not."""
        last = next(reversed(self._right), None)
        place = 0 if last is None else self._plan.index(last) + 1
        return [check for check in self._plan[place : place + 1] if check not in self._right]
