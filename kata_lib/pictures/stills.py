"""A plotly figure that also shows without plotly: as a still picture (SVG) and as a sentence.

In: a plotly figure and its alternative text. Out: what Jupyter displays, in three forms, of which each place
takes the best that it can show: JupyterLab plotly's own, an export or a viewer without scripts the SVG, a
terminal the text. matplotlib draws the SVG from the figure's own traces, so the two cannot differ; plotly
itself would start a browser for it. Only the kinds of traces that `DRAW` names can be drawn.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from kata_lib.cluster import waiting
from kata_lib.pictures import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 720, 380
LEGEND_CHARACTERS = 85  # that fit into one line beside their samples
INK = "#333333"
PAPER = "#ffffff"
GRID = "#e3e3e3"
FAILED = "#B00020"

_ONE_AT_A_TIME = Lock()
UNSAID = dict.fromkeys(("Creator", "Date", "Format", "Type"))
DASHES = {"dot": ":", "dash": "--", "dashdot": "-.", "longdash": (0, (8, 3)), "solid": "-", None: "-"}
MARKERS = {"circle": "o", "square": "s", "diamond": "D", "cross": "P", "x": "x"}
HATCHES = {"/": "///", "x": "xxx", ".": "...", "": None, None: None}


@dataclass(frozen=True)
class Still:
    """A picture: `figure` is plotly's, `alt` says in words what it shows."""

    figure: go.Figure
    alt: str

    @cached_property
    def svg(self) -> str:
        """The picture as SVG, complete in itself, titled with the alternative text."""
        return draw(self.figure, self.alt)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        shown.tell(self.alt, self.svg)
        plotly_form = json.loads(self.figure.to_json())
        plotly_form["layout"]["meta"] = {"alt": self.alt}  # etc/jupyter's extension makes it the image's name
        plotly_form["config"] = {
            "displaylogo": False
        }  # JupyterLab resizes it; "responsive" would lose its height
        return {
            "application/vnd.plotly.v1+json": plotly_form,
            "image/svg+xml": self.svg,
            "text/plain": self.alt,
        }


def draw(figure: go.Figure, alt: str) -> str:
    """Draw a figure's traces, axes and legend as SVG; ValueError for a kind of trace that it cannot draw."""
    unknown = sorted({trace.type for trace in figure.data} - DRAW.keys())
    if unknown:
        raise ValueError(f"a still shows traces of the kinds {', '.join(DRAW)}, not {', '.join(unknown)}")

    def paint(axes: "Axes") -> None:
        for order, trace in enumerate(figure.data):
            DRAW[trace.type](axes, trace, order)
        _frame(axes, figure.layout)

    return painted(paint, alt)


def painted(paint: Callable[["Axes"], None], alt: str, width: int = WIDTH, height: int = HEIGHT) -> str:
    """Return as SVG what `paint` puts on matplotlib's axes, titled with the alternative text; pixels."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # Text stays text: small, and readable for search and screen readers. Same figure, same file.
    # matplotlib's settings are the process's, and more than one thread draws.
    with (
        waiting.busy("Drawing"),
        _ONE_AT_A_TIME,
        rc_context(
            {"svg.fonttype": "none", "svg.hashsalt": "still", "font.size": 10, "hatch.linewidth": 1.2}
        ),
    ):
        sheet = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor=PAPER, layout="constrained")
        paint(FigureCanvasSVG(sheet).figure.add_subplot())
        out = io.StringIO()
        sheet.savefig(out, format="svg", metadata=UNSAID)
    attributes, inside = out.getvalue().partition("<svg ")[2].split(">", 1)
    return f'<svg role="img" {attributes}><title>{escape(alt)}</title>{inside}'


def in_page(svg: str) -> str:
    """Return a picture as a part of a page, whose width and theme it follows (theme.py)."""
    return f'<div class="kata-picture">{svg}</div>'


def _scatter(axes: "Axes", trace: go.Scatter, order: int) -> None:
    mode = trace.mode or "lines"
    color = trace.line.color or trace.marker.color or INK
    if trace.fill == "toself":
        _fill(axes, trace)
        return
    if "text" in mode:
        ha = "left" if trace.textposition.endswith("right") else "right"
        for x, y, text in zip(trace.x, trace.y, trace.text, strict=True):
            axes.text(x, y, text, color=INK, fontsize=9, va="bottom", ha=ha)
        return
    axes.plot(
        trace.x,
        trace.y,
        linestyle=DASHES[trace.line.dash] if "lines" in mode else "none",
        linewidth=(trace.line.width or 2) * 0.8,
        marker=MARKERS[trace.marker.symbol] if "markers" in mode else None,
        markersize=(trace.marker.size or 6) * 0.8,
        markeredgewidth=(trace.marker.line.width or 1) * 0.8,
        color=color,
        label=_legend_name(trace),
        zorder=3 + order,
    )


def _fill(axes: "Axes", trace: go.Scatter) -> None:
    """Fill a trace's outlines, between which there is nothing; one without points has a name, too."""
    points = zip(trace.x, trace.y, strict=True)
    parts = [[*part] for missing, part in groupby(points, lambda point: point[1] is None) if not missing]
    for i, outline in enumerate(parts or [[]]):
        name = None if i else _legend_name(trace)
        x, y = [point[0] for point in outline], [point[1] for point in outline]
        axes.fill(x, y, facecolor=trace.fillcolor, linewidth=0, label=name, zorder=2)


def _legend_name(trace: go.Scatter) -> str | None:
    return trace.name if trace.showlegend is not False else None


def _bar(axes: "Axes", trace: go.Bar, order: int) -> None:
    marker, whisker = trace.marker, trace.error_y
    axes.bar(
        trace.x,
        trace.y,
        width=trace.width or 0.8,
        color=marker.color,
        edgecolor=PAPER,
        linewidth=0,
        hatch=HATCHES[marker.pattern.shape],
        label=trace.name,
        zorder=2,
    )
    if whisker.array is not None:
        reach = [whisker.arrayminus, whisker.array]
        axes.errorbar(
            trace.x, trace.y, yerr=reach, fmt="none", ecolor=INK, elinewidth=1.5, capsize=6, zorder=3 + order
        )


DRAW = {"bar": _bar, "scatter": _scatter}


def _frame(axes: "Axes", layout: go.Layout) -> None:
    """Give the axes the layout's title, ranges, ticks and legend."""
    above = max(6.0, (layout.margin.t - 50) * 0.8)  # points: room for what stands above the axes
    axes.set_title(layout.title.text or "", loc="left", fontsize=12, color=INK, pad=above)
    for name, axis, plotly_axis in (("x", axes.xaxis, layout.xaxis), ("y", axes.yaxis, layout.yaxis)):
        axis.set_label_text(plotly_axis.title.text or "", color=INK)
        if plotly_axis.range is not None:
            axes.set(**{f"{name}lim": plotly_axis.range})
        if plotly_axis.tickvals is not None:
            axis.set_ticks(
                plotly_axis.tickvals, [text.replace("<br>", "\n") for text in plotly_axis.ticktext]
            )
        else:
            axis.set_major_formatter(f"{{x:,g}}{plotly_axis.ticksuffix or ''}")
    axes.grid(axis="y", color=GRID, linewidth=1, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.tick_params(colors=INK)
    names = axes.get_legend_handles_labels()[1]
    columns = 4 if len("".join(names)) <= LEGEND_CHARACTERS else 2
    axes.figure.legend(loc="outside lower center", ncols=columns, frameon=False, labelcolor=INK)
