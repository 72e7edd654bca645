"""What both halves of a live view must agree on stands here, once. The kernel tells the browser."""

from kata_lib.lab.live.protocol import Paper, Settings
from kata_lib.pictures.plots import OTHER, STYLES, TOP
from kata_lib.pictures.stills import GRID, INK, PAPER

MINUTE = 60
ANSWER_SECONDS, ANSWER_FRAMES = 2.0, 20  # pace.py bounds what is not answered: 3 s, 30 frames
SILENCE_SECONDS, SILENCE_FRAMES = 6.0, 4
RATES = (10, 20, 50, 100, 200, 400)
COMMANDS = ("pause", "resume", "promote", "promote fully", "abort", "retry", "undo")


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
