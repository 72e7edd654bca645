"""What both halves of a live view must agree on stands here, once: the kernel tells the browser."""

from collections.abc import Mapping

from msgspec import Struct

from kata_lib.pictures.plots import OTHER, STYLES, TOP, Style

MINUTE = 60
ANSWER_SECONDS, ANSWER_FRAMES = 2.0, 20  # of the 3 s and the 30 frames that pace.py waits for
SILENCE_SECONDS, SILENCE_FRAMES = 6.0, 4
RATES = (10, 20, 50, 100, 200, 400)
COMMANDS = ("pause", "resume", "promote", "promote fully", "abort", "retry", "undo")


class Settings(Struct, frozen=True):
    """What both halves of a view must agree on; the kernel sends it once, as the widget's trait `settings`.

    answer_frames, answer_seconds: after so many frames, or so long, the browser says what it has drawn.
    silence_seconds: without a frame for so long the browser asks for everything, then shows the still.
    minute: seconds that a picture shows. rates: requests a second to choose from. commands: of a release.
    top: the percentage at the upper end of the axis of shares.
    """

    answer_frames: int
    answer_seconds: float
    silence_seconds: float
    minute: int
    rates: tuple[int, ...]
    commands: tuple[str, ...]
    top: float
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
        top=TOP,
        styles=STYLES,
        other=OTHER,
    )
