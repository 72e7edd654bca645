"""A request's trace as a waterfall: a bar for what each sidecar saw, from its beginning to its end.

A pod that took the request has a bar in its version's colour, one that sent it on a hollow one. It is drawn
as SVG, so that it is one picture everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kata_lib.pictures import shown, svg
from kata_lib.pictures.plots import style_of
from kata_lib.pictures.stills import in_page
from kata_lib.pictures.svg import FAILED, GRID, INK, PAPER

if TYPE_CHECKING:
    from kata_lib.mesh.traces import Span, Trace

WIDTH, ROW, BAR = 720.0, 26.0, 14.0  # pixels
LEFT, RIGHT, EDGE = 220.0, 108.0, 12.0  # pixels: names before the bars, numbers behind them, around it all
INDENT = 12.0  # pixels for each span that another lies in
TICKS = 4


@dataclass(frozen=True)
class Waterfall:
    """The picture of a trace: as SVG, and in words."""

    trace: "Trace"

    @property
    def alt(self) -> str:
        """The trace in words."""
        first = self.trace.spans[0]
        said = [f"{_name(s)}: {_number(s)}, after {_ms(s.start - first.start)} ms." for s in self.trace.spans]
        return " ".join(["One request's trace.", *said])

    @cached_property
    def svg(self) -> str:
        """The trace as SVG, complete in itself, titled with its words."""
        height = 2 * EDGE + ROW * (len(self.trace.spans) + 1)
        return svg.document(WIDTH, height, self.alt, [*self._axis(height), *self._rows()])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        shown.tell(self.alt, self.svg)
        return {"text/html": in_page(self.svg), "image/svg+xml": self.svg, "text/plain": self.alt}

    def _x(self, seconds: float) -> float:
        first = self.trace.spans[0]
        part = (seconds - first.start) * 1000 / max(self.trace.ms, 1)
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(part, 0.0), 1.0)

    def _axis(self, height: float) -> Iterator[str]:
        """Draw a line and a number every quarter of the time that the caller waited."""
        first = self.trace.spans[0]
        for tick in range(TICKS + 1):
            ms = self.trace.ms * tick / TICKS
            x = self._x(first.start + ms / 1000)
            yield svg.path(svg.through([(x, EDGE), (x, height - ROW)]), stroke=GRID)
            yield svg.words((x, height - EDGE), f"{ms:.0f} ms", anchor="middle", size=11.0)

    def _rows(self) -> Iterator[str]:
        for row, span in enumerate(self.trace.spans):
            middle = EDGE + ROW * (row + 0.5)
            left, right = self._x(span.start), self._x(span.end)
            style, color = style_of(span.version), FAILED if span.failed else INK
            fill = PAPER if span.sent else style.color if span.version else INK
            yield svg.words((EDGE + INDENT * span.depth, middle + 4), _name(span), size=12.0)
            yield svg.rectangle(
                (left, middle - BAR / 2),
                max(right - left, 2.0),
                BAR,
                fill=fill,
                stroke=color,
                stroke_width=1.2,
            )
            yield svg.words((WIDTH - EDGE, middle + 4), _number(span), anchor="end", color=color, size=12.0)


def _name(span: "Span") -> str:
    name = span.workload.removesuffix(f"-{span.version}")
    return f"{name} asks {span.service}" if span.sent else f"{name} {span.version}".rstrip()


def _number(span: "Span") -> str:
    ended = "" if not span.failed else f", {span.status}" if span.status else ", given up"
    return f"{span.ms} ms{ended}"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
