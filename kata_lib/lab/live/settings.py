"""What both halves of a live view must agree on stands here, once: the kernel tells the browser."""

from collections.abc import Mapping

from msgspec import Struct

from kata_lib.pictures.plots import OTHER, STYLES, TOP, Style
from kata_lib.pictures.stills import GRID, INK, PAPER

MINUTE = 60
ANSWER_SECONDS, ANSWER_FRAMES = 2.0, 20  # of the 3 s and the 30 frames that pace.py waits for
SILENCE_SECONDS, SILENCE_FRAMES = 6.0, 4
RATES = (10, 20, 50, 100, 200, 400)
COMMANDS = ("pause", "resume", "promote", "promote fully", "abort", "retry", "undo")


class Paper(Struct, frozen=True):
    """What all pictures are drawn on; top: the percentage at the upper end of the axis of shares."""

    ink: str
    grid: str
    paper: str
    top: float


class Settings(Struct, frozen=True):
    """What both halves of a view must agree on; the kernel sends it once, as the widget's trait `settings`.

    answer_frames, answer_seconds: after so many frames, or so long, the browser says what it has drawn.
    silence_seconds: without a frame for so long the browser shows a note, and asks for everything.
    minute: seconds that a picture shows. rates: requests a second to choose from. commands: of a release.
    """

    answer_frames: int
    answer_seconds: float
    silence_seconds: float
    minute: int
    rates: tuple[int, ...]
    commands: tuple[str, ...]
    paper: Paper
    styles: Mapping[str, Style]
    other: Style


def settings(frame_seconds: float) -> Settings:
    """Return the settings of a view that sends a frame every so many seconds."""
    return Settings(
        answer_frames=ANSWER_FRAMES,
        answer_seconds=ANSWER_SECONDS,
        silence_seconds=max(SILENCE_SECONDS, SILENCE_FRAMES * frame_seconds),
        minute=MINUTE,
        rates=RATES,
        commands=COMMANDS,
        paper=Paper(ink=INK, grid=GRID, paper=PAPER, top=TOP),
        styles=STYLES,
        other=OTHER,
    )
