"""The class's board under a whole class: from a check to what the instructor sees, and whether memory grows.

The board is `kata class serve` as a process of its own (`served`). Each learner joins by the code, keeps
their stream open, and tells of a check every 20 s on a connection of its own, as a kernel does; one more
client reads the instructor's stream (`simulated`).
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import combinations
from math import sqrt
from statistics import NormalDist

from bench.board import simulated
from bench.board.simulated import Noted
from bench.results import Figure, percentile
from bench.soak import course, slope
from kata_lib.errors import KataError

LEARNERS = 300
EFFECT_GOAL = 2.0
GROWTH_GOAL = 5.0
"""MB in the time that was watched, at most, with CONFIDENCE."""
CONFIDENCE = 0.99


def measure(learners: int, minutes: float, say: Callable[[str], None]) -> list[Figure]:
    """Have so many learners in a class for so many minutes; its state is in $KATA_HOME."""
    noted = asyncio.run(simulated.hold(learners, 60 * minutes, say))
    if not noted.seen["board"]:
        raise KataError(f"Of {noted.told:,} checks none was on the board; {noted.failed:,} were refused.")
    return figures(noted, learners, minutes)


def figures(noted: Noted, learners: int, minutes: float) -> list[Figure]:
    """Return the figures of a class that had so many minutes."""
    board, own = noted.seen["board"], noted.seen["own"]
    lost = noted.told - len(board)
    how = f"{learners} learners, {noted.told:,} checks in {minutes:g} minutes; slowest {max(board):.2f} s"
    return [
        Figure("board: from a check to the board, p50", percentile(board, 50), "s"),
        Figure("board: from a check to the board, p95", percentile(board, 95), "s", EFFECT_GOAL, how=how),
        Figure("board: from a check to one's own page, p95", percentile(own or [0.0], 95), "s"),
        Figure("board: checks that never showed", lost, "checks", 0, how=f"{noted.failed} were refused"),
        Figure("board: streams that broke", noted.broke, "streams", 0, how=f"of {learners + 1}"),
        *_memory(noted.memory),
        Figure("board: its process", 100 * noted.busy, "% of a core"),
    ]


def _memory(samples: Sequence[float]) -> list[Figure]:
    """Return by how much memory grows at most; nothing of too few samples."""
    if len(samples) < 3:
        return []
    low, high = (limit * len(samples) for limit in slopes(samples, CONFIDENCE))
    how = f"{CONFIDENCE:.0%} from {low:.2f} to {high:.2f}; {course(samples)}"
    return [
        Figure("board: growth of its memory", slope(samples) * len(samples), "MB"),
        Figure("board: growth, upper limit", high, "MB", GROWTH_GOAL, how=how),
    ]


def slopes(series: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return the interval of a series' slope a sample (Sen 1968, by Kendall's variance without ties)."""
    n = len(series)
    found = sorted(
        (later - sooner) / (j - i) for (i, sooner), (j, later) in combinations(enumerate(series), 2)
    )
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    half = z * sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low, high = round((len(found) - half) / 2) - 1, round((len(found) + half) / 2)
    return found[max(low, 0)], found[min(high, len(found) - 1)]
