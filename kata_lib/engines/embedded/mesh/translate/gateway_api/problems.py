"""What is wrong with a rule, in the words of istiod."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem(Exception):
    """A reason, as conditions have it, and a sentence. Raised, it takes all of the route's rules away."""

    reason: str
    message: str


def joined(one: Problem | None, other: Problem | None) -> Problem | None:
    """Return two problems of a rule as one; the first one's reason counts."""
    if one is None or other is None:
        return one or other
    return Problem(one.reason, f"{one.message}; {other.message}")
