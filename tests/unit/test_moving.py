"""scripts/moving.py: the set-up shows that it goes on, in a terminal and elsewhere."""

import io
import time

import moving
import pytest


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def state() -> tuple[str, float]:
    return "41 of 164 packages fetched", 0.125


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, in seconds."""
    moment = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    return moment


def test_a_terminal_shows_one_bar_that_goes_away(now: list[float]) -> None:
    out = Terminal()
    shown = moving.Moving(state, out)
    for now[0] in (0.2, 3.4, 3.6):
        shown.show()
    shown.end()
    line = "\r\033[K  [###.....................] 41 of 164 packages fetched, "
    assert out.getvalue() == f"{line}3 s{line}4 s\r\033[K"


def test_elsewhere_a_line_comes_every_ten_seconds(now: list[float]) -> None:
    out = io.StringIO()
    shown = moving.Moving(state, out)
    for now[0] in (0.2, 3.4, 10.1, 15.0, 20.2):
        shown.show()
    shown.end()
    assert [line.rpartition(", ")[2] for line in out.getvalue().splitlines()] == ["10 s", "20 s"]


@pytest.mark.parametrize(
    ("there", "fetched", "installed", "words", "done"),
    [
        (0, 0, 0, "0 of 10 packages are here", 0.0),
        (0, 5, 0, "5 of 10 packages are here", 0.25),
        (0, 10, 0, "0 of 10 packages installed", 0.5),
        (8, 2, 1, "1 of 2 packages installed", 0.75),
        (10, 0, 0, "0 of 0 packages installed", 0.5),
        (0, 10, 10, "10 of 10 packages installed", 1.0),
    ],
)
def test_packages_are_fetched_then_installed(
    there: int, fetched: int, installed: int, words: str, done: float
) -> None:
    assert moving.of_packages(10, there, fetched, installed) == (words, done)


@pytest.mark.parametrize(
    ("megabytes", "here", "installed", "downloaded", "words", "done"),
    [
        (0.0, 0.0, 0, False, "asking the index", None),
        (160.0, 40.0, 0, False, "120 of 160 MB are still to come", 0.225),
        (160.0, 160.0, 5, True, "5 of 10 packages installed", 0.95),
        (0.0, 0.0, 10, True, "10 of 10 packages installed", 1.0),
    ],
)
def test_megabytes_are_downloaded_then_packages_installed(
    megabytes: float, here: float, installed: int, downloaded: bool, words: str, done: float | None
) -> None:
    assert moving.of_downloads(megabytes, here, 10, installed, downloaded) == (words, done)


def test_a_part_of_the_bar_moves_where_nobody_knows_the_end() -> None:
    assert moving.bar(None, 0.0) == "[####....................]"
    assert moving.bar(None, 20.9) == "[....................####]"
    assert moving.bar(None, 21.0) == moving.bar(None, 0.0)
