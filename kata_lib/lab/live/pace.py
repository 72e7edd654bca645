"""When to send a frame and when to send traffic, from what the browser was heard to say. Times in seconds.

A browser that is gone is not reported to the kernel, and what is sent to it piles up in the server. So the
browser says every two seconds which frame it has drawn, and what it has not drawn is bounded. Not each frame
is answered: every word of the browser makes the kernel tell all listeners that it is busy and idle again.
"""

from collections import deque
from typing import Literal

CALM_FRAME_SECONDS = 0.5  # for those who ask their system for reduced motion
WINDOW = 30  # frames on their way
DRAWING_SECONDS = 3.0
TRAFFIC_SECONDS = 60.0

Due = Literal["nothing", "news", "snapshot"]


class Pace:
    """Decides from moments alone; `now` is any clock that does not go back. frame: seconds between frames."""

    def __init__(self, now: float, frame: float) -> None:
        self._heard = self._next = now
        self._usual = self._interval = frame
        self._under_way: deque[tuple[int, float]] = deque()
        self._there = False
        self._snapshot = True

    def shown(self, now: float, calm: bool) -> None:
        """Note that a browser shows the widget anew: it has nothing yet."""
        self._there, self._snapshot = True, True
        self._under_way.clear()
        self._interval = max(self._usual, CALM_FRAME_SECONDS) if calm else self._usual
        self._heard, self._next = now, now

    def drawn(self, number: int, now: float) -> None:
        """Note that the browser has drawn a frame; after a long silence it gets everything once."""
        self._snapshot = self._snapshot or not self.drawing(now)
        while self._under_way and self._under_way[0][0] <= number:
            self._under_way.popleft()
        self._heard = now

    def heard(self, now: float) -> None:
        """Note that a person did something, and waits for the picture of it."""
        self._heard = self._next = now

    def renew(self) -> None:
        """Let the next frame hold everything."""
        self._snapshot = True

    def sent(self, number: int, now: float) -> None:
        """Note that a frame was sent."""
        self._under_way.append((number, now))
        self._snapshot = False
        # From when it was due, not from when it was sent: lateness does not add up.
        self._next = max(self._next + self._interval, now)

    def due(self, now: float) -> Due:
        """Return which frame may be sent now."""
        if now < self._next or not self.drawing(now) or len(self._under_way) >= WINDOW:
            return "nothing"
        return "snapshot" if self._snapshot else "news"

    def drawing(self, now: float) -> bool:
        """Return whether the browser keeps up with what it is sent."""
        return self._there and (not self._under_way or now - self._under_way[0][1] < DRAWING_SECONDS)

    def traffic(self, now: float) -> bool:
        """Return whether anybody was there lately."""
        return now - self._heard < TRAFFIC_SECONDS

    def rest(self, now: float) -> float:
        """Return for how many seconds nothing is due unless the browser speaks."""
        if not self.traffic(now):
            return TRAFFIC_SECONDS
        if not self.drawing(now) or len(self._under_way) >= WINDOW:
            return self._interval
        return min(self._interval, max(0.0, self._next - now))
