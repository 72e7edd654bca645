"""How long to wait before something that failed is done again."""

FIRST_SECONDS = 0.01
LAST_SECONDS = 10.0


def back_off(failures: int, first: float = FIRST_SECONDS) -> float:
    """Return the seconds to wait after so many failures, from 1 on: twice as long each time, ten at most."""
    return float(min(first * 2.0 ** min(failures - 1, 30), LAST_SECONDS))
