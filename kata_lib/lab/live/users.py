"""The live picture of users and requests: so many people ask, and it shows whom of them a version has met.

Drawn anew every two seconds, by the kernel, as the live graph is.
"""

from contextlib import suppress
from typing import TYPE_CHECKING

from kata_lib.cluster import waiting
from kata_lib.course.application import Sampler
from kata_lib.errors import KataError, WaitTimeout
from kata_lib.lab.lab import Lab
from kata_lib.lab.live.handle import LiveView
from kata_lib.lab.live.loop import Subject
from kata_lib.lab.live.protocol import GraphNews
from kata_lib.lab.live.widget import GraphWidget
from kata_lib.pictures import meeting
from kata_lib.pictures.stills import Still

if TYPE_CHECKING:
    import pandas as pd

FRAME_SECONDS = 2.0
CONCURRENCY = 16


class People(Subject):
    """Users who ask, each so many times, and the picture of what they met."""

    def __init__(self, lab: Lab, number: int, requests: int, rate: float) -> None:
        self._requests, self._wanted = requests, number * requests
        self._share = lab.expected_share().get("v2", 0.0)
        self._sampler = Sampler(lab.url(), rate, users=number, concurrency=CONCURRENCY)
        self._drawn = 0
        self._picture: Still | None = None
        self.ended = False

    def news(self, *, everything: bool) -> GraphNews:
        """Return the picture of the requests so far."""
        try:
            picture = self.picture()
        except KataError as error:
            return GraphNews(str(error))
        return GraphNews("", picture.svg, picture.alt)

    def turn(self, *, watched: bool) -> None:
        """End the traffic once everyone has asked as often as wanted."""
        with suppress(KataError):  # news() says it
            if self.complete:
                self.end()

    def end(self) -> None:
        """End the traffic; the second time do nothing."""
        if not self.ended:
            self.ended = True
            with suppress(KataError):
                self._sampler.stop()

    @property
    def complete(self) -> bool:
        """Whether everyone has asked as often as wanted."""
        return len(self.sample()) >= self._wanted

    def sample(self) -> "pd.DataFrame":
        """Return the requests so far, of each user so many at most; TrafficError where sampling broke off."""
        frame = self._sampler.frame()
        return frame[frame.groupby("user").cumcount() < self._requests] if len(frame) else frame

    def picture(self) -> Still:
        """Return them as a picture, which is drawn anew only where there are more of them."""
        sample = self.sample()
        if self._picture is None or len(sample) != self._drawn:
            self._drawn, self._picture = len(sample), meeting.draw(sample, self._share)
        return self._picture


class LiveUsers(LiveView):
    """A running live picture of users and requests."""

    name = "Live users"

    def __init__(self, lab: Lab, number: int, requests: int, rate: float) -> None:
        self._people = People(lab, number, requests, rate)
        super().__init__(GraphWidget(FRAME_SECONDS), self._people, lambda: self.picture.svg, FRAME_SECONDS)

    def sample(self, timeout: float = 120.0) -> "pd.DataFrame":
        """Return all requests, as lab.sample does, once everyone has asked; wait for that, in seconds."""
        with waiting.busy("Waiting: not everyone has asked so often yet"):
            if not waiting.holds(lambda: self._people.complete, timeout, 0.1):
                raise WaitTimeout(f"Not everyone has asked within {timeout:g} s.")
        self._people.end()
        return self._people.sample()

    @property
    def picture(self) -> Still:
        """What it shows now."""
        return self._people.picture()
