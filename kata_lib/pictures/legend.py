"""The legend below a still picture: a sample and the name of each trace, in as many rows as they need."""

from collections.abc import Iterator, Sequence
from typing import Any

from kata_lib.pictures import svg
from kata_lib.pictures.svg import SIZE
from kata_lib.pictures.traces import SAMPLE, sample

ROW = 20.0  # pixels
GAP = 24.0  # pixels between two entries
SPACE = 7.0  # pixels between a sample and its name

Row = list[Any]
"""Traces side by side."""


def rows(traces: Sequence[Any], width: float) -> list[Row]:
    """Return the traces with a name in the legend, in rows of at most `width` pixels."""
    found: list[Row] = []
    for trace in traces:
        if trace.name and trace.showlegend is not False:
            if found and _width([*found[-1], trace]) <= width:
                found[-1].append(trace)
            else:
                found.append([trace])
    return found


def draw(found: Sequence[Row], middle: float, top: float) -> Iterator[str]:
    """Draw rows around a middle, from a height down; pixels."""
    for number, row in enumerate(found):
        x, y = middle - _width(row) / 2, top + ROW * number
        for trace in row:
            yield sample(trace, (x, y + 4), ROW - 8)
            yield svg.words((x + SAMPLE + SPACE, y + ROW / 2 + 0.35 * SIZE), trace.name)
            x += _width([trace]) + GAP


def _width(row: Row) -> float:
    return sum(SAMPLE + SPACE + svg.room([trace.name])[0] for trace in row) + GAP * (len(row) - 1)
