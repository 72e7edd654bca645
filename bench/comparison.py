"""Two files of figures side by side: what changed, and what is no more than runs differ among themselves.

A figure that was measured several times (`--repeat`) has a spread, from its lowest value to its highest.
Where two spreads do not meet, the figure has changed. Of n and m runs of the same program that happens by
chance with probability 2 n! m! / (n + m)!: one time in ten for 3 and 3, one in 126 for 5 and 5.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path
from statistics import median

from kata_lib.errors import KataError

Values = Mapping[str, Sequence[float]]
"""The values of each figure by what it measures."""


@dataclass(frozen=True)
class Compared:
    """One figure in both files, by its name: the values before and now."""

    what: str
    before: Sequence[float]
    now: Sequence[float]

    @property
    def change(self) -> float | None:
        """Return by which part the median grew; None from 0."""
        base = median(self.before)
        return median(self.now) / base - 1 if base else None

    @property
    def verdict(self) -> str:
        """Return whether the spreads meet, or that one run each tells nothing."""
        if len(self.before) == len(self.now) == 1:
            return "one run each"
        apart = min(self.now) > max(self.before) or max(self.now) < min(self.before)
        return f"changed, by chance {self.by_chance:.1g}" if apart else "within the spread"

    @property
    def by_chance(self) -> float:
        """Return how often spreads of the same program do not meet."""
        return 2 / comb(len(self.before) + len(self.now), len(self.now))


def values(rows: Iterable[tuple[str, float]]) -> Values:
    """Return the values of each figure, from pairs of name and value."""
    found: dict[str, list[float]] = {}
    for what, value in rows:
        found.setdefault(what, []).append(value)
    return found


def read(file: Path) -> Values:
    """Return the values of a file that `--json` wrote; KataError where it is none."""
    try:
        return values((row["what"], float(row["value"])) for row in json.loads(file.read_text())["figures"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KataError(f"{file}: expected figures as --json writes them, found {error!r}.") from error


def compare(before: Values, now: Values) -> list[Compared]:
    """Return the figures that both have, in the order of the newer."""
    return [Compared(what, before[what], found) for what, found in now.items() if what in before]
