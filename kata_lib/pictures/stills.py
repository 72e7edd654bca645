"""A plotly figure that also shows without plotly: as a still picture (SVG) and as a sentence.

In: a plotly figure and its alternative text. Out: what Jupyter displays, in three forms, of which each place
takes the best that it can show: JupyterLab plotly's own, an export or a viewer without scripts the SVG, a
terminal the text. The SVG is drawn from the figure's own traces, so the two cannot differ; plotly itself
would start a browser for it. Only the kinds of traces that `DRAW` names can be drawn.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import plotly.graph_objects as go

from kata_lib.pictures import legend, shown, svg, traces
from kata_lib.pictures.axes import Axes
from kata_lib.pictures.traces import DRAW

WIDTH, HEIGHT = 720, 380  # pixels
EDGE = 8  # pixels


@dataclass(frozen=True)
class Still:
    """A picture: `figure` is plotly's, `alt` says in words what it shows."""

    figure: "go.Figure"
    alt: str

    @cached_property
    def svg(self) -> str:
        """The picture as SVG, complete in itself, titled with the alternative text."""
        return draw(self.figure, self.alt)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        shown.tell(self.alt, self.svg)
        plotly_form = json.loads(self.figure.to_json())
        # etc/jupyter's extension makes it the image's name.
        plotly_form["layout"]["meta"] = {"alt": self.alt}
        # JupyterLab resizes it; "responsive" would lose its height.
        plotly_form["config"] = {"displaylogo": False}
        return {
            "application/vnd.plotly.v1+json": plotly_form,
            "image/svg+xml": self.svg,
            "text/plain": self.alt,
        }


def draw(figure: "go.Figure", alt: str) -> str:
    """Draw a figure's traces, axes and legend as SVG; ValueError for a kind of trace that it cannot draw."""
    unknown = sorted({trace.type for trace in figure.data} - DRAW.keys())
    if unknown:
        raise ValueError(f"a still shows traces of the kinds {', '.join(DRAW)}, not {', '.join(unknown)}")
    rows = legend.rows(figure.data, WIDTH - 2 * EDGE)
    below = HEIGHT - EDGE - legend.ROW * len(rows)
    axes = Axes(figure.layout, WIDTH, below)
    return svg.document(
        WIDTH, HEIGHT, alt, [*_plotted(axes, figure.data), *legend.draw(rows, WIDTH / 2, below)]
    )


def _plotted(axes: Axes, data: Sequence[Any]) -> Iterator[str]:
    """Draw the traces between the axes; words may stand outside of these."""
    yield axes.grid()
    yield axes.window("".join(DRAW[trace.type](axes, trace) for trace in data if not _is_words(trace)))
    yield from axes.frame()
    yield from (traces.labels(axes, trace) for trace in data if _is_words(trace))


def _is_words(trace: Any) -> bool:
    return bool(trace.type == "scatter" and trace.mode == "text")


def in_page(picture: str) -> str:
    """Return a picture as a part of a page, whose width and theme it follows (theme.py)."""
    return f'<div class="kata-picture">{picture}</div>'
