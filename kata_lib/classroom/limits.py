"""How often somebody may ask: so many times a minute, and no more kept of who asked than need be."""

import time
from collections import deque
from collections.abc import Callable, Hashable

WINDOW_SECONDS = 60.0


class Limits:
    """Counts what each asker did within the last minute; most: how often one may."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._asked: dict[Hashable, deque[float]] = {}

    def count(self, who: Hashable) -> None:
        """Note that an asker did it once more."""
        self._asked.setdefault(who, deque(maxlen=self._most)).append(self._clock())

    def spent(self, who: Hashable) -> bool:
        """Return whether an asker did it as often as one may."""
        self._forget(self._clock() - WINDOW_SECONDS)
        return len(self._asked.get(who, ())) >= self._most

    def _forget(self, before: float) -> None:
        for who, asked in list(self._asked.items()):
            while asked and asked[0] <= before:
                asked.popleft()
            if not asked:
                del self._asked[who]
