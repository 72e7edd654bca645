"""How long it takes until so many failures come in a row."""

from math import inf


def until(length: int, failing: float) -> float:
    """Return how many requests it takes on average until `length` in a row fail.

    failing: the share that fails, 0 to 1, independently of each other; infinity where none does. Source: W.
    Feller, An Introduction to Probability Theory and Its Applications, vol. 1, XIII.7.
    """
    if failing <= 0:
        return inf
    if failing >= 1:
        return float(length)
    return (1 - failing**length) / (failing**length * (1 - failing))
