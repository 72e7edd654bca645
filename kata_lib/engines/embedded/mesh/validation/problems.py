"""Problems as text, and how Istio puts several into one: as a list, once there are two of them."""

from collections.abc import Sequence


class Listed(str):
    """A problem that Istio shows as a list even when it is the only one."""


def joined(problems: Sequence[str]) -> str:
    """Return the problems as one text (there is at least one)."""
    if len(problems) == 1 and not isinstance(problems[0], Listed):
        return problems[0]
    count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
    points = "\n\t".join(f"* {problem}" for problem in problems)
    return f"{count} occurred:\n\t{points}\n\n"
