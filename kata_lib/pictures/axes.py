"""Two axes of a still picture: from the values of a plotly layout to pixels, and what stands along them."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import plotly.graph_objects as go

from kata_lib.pictures import svg
from kata_lib.pictures.svg import CHARACTER, GRID, INK, LINE, SIZE, Place

LEFT, RIGHT = 70.0, 20.0  # pixels beside the axes
TICK, SPACE = 5.0, 4.0
TICKS = 6  # at most, where the layout names none
TITLE = 16.0


@dataclass(frozen=True)
class Tick:
    """A value on an axis, and the lines that name it."""

    at: float
    said: tuple[str, ...]


@dataclass(frozen=True)
class Axes:
    """The axes of a layout that gives their ranges, in a picture so wide, with all of them above `below`."""

    layout: "go.Layout"
    width: float
    below: float

    @property
    def top(self) -> float:
        """Where the axes begin: below the title, and what stands above them."""
        return float(self.layout.margin.t)

    @property
    def wide(self) -> float:
        """The length of the horizontal axis."""
        return self.width - LEFT - RIGHT

    def place(self, x: float, y: float) -> Place:
        """Return where a value is."""
        (left, right), (low, high) = self.layout.xaxis.range, self.layout.yaxis.range
        across = (x - left) / (right - left)
        up = (y - low) / (high - low)
        return LEFT + across * self.wide, self.bottom - up * (self.bottom - self.top)

    @cached_property
    def across(self) -> list[Tick]:
        """The ticks of the horizontal axis, each named within the room that it has."""
        found = list(_ticks(self.layout.xaxis))
        letters = int(self.wide / max(1, len(found)) / (CHARACTER * SIZE)) - 1
        return [Tick(tick.at, _wrapped(tick.said, letters)) for tick in found]

    @cached_property
    def bottom(self) -> float:
        """Where the horizontal axis is: above what names it and its ticks."""
        lines = max((len(tick.said) for tick in self.across), default=0) + bool(_text(self.layout.xaxis))
        return self.below - TICK - 3 * SPACE - lines * LINE * SIZE

    def window(self, drawn: str) -> str:
        """Return what of a drawing lies between the axes."""
        return svg.window((LEFT, self.top), self.wide, self.bottom - self.top, drawn)

    def grid(self) -> str:
        """Draw what lies behind the picture."""
        heights = (self.place(0, tick.at)[1] for tick in _ticks(self.layout.yaxis))
        steps = "".join(svg.through([(LEFT, y), (LEFT + self.wide, y)]) for y in heights)
        return svg.path(steps, stroke=GRID)

    def frame(self) -> Iterator[str]:
        """Draw the axes with their ticks and titles."""
        corner = (LEFT, self.bottom)
        yield svg.path(svg.through([(LEFT, self.top), corner, (LEFT + self.wide, self.bottom)]), stroke=INK)
        yield from self._x_ticks()
        yield from self._y_ticks()
        middle = LEFT + self.wide / 2
        if below := _text(self.layout.xaxis):
            yield svg.words((middle, self.below - 2 * SPACE), below, anchor="middle")
        height = (self.top + self.bottom) / 2
        yield svg.words((18, height), _text(self.layout.yaxis), anchor="middle", turn=-90)
        yield svg.words((14, 28), self.layout.title.text or "", size=TITLE)

    def _x_ticks(self) -> Iterator[str]:
        for tick in self.across:
            x = self.place(tick.at, 0)[0]
            yield svg.path(svg.through([(x, self.bottom), (x, self.bottom + TICK)]), stroke=INK)
            yield svg.lines((x, self.bottom + TICK + SPACE + len(tick.said) * LINE * SIZE / 2), tick.said)

    def _y_ticks(self) -> Iterator[str]:
        for tick in _ticks(self.layout.yaxis):
            y = self.place(0, tick.at)[1]
            yield svg.path(svg.through([(LEFT - TICK, y), (LEFT, y)]), stroke=INK)
            yield svg.words((LEFT - TICK - SPACE, y + 0.35 * SIZE), " ".join(tick.said), anchor="end")


def _text(axis: Any) -> str:
    return axis.title.text or ""


def _ticks(axis: Any) -> Iterator[Tick]:
    """Return an axis' own ticks, or round values in its range."""
    if axis.tickvals is not None:
        for at, text in zip(axis.tickvals, axis.ticktext, strict=True):
            yield Tick(at, tuple(text.split("<br>")))
        return
    low, high = axis.range
    step = _round_step((high - low) / TICKS)
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield Tick(number * step, (f"{number * step:,.6g}{axis.ticksuffix or ''}",))


def _round_step(at_least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20... (or parts of ten of them) that is not below a number."""
    ten = 10.0 ** math.floor(math.log10(at_least))
    return next(step for part in (1, 2, 5, 10) if (step := part * ten) >= at_least)


def _wrapped(said: Sequence[str], letters: int) -> tuple[str, ...]:
    return tuple(part for line in said for part in textwrap.wrap(line, max(letters, 1)))
