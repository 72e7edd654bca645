"""Plotly's traces as SVG: bars with hatches and whiskers, lines, areas, marks, words; and their samples."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from kata_lib.pictures import svg
from kata_lib.pictures.axes import Axes
from kata_lib.pictures.svg import INK, PAPER, Place

HATCH = 8.0  # pixels between lines
CAP = 6.0  # half a whisker's end
SAMPLE = 26.0  # pixels: a legend's sample is so wide
DASHES = {"dot": (1, 1.5), "dash": (3, 2), "dashdot": (3, 1.5, 1, 1.5), "longdash": (6, 2)}
"""Of plotly's dashes, how long lines and gaps are in widths of the line."""


def bar(axes: Axes, trace: "go.Bar") -> str:
    """Draw bars from the axis up, and their whiskers."""
    return "".join(_bars(axes, trace))


def scatter(axes: Axes, trace: "go.Scatter") -> str:
    """Draw an area, a line, marks, or a line with marks."""
    runs = [[axes.place(*point) for point in run] for run in _runs(trace)]
    steps = "".join(map(svg.through, runs))
    if trace.fill == "toself":
        return _area(steps, trace)
    mode = trace.mode or "lines"
    drawn = _whiskers(axes, trace)
    if "lines" in mode:
        drawn += svg.path(steps, **_stroke(trace))
    if "markers" in mode:
        drawn += _marks([place for run in runs for place in run], trace)
    return drawn


def labels(axes: Axes, trace: "go.Scatter") -> str:
    """Draw words beside points, which may stand outside of the axes."""
    right = trace.textposition.endswith("right")
    spots = (axes.place(x, y) for x, y in zip(trace.x, trace.y, strict=True))
    return "".join(
        svg.words((x, y - 5), said, anchor="start" if right else "end")
        for (x, y), said in zip(spots, trace.text, strict=True)
    )


def sample(trace: Any, corner: Place, size: float) -> str:
    """Draw what a legend shows of a trace in a box of SAMPLE times `size` pixels."""
    x, y = corner
    ends = [(x, y + size / 2), (x + SAMPLE, y + size / 2)]
    if trace.type == "bar":
        return _box(corner, SAMPLE, size, trace)
    if trace.fill == "toself":
        return _area(svg.through([corner, (x + SAMPLE, y), (x + SAMPLE, y + size), (x, y + size)]), trace)
    mode = trace.mode or "lines"
    line = svg.path(svg.through(ends), **_stroke(trace)) if "lines" in mode else ""
    return line + (_marks([(x + SAMPLE / 2, y + size / 2)], trace) if "markers" in mode else "")


def _runs(trace: "go.Scatter") -> Iterator[list[Place]]:
    """Return a trace's points in runs, between which there is nothing."""
    points = zip(trace.x, trace.y, strict=True)
    for missing, run in groupby(points, lambda point: point[0] is None or point[1] is None):
        if not missing:
            yield list(run)


def _bars(axes: Axes, trace: "go.Bar") -> Iterator[str]:
    half = (trace.width or 0.8) / 2
    for x, y in zip(trace.x, trace.y, strict=True):
        (left, top), (right, bottom) = axes.place(x - half, y), axes.place(x + half, 0)
        yield _box((left, top), right - left, bottom - top, trace)
    yield _whiskers(axes, trace)


def _whiskers(axes: Axes, trace: Any) -> str:
    """Draw how far each value may be from what it stands for, where the trace says so."""
    if trace.error_y.array is None:
        return ""
    reach = zip(trace.x, trace.y, trace.error_y.arrayminus, trace.error_y.array, strict=True)
    ends = ((axes.place(x, y - less), axes.place(x, y + more)) for x, y, less, more in reach)
    return svg.path("".join(_whisker(*pair) for pair in ends), stroke=INK, stroke_width=1.5)


def _whisker(low: Place, high: Place) -> str:
    caps = [[(x - CAP, y), (x + CAP, y)] for x, y in (low, high)]
    return "".join(map(svg.through, [[low, high], *caps]))


def _box(corner: Place, width: float, height: float, trace: "go.Bar") -> str:
    inside = svg.rectangle(corner, width, height, fill=trace.marker.color)
    return svg.window(
        corner, width, height, inside + _hatch(corner, width, height, trace.marker.pattern.shape)
    )


def _hatch(corner: Place, width: float, height: float, shape: str | None) -> str:
    """Draw lines or dots in paper's colour over a box."""
    (left, top), right, bottom = corner, corner[0] + width, corner[1] + height
    starts = [left + HATCH * i for i in range(-int(height / HATCH) - 1, int(width / HATCH) + 1)]
    rising = "".join(svg.through([(x, bottom), (x + height, top)]) for x in starts)
    falling = "".join(svg.through([(x, top), (x + height, bottom)]) for x in starts)
    rows = [top + HATCH * (i + 0.5) for i in range(int(height / HATCH) + 1)]
    dotted = "".join(svg.through([(left + HATCH / 2, y), (right, y)]) for y in rows)
    match shape:
        case "/":
            return svg.path(rising, stroke=PAPER, stroke_width=1.5)
        case "x":
            return svg.path(rising + falling, stroke=PAPER, stroke_width=1.2)
        case ".":
            round_dots = {"stroke_linecap": "round", "stroke_dasharray": f"0 {HATCH}"}
            return svg.path(dotted, stroke=PAPER, stroke_width=3, **round_dots)
    return ""


def _area(steps: str, trace: "go.Scatter") -> str:
    color, opacity = trace.fillcolor[:7], int(trace.fillcolor[7:] or "ff", 16) / 255
    return svg.path(steps, fill=color, fill_opacity=f"{opacity:.2f}")


def _stroke(trace: "go.Scatter") -> dict[str, svg.Attribute]:
    width = trace.line.width or 2
    dashes = " ".join(f"{width * part:g}" for part in DASHES.get(trace.line.dash, ()))
    return {"stroke": trace.line.color or INK, "stroke_width": width, "stroke_dasharray": dashes or None}


def _marks(places: Sequence[Place], trace: "go.Scatter") -> str:
    radius, color = (trace.marker.size or 6) / 2, trace.marker.color or INK
    steps = "".join(_MARKS[trace.marker.symbol or "circle"](x, y, radius) for x, y in places)
    return svg.path(steps, fill=color, stroke=color, stroke_width=trace.marker.line.width or 1)


def _polygon(x: float, y: float, corners: Sequence[Place]) -> str:
    return svg.through([(x + right, y + down) for right, down in corners]) + "z"


def _circle(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"


def _square(x: float, y: float, r: float) -> str:
    return _polygon(x, y, [(-r, -r), (r, -r), (r, r), (-r, r)])


def _diamond(x: float, y: float, r: float) -> str:
    return _polygon(x, y, [(0, -1.3 * r), (1.3 * r, 0), (0, 1.3 * r), (-1.3 * r, 0)])


def _cross(x: float, y: float, r: float) -> str:
    return svg.through([(x - r, y), (x + r, y)]) + svg.through([(x, y - r), (x, y + r)])


def _x(x: float, y: float, r: float) -> str:
    return svg.through([(x - r, y - r), (x + r, y + r)]) + svg.through([(x - r, y + r), (x + r, y - r)])


_MARKS = {"circle": _circle, "square": _square, "diamond": _diamond, "cross": _cross, "x": _x}
DRAW = {"bar": bar, "scatter": scatter}
"""The kinds of traces that can be drawn."""
