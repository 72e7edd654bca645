"""When to send a frame and when to send traffic, from what the browser was heard to say. Times in seconds.

A browser that is gone is not reported to the kernel, and what is sent to it piles up in the server. So each
frame waits for the answer to the one before.
"""

from typing import Literal

FRAME_SECONDS = 0.1
CALM_FRAME_SECONDS = 0.5  # for those who ask their system for reduced motion
DRAWING_SECONDS = 3.0
TRAFFIC_SECONDS = 60.0

Due = Literal["nothing", "news", "snapshot"]


class Pace:
    """Decides from moments alone; `now` is any clock that does not go back."""

    def __init__(self, now: float) -> None:
        self._heard = now
        self._sent: float | None = None
        self._next = now
        self._there = False
        self._snapshot = True
        self._interval = FRAME_SECONDS

    def shown(self, now: float, calm: bool) -> None:
        """Note that a browser shows the widget anew: it has nothing yet."""
        self._there, self._snapshot, self._sent = True, True, None
        self._interval = CALM_FRAME_SECONDS if calm else FRAME_SECONDS
        self._heard, self._next = now, now

    def answered(self, now: float) -> None:
        """Note that the browser has drawn the last frame; after a long silence it gets everything once."""
        self._snapshot = self._snapshot or not self.drawing(now)
        self._sent = None
        self._heard = now

    def heard(self, now: float) -> None:
        """Note that a person did something."""
        self._heard = now

    def sent(self, now: float) -> None:
        """Note that a frame was sent."""
        self._sent, self._snapshot = now, False
        # From when it was due, not from when it was sent: lateness does not add up.
        self._next = max(self._next + self._interval, now)

    def due(self, now: float) -> Due:
        """Return which frame may be sent now."""
        if not self._there or self._sent is not None or now < self._next:
            return "nothing"
        return "snapshot" if self._snapshot else "news"

    def drawing(self, now: float) -> bool:
        """Tell whether the browser keeps up with what it is sent."""
        return self._there and (self._sent is None or now - self._sent < DRAWING_SECONDS)

    def traffic(self, now: float) -> bool:
        """Tell whether anybody was there lately."""
        return now - self._heard < TRAFFIC_SECONDS

    def rest(self, now: float) -> float:
        """Return for how many seconds nothing is due unless the browser speaks."""
        if not self.traffic(now):
            return TRAFFIC_SECONDS
        if self._sent is not None or not self._there:
            return self._interval
        return min(self._interval, max(0.0, self._next - now))
