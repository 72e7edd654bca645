"""The loop of a live view without a browser: its pace, its turns, and how it ends."""

from collections.abc import Iterator
from typing import Any

import pytest

from kata_lib.lab.live import settings
from kata_lib.lab.live.handle import LiveView
from kata_lib.lab.live.lab import FRAME_SECONDS
from kata_lib.lab.live.loop import Loop, Subject
from kata_lib.lab.live.pace import DRAWING_SECONDS, WINDOW, Pace
from kata_lib.lab.live.protocol import Clear, Drawn, Frame, GraphNews, Message, Shown
from kata_lib.lab.live.widget import GraphWidget


class TestPace:
    def test_nothing_is_sent_before_a_browser_shows_the_widget(self) -> None:
        assert Pace(0, FRAME_SECONDS).due(5) == "nothing"

    def test_the_first_frame_holds_everything_and_the_next_the_news(self) -> None:
        pace = Pace(0, FRAME_SECONDS)
        pace.shown(1, calm=False)
        assert pace.due(1) == "snapshot"
        pace.sent(1, 1)
        assert pace.due(1) == "nothing"
        assert pace.due(1.1) == "news"

    @pytest.mark.parametrize(("calm", "rate"), [(False, 10), (True, 2)])
    def test_ten_frames_a_second_and_two_for_the_calm(self, calm: bool, rate: int) -> None:
        assert len(frames_sent(seconds=10, calm=calm, answers=True)) == 10 * rate

    def test_a_browser_that_does_not_answer_gets_no_more_than_a_window(self) -> None:
        assert len(frames_sent(seconds=100, calm=False, answers=False)) == WINDOW
        assert len(frames_sent(seconds=100, calm=True, answers=False)) == 2 * DRAWING_SECONDS

    def test_three_seconds_of_silence_end_the_drawing_and_a_snapshot_resumes_it(self) -> None:
        pace = Pace(0, FRAME_SECONDS)
        pace.shown(0, calm=False)
        pace.sent(1, 0)
        assert pace.drawing(2.9)
        assert not pace.drawing(3.1)
        pace.drawn(1, 4)
        assert pace.due(4) == "snapshot"

    def test_one_word_answers_all_frames_until_then(self) -> None:
        pace = Pace(0, FRAME_SECONDS)
        pace.shown(0, calm=False)
        for number in range(1, WINDOW + 1):
            pace.sent(number, number / 10)
        now = WINDOW / 10 + 0.05
        assert pace.due(now) == "nothing"
        pace.drawn(WINDOW, now)
        assert pace.due(now) == "news"

    def test_who_did_something_need_not_wait_for_the_next_frame(self) -> None:
        pace = Pace(0, FRAME_SECONDS)
        pace.shown(0, calm=True)
        pace.sent(1, 0)
        pace.heard(0.05)
        assert pace.due(0.05) == "news"

    def test_sixty_seconds_of_silence_end_the_traffic(self) -> None:
        pace = Pace(0, FRAME_SECONDS)
        assert pace.traffic(59)
        assert not pace.traffic(61)
        pace.shown(100, calm=False)
        assert pace.traffic(101)


def frames_sent(seconds: int, calm: bool, answers: bool) -> list[float]:
    """Return when frames were sent to a browser that answers every two seconds, or never."""
    pace = Pace(0, FRAME_SECONDS)
    moments: list[float] = []
    pace.shown(0, calm)
    for now in (i / 100 for i in range(100 * seconds)):
        if answers and moments and now % 2 == 0:
            pace.drawn(len(moments), now)
        if pace.due(now) != "nothing":
            moments.append(now)
            pace.sent(len(moments), now)
    return moments


class Notes(Subject):
    """A subject that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def news(self, *, everything: bool) -> GraphNews:
        return GraphNews("everything" if everything else "news")

    def hear(self, message: Message) -> None:
        self.told.append(message)

    def turn(self, *, watched: bool) -> None:
        self.told.append(watched)

    def end(self) -> None:
        self.told.append("end")


class TestLoop:
    def test_a_subject_hears_what_a_person_asked_for_before_its_turn(self) -> None:
        subject, sent = Notes(), list[Frame]()
        loop = Loop(subject, sent.append, FRAME_SECONDS, lambda: 0.0)
        loop.turn([Shown(calm=False), Clear()])
        assert subject.told == [Clear(), True]
        assert sent == [Frame(1, GraphNews("everything"))]

    def test_a_turn_says_how_long_to_rest(self) -> None:
        now = 0.0
        loop = Loop(Notes(), lambda frame: None, FRAME_SECONDS, lambda: now)
        assert loop.turn([Shown(calm=False)]) == FRAME_SECONDS
        now = 100.0
        assert loop.turn([]) == 60.0
        assert not loop.watched

    def test_the_browser_answers_before_the_kernel_gives_it_up(self) -> None:
        for frame_seconds in (FRAME_SECONDS, 1.0, 2.0):
            told = settings.settings(frame_seconds)
            assert told.answer_seconds < DRAWING_SECONDS
            assert told.answer_frames < WINDOW
            assert told.silence_seconds > DRAWING_SECONDS + frame_seconds


class TestLiveView:
    @pytest.fixture
    def view(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveView]:
        widget = GraphWidget(FRAME_SECONDS)
        sent: list[Any] = []
        monkeypatch.setattr(widget, "send", sent.append)
        view = LiveView(widget, Notes(), lambda: "<svg/>", FRAME_SECONDS)
        view.start()
        yield view
        view.close()

    def test_a_person_is_heard_and_what_they_said_is_done_with(self, view: LiveView) -> None:
        view.widget.inbox.put(Clear())
        view.widget.inbox.join()
        assert Clear() in view._subject.told  # type: ignore[attr-defined]
        view.widget.inbox.put(Drawn(1))
        view.widget.inbox.join()
        assert Drawn(1) not in view._subject.told  # type: ignore[attr-defined]

    def test_a_closed_view_has_ended_its_subject_once(self, view: LiveView) -> None:
        assert repr(view) == "Live view"
        view.close()
        view.close()
        assert view._subject.told.count("end") == 1  # type: ignore[attr-defined]
        assert repr(view) == "Live view, closed"
