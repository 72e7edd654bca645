"""What the live view asks of a release: of our own loop (by_plan.py), or of a controller (by_argo.py)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from kata_lib.delivery.state import Versions
from kata_lib.lab.live.protocol import Metric
from kata_lib.statistics.confidence_sequence import confidence_sequence
from kata_lib.statistics.sequential import Counted
from kata_lib.statistics.shares import in_percent


@dataclass(frozen=True)
class Move:
    """The canary's weight in per cent from `at` on, seconds since 1970; mark: its name in the picture."""

    at: float
    weight: int
    mark: str


@dataclass(frozen=True)
class Told:
    """Where a release stands.

    canary, stable: as the picture names them; versions: their pods' labels. step: the index of the current
    one in steps, their number once it is through, -1 once it is back. may: the commands that make sense.
    figures: rows of the table; decisions: lines, oldest first.
    """

    service: str
    canary: str
    stable: str
    versions: Versions
    status: str
    phase: str
    steps: list[str]
    step: int
    may: list[str]
    moves: list[Move]
    figures: list[Metric]
    decisions: list[str]

    def after(self, move: Move) -> Mapping[str, int]:
        """Return the shares that a move asks for, in percent."""
        shares = {self.canary: move.weight, self.stable: 100 - move.weight}
        return {name: share for name, share in shares.items() if name}


class Source(Protocol):
    """A release as the view sees it."""

    def told(self, since: tuple[Counted, Counted]) -> Told:
        """Return where it stands; since: failures and requests of canary and stable since the last move."""

    def do(self, command: str) -> None:
        """Carry out what a button says; KataError where it cannot be."""


def figure(version: str, metric: str, counted: Counted, least: float | None) -> Metric:
    """Return a version's row in the table of a metric: its requests, and the share of good ones.

    least: the share of good requests that the plan asks for, 0 to 1, None where it asks for none. low and
    high are the confidence sequence's, because a release is watched.
    """
    low, high = confidence_sequence(counted.n - counted.bad, counted.n)
    return Metric(
        version=version,
        metric=metric,
        requests=counted.n,
        good=in_percent(1 - counted.bad / counted.n) if counted.n else None,
        low=in_percent(low),
        high=in_percent(high),
        least=None if least is None else in_percent(least),
    )
