"""The learner's turns: whether one is done, in whatever way, and what stands in where a number is needed.

What is in the cluster counts, so a turn that was done in a terminal is done. A turn whose result later cells
read has something that stands in for it: who goes on without gets true numbers, and is told whose they are.
"""

from collections.abc import Callable
from typing import Any

from kata_lib.course.checks import CheckFailed, unattended
from kata_lib.course.exercises import TURNS
from kata_lib.course.turn import Hands
from kata_lib.errors import KataError


def take(lab: Hands, name: str, made: Any, say: Callable[[str], None]) -> Any:
    """Say whether a turn is done, and return what its cell made, or what stands in for it.

    Raises CheckFailed where nobody watches and it is open.
    """
    if name not in TURNS:
        raise KataError(f"There is no turn {name!r}; there are: {', '.join(TURNS)}.")
    turn = TURNS[name]
    reason = turn.open(lab, made)
    if not reason:
        say("✓ Your turn is done.")
        return turn.result(made)
    if unattended():
        raise CheckFailed(f"The turn {name} is open. {reason}")
    say(f"Your turn above is still open. {reason}")
    if turn.stands_in is None:
        say("Do it here or in a terminal, and run this cell again. The hints say more, one after the other.")
        return None
    say(f"So that the next cells have something to show, this is done in its place: {turn.said}.")
    return turn.stands_in(lab, made)
