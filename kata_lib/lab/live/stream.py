"""The traffic of a live lab: it runs while it should, at a rate that may change, and recovers when broken."""

from collections.abc import Callable
from typing import Protocol

from kata_lib.errors import KataError
from kata_lib.traffic.frames import RequestRecord

RETRY_SECONDS = 5.0


class Traffic(Protocol):
    """What a stream needs of traffic.Sampler."""

    def since(self, number: int) -> tuple[list[RequestRecord], int]: ...
    def stop(self) -> None: ...


class Stream:
    """Traffic at `rate` requests a second; `error` says why there is none, or is "". Times in seconds."""

    def __init__(self, start: Callable[[float], Traffic], rate: float) -> None:
        self.rate = rate
        self.error = ""
        self._start = start
        self._traffic: Traffic | None = None
        self._taken = 0
        self._left: list[RequestRecord] = []
        self._next_start = 0.0

    def keep(self, wanted: bool, now: float) -> None:
        """Start or stop the traffic, as wanted."""
        if not wanted:
            self._stop(now)
        elif self._traffic is None and now >= self._next_start:
            try:
                self._traffic, self._taken = self._start(self.rate), 0
                self.error = ""
            except KataError as error:
                self._broken(error, now)

    def take(self, now: float) -> list[RequestRecord]:
        """Return the records that came since the last call."""
        left, self._left = self._left, []
        if self._traffic is None:
            return left
        try:
            records, self._taken = self._traffic.since(self._taken)
        except KataError as error:
            self._traffic = None
            self._broken(error, now)
            return left
        return left + records

    def change_rate(self, rate: float, now: float) -> None:
        """Go on at another rate."""
        if rate != self.rate:
            self.rate = rate
            self._stop(now)

    def _stop(self, now: float) -> None:
        if self._traffic is None:
            return
        traffic, self._traffic = self._traffic, None
        try:
            traffic.stop()
            self._left += traffic.since(self._taken)[0]
        except KataError as error:
            self._broken(error, now)

    def _broken(self, error: KataError, now: float) -> None:
        self.error = str(error)
        self._next_start = now + RETRY_SECONDS
