"""kata_lib.lab.activity: what takes long moves in one place, says what it waits for, and leaves nothing."""

import io
import queue
import threading

import pytest

from kata_lib.cluster import waiting
from kata_lib.cluster.waiting import Wait
from kata_lib.lab import activity
from kata_lib.lab.activity import displays

LIMIT = 60.0


class Kept:
    """A display that keeps what it is shown."""

    def __init__(self) -> None:
        self.waits: queue.Queue[Wait] = queue.Queue()
        self.ended = False

    def show(self, wait: Wait, seconds: float) -> None:
        assert seconds >= 0
        self.waits.put(wait)

    def end(self) -> None:
        self.ended = True


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLL_SECONDS", "CHANGED_SECONDS", "EVERY_SECONDS"):
        monkeypatch.setattr(activity, name, 0.001)


def seen(display: Kept, what: str) -> Wait:
    """Return the first wait with these words; those before it are passed over."""
    while (wait := display.waits.get(timeout=LIMIT)).what != what:
        pass
    return wait


def test_what_the_thread_waits_for_is_shown_and_taken_away() -> None:
    display = Kept()
    with activity.shown(lambda: display, first_seconds=0.0):
        waiting.until(Reasons(display), LIMIT, None, "It was not ready", poll=0.001)
        assert not display.ended
    assert display.ended
    assert waiting.now(threading.get_ident()) is None


class Reasons:
    """Something that is not ready until it was shown why."""

    def __init__(self, display: Kept) -> None:
        self._display = display
        self._asked = 0

    def __call__(self) -> str:
        self._asked += 1
        if self._asked == 1:
            return "name-v2 has 0 of 1 pods\nand more"
        assert seen(self._display, "Waiting: name-v2 has 0 of 1 pods")
        return ""


def test_an_inner_wait_is_told_in_place_of_the_outer_and_back() -> None:
    display = Kept()
    with activity.shown(lambda: display, first_seconds=0.0), waiting.busy("Applying") as tell:
        seen(display, "Applying")
        with waiting.busy("Asking"):
            seen(display, "Asking")
        seen(display, "Applying")
        tell("Asking: 30 of 60 requests", 0.5)
        assert seen(display, "Asking: 30 of 60 requests").done == 0.5


def test_what_ends_soon_is_not_shown() -> None:
    made: list[Kept] = []

    def make() -> Kept:
        made.append(Kept())
        return made[-1]

    with activity.shown(make, first_seconds=LIMIT), waiting.busy("Applying"):
        pass
    assert made == []


def test_one_place_shows_at_a_time_and_only_what_the_main_thread_does() -> None:
    outer, inner = Kept(), Kept()
    with (
        activity.shown(lambda: outer, first_seconds=0.0),
        activity.shown(lambda: inner, first_seconds=0.0),
        waiting.busy("Applying"),
    ):
        seen(outer, "Applying")
    assert inner.waits.empty()

    def beside() -> None:
        with activity.shown(lambda: inner, first_seconds=0.0), waiting.busy("Following"):
            assert waiting.now(threading.get_ident()) == Wait("Following")

    thread = threading.Thread(target=beside)
    thread.start()
    thread.join(LIMIT)
    assert inner.waits.empty()


def test_a_failure_ends_the_display_too() -> None:
    display = Kept()

    def fails() -> None:
        with activity.shown(lambda: display, first_seconds=0.0), waiting.busy("Applying"):
            seen(display, "Applying")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fails()
    assert display.ended
    assert waiting.now(threading.get_ident()) is None


def test_lines_say_each_wait_once() -> None:
    out = io.StringIO()
    lines = displays.Lines(out)
    for what in ("Waiting: a", "Waiting: a", "Waiting: b"):
        lines.show(Wait(what), 2.0)
    lines.end()
    assert out.getvalue() == "Waiting: a\nWaiting: b\n"


def test_a_cells_bar_moves_says_how_far_it_is_and_escapes_what_it_says() -> None:
    assert displays.bar(Wait("Waiting: <b>"), 3.4).endswith(
        '<progress max="1" aria-label="Waiting: &lt;b&gt;"></progress> Waiting: &lt;b&gt; · 3 s</div>'
    )
    assert 'max="1" value="0.250"' in displays.bar(Wait("Asking", 0.25), 3.4)
