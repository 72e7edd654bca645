"""How a learner stands on the class's board, in words for a terminal."""

from collections.abc import Iterator, Sequence

from kata_lib.course.inbox.told import Told

_SIGNS = {"right": "✓", "wrong": "✗", "not enough yet": "…"}


def standing(told: Told, waiting: int) -> list[str]:
    """Return what the board says to a learner, a line each; waiting: messages that were not sent yet."""
    lines = [f"{told.name} on the class's board:", *_steps(told), *_set(told)]
    lines += [f"  predicted: {value:g} for {question}" for question, value in told.predictions.items()]
    if told.hand is not None:
        lines.append("  Your hand is up.")
    if told.report is not None:
        lines.append("  Your instructor has your report.")
    if waiting:
        lines.append(f"  Not sent yet: {waiting} messages.")
    return [*lines, "`kata class mine --json` shows all that it keeps of you, `kata class leave` leaves."]


def _steps(told: Told) -> Iterator[str]:
    for step, checks in told.steps.items():
        if any(check in told.verdicts for check in checks):
            yield f"  {step:<24} {', '.join(_signed(told, checks))}"


def _signed(told: Told, checks: Sequence[str]) -> Iterator[str]:
    for check in checks:
        said = told.verdicts.get(check, "")
        yield f"{_SIGNS.get(said, '·')} {check}" + (" (stuck)" if check == told.stuck else "")


def _set(told: Told) -> Iterator[str]:
    if told.message is not None:
        yield f"  Your instructor: {told.message.text}"
    if told.timer is not None:
        yield f"  The instructor's timer: {told.timer.left:.0f} s are left."
    if told.gate is not None:
        yield f"  The class meets at {told.gate.check}: {told.gate.here} of {told.gate.of} are there."
    if told.offer is not None:
        yield f"  A reset of {told.offer.step} is offered: `kata class reset`, or with `--decline`."
