"""Pictures of shares: figures from data, without effects. How they are shown is in stills.py.

A version has the same colour, marker, hatch and dash in every picture. The colours are Okabe and Ito's, which
people with any colour vision tell apart (https://jfly.uni-koeln.de/color/); none is told by its colour alone.
All are drawn on white paper; theme.py says what becomes of paper and ink in a dark page.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from kata_lib.pictures.labels import labels
from kata_lib.pictures.stills import HEIGHT, Still
from kata_lib.pictures.svg import GRID, INK, PAPER
from kata_lib.statistics.confidence_sequence import confidence_sequence
from kata_lib.statistics.shares import Share, in_percent, percent, share_of, wilson
from kata_lib.traffic.frames import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Style:
    """How a version looks, in plotly's names; ink is what is read on its colour."""

    color: str
    symbol: str
    hatch: str
    dash: str
    ink: str


STYLES = {
    "v1": Style("#0072B2", "circle", "", "dash", "#ffffff"),
    "v2": Style("#D55E00", "square", "/", "solid", "#000000"),
    "v3": Style("#009E73", "diamond", "x", "dashdot", "#000000"),
}
OTHER = Style("#CC79A7", "cross", ".", "longdash", "#000000")
EXPECTED = {"color": INK, "dash": "dot", "width": 2.5}
TOP = 105  # percent: a line at 100 is seen whole
POINTS = 400
"""More points a line than this only make the notebook larger."""


def style_of(version: str) -> Style:
    """Return how a version looks in every picture."""
    return STYLES.get(version, OTHER)


def distribution(
    shares: Mapping[str, Share],
    expected: Mapping[str, float],
    *,
    title: str = "Observed and expected share",
    of: str = "answers",
    beside: str = "expected",
    x_title: str = "",
) -> Still:
    """Show observed shares with their 95 % intervals beside the expected ones, one bar a label.

    `shares` and `expected` (fractions) have the same labels. of: what they are shares of; beside: what the
    expected ones are called; x_title: what the labels are.
    """
    if shares.keys() != expected.keys():
        raise ValueError(f"expected shares for {', '.join(shares)}; found them for {', '.join(expected)}")
    places = range(len(shares))
    traces: list[Any] = []
    for version in sorted({share.version for share in shares.values()}):
        bars = [
            (place, share)
            for place, share in zip(places, shares.values(), strict=True)
            if share.version == version
        ]
        traces.append(_bars(version, bars))
    traces.append(
        go.Scatter(
            x=[x for place in places for x in (place - 0.4, place + 0.4, None)],
            y=[y for label in shares for y in (_percent(expected[label]), _percent(expected[label]), None)],
            mode="lines",
            name=beside,
            line=EXPECTED,
        )
    )
    labels = [f"{_in_two_lines(label)}<br>n = {share.n:,}" for label, share in shares.items()]
    figure = percent_figure(traces, title, x_title, f"share of {of}")
    middle, half = (len(shares) - 1) / 2, max(3, len(shares)) / 2
    figure.update_xaxes(tickvals=list(places), ticktext=labels, range=[middle - half, middle + half])
    figure.update_yaxes(range=[0, TOP])
    parts = [
        f"{label}: {_words(share)}; {beside} {percent(expected[label])}." for label, share in shares.items()
    ]
    return Still(figure, " ".join(["Bars of observed shares with 95 % intervals.", *parts]))


def _in_two_lines(label: str) -> str:
    """Break a label, so that plotly need not turn it where the page is narrow."""
    return "<br>".join(textwrap.wrap(label, max(9, len(label) * 2 // 3)))


def _bars(version: str, bars: Sequence[tuple[int, Share]]) -> "go.Bar":
    style = style_of(version)
    heights = [_percent(share.share) if share.n else 0.0 for _, share in bars]
    return go.Bar(
        x=[place for place, _ in bars],
        y=heights,
        width=0.5,
        name=f"{version}, observed, with 95 % interval",
        marker={
            "color": style.color,
            "pattern": {"shape": style.hatch, "fillmode": "overlay", "fgcolor": PAPER, "solidity": 0.2},
        },
        error_y={
            "type": "data",
            "array": [
                _percent(share.high) - height for (_, share), height in zip(bars, heights, strict=True)
            ],
            "arrayminus": [
                height - _percent(share.low) for (_, share), height in zip(bars, heights, strict=True)
            ],
            "color": INK,
            "thickness": 1.5,
            "width": 6,
        },
    )


def convergence(frame: "pd.DataFrame", expected: float, version: str = "v2") -> Still:
    """Show how the share of `version` settles as answers add up; failures do not count.

    `frame` is a sample in the order of its requests, `expected` a fraction. The band is the 95 % interval of
    each number of answers, for one look at that number; the lines around it are the 95 % confidence sequence,
    which may be watched.
    """
    marks = (frame["version"].dropna() == version).cumsum().tolist()
    total = len(marks)
    numbers = sorted({round(1 + (total - 1) * i / (POINTS - 1)) for i in range(POINTS)}) if total else []
    shares = [marks[n - 1] / n for n in numbers]
    low, high = zip(*(wilson(marks[n - 1], n) for n in numbers), strict=True) if numbers else ((), ())
    style = style_of(version)
    traces = [
        band(numbers, low, high, style.color),
        _outline(numbers, [confidence_sequence(marks[n - 1], n) for n in numbers], style.color),
        go.Scatter(
            x=numbers,
            y=[_percent(share) for share in shares],
            mode="lines",
            name=f"{version}, observed so far",
            line={"color": style.color, "width": 2.5, "dash": style.dash},
        ),
        go.Scatter(
            x=[0, max(total, 1)],
            y=[_percent(expected)] * 2,
            mode="lines",
            name=f"expected: {percent(expected)}",
            line=EXPECTED,
        ),
    ]
    figure = percent_figure(
        traces, f"Share of {version} as answers add up", "number of answers", "share of answers"
    )
    # The first few answers swing over the whole range; the picture is about what comes after them.
    settled = [i for i, n in enumerate(numbers) if n >= total / 20]
    bottom = min([expected, *(low[i] for i in settled)])
    top = max([expected, *(high[i] for i in settled)])
    figure.update_yaxes(range=[max(0.0, _percent(bottom) - 5), min(TOP, _percent(top) + 5)])
    figure.update_xaxes(range=[0, max(total, 1)])
    words = _words(share_of(version, marks[-1], total)) if total else "no answers yet"
    return Still(
        figure, f"Line of the share of {version} as answers add up: {words}; expected {percent(expected)}."
    )


def timeline(
    frame: "pd.DataFrame",
    version: str | Sequence[str] = "v2",
    *,
    seconds: float = 1.0,
    changes: "Mapping[str, pd.Timestamp] | None" = None,
) -> Still:
    """Show the share of `version`, or of several, in each `seconds` of a sample, and when something changed.

    Failures, and answers of unknown version, are shown by their shares of the requests, where there are any.
    `changes` gives labels to moments, such as {"10 % to v2": pd.Timestamp.now("UTC")}; one before the first
    request is shown at that. One in twenty true
    shares lies outside its 95 % interval. Where nobody asked there is a gap.
    """
    versions = [version] if isinstance(version, str) else list(version)
    start = frame["time"].min()
    bins = ((frame["time"] - start).dt.total_seconds() // seconds).astype(int)
    seen = frame["version"]
    counts = frame.assign(answered=seen.notna(), stranger=seen == UNKNOWN).groupby(bins)
    answered, asked, strangers = counts["answered"].sum(), counts.size(), counts["stranger"].sum()
    middles = [(place + 0.5) * seconds for place in asked.index]
    shares = {
        name: [share_of(name, int(hit), int(n)) for hit, n in zip(hits, answered, strict=True)]
        for name in versions
        for hits in [(seen == name).groupby(bins).sum()]
    }
    gaps = [i for i, place in enumerate(asked.index) if i and place - asked.index[i - 1] > 1]
    traces = [_bands(name, middles, shares[name], gaps, name == versions[0]) for name in versions]
    traces += [_observed(name, middles, shares[name], gaps, f"{seconds:g} s") for name in versions]
    failed = asked - answered
    exceptions = {"failed requests": (failed, "x"), "answers of unknown version": (strangers, OTHER.symbol)}
    for words, (number, symbol) in exceptions.items():
        if number.any():
            traces.append(_exceptions(words, symbol, middles, number / asked))
    moments = {name: max(0.0, (when - start).total_seconds()) for name, when in (changes or {}).items()}
    span = max(middles, default=0.0) + seconds / 2
    traces += _changes(moments, span)
    title = f"Share of {' and '.join(versions)} over time"
    figure = percent_figure(traces, title, "seconds since the first request", "share of requests")
    figure.update_yaxes(range=[0, TOP])
    figure.update_xaxes(range=[0, span])
    figure.update_layout(margin_t=50 + 22 * bool(moments))
    whole = "; ".join(
        _words(share_of(name, int((seen == name).sum()), int(answered.sum()))) for name in versions
    )
    said = [f"{label} at {round(at, 1) + 0.0:.1f} s." for label, at in moments.items()]  # no -0.0
    alt = f"Line of the share of {' and '.join(versions)} in each {seconds:g} s; over all {whole}; "
    if strangers.any():
        said.append(f"{strangers.sum()} answers of unknown version.")
    return Still(figure, " ".join([f"{alt}{failed.sum()} failures.", *said]))


def _bands(
    version: str, x: Sequence[float], shares: Sequence[Share], gaps: Sequence[int], named: bool
) -> "go.Scatter":
    """Fill the 95 % intervals of shares; gaps: the places before which something is missing."""
    low, high = [share.low for share in shares], [share.high for share in shares]
    runs = [slice(begin, end) for begin, end in pairwise([0, *gaps, len(x)])]
    parts = [band(x[run], low[run], high[run], style_of(version).color) for run in runs]
    whole = parts[0]
    for part in parts[1:]:
        whole.update(x=[*whole.x, None, *part.x], y=[*whole.y, None, *part.y])
    return whole.update(showlegend=named)


def _observed(
    version: str, x: Sequence[float], shares: Sequence[Share], gaps: Sequence[int], each: str
) -> "go.Scatter":
    """Draw shares with a mark each, joined but for the gaps."""
    style = style_of(version)
    points = [(at, _percent(share.share) if share.n else None) for at, share in zip(x, shares, strict=True)]
    for gap in reversed(gaps):
        points.insert(gap, (x[gap], None))
    return go.Scatter(
        x=[at for at, _ in points],
        y=[share for _, share in points],
        mode="lines+markers",
        name=f"{version}, observed in {each}",
        line={"color": style.color, "width": 2, "dash": style.dash},
        marker={"symbol": style.symbol, "size": 6, "color": style.color},
    )


def _exceptions(name: str, symbol: str, middles: Sequence[float], shares: "pd.Series[float]") -> "go.Scatter":
    shown = [(middle, _percent(share)) for middle, share in zip(middles, shares, strict=True) if share]
    return go.Scatter(
        x=[middle for middle, _ in shown],
        y=[share for _, share in shown],
        mode="markers",
        name=name,
        marker={"symbol": symbol, "size": 9, "color": INK, "line": {"width": 2}},
    )


def _changes(moments: Mapping[str, float], span: float) -> "list[go.Scatter]":
    """Draw a vertical line at each moment, and labels above the axes."""
    line = {"color": INK, "width": 1.5, "dash": "dot"}
    plain = {"showlegend": False, "hoverinfo": "skip"}
    lines = [
        go.Scatter(x=[at, at], y=[0, TOP], mode="lines", name=name, line=line, **plain)
        for name, at in moments.items()
    ]
    words = [
        go.Scatter(
            x=[label.at],
            y=[TOP],
            mode="text",
            text=[label.text],
            textposition=f"top {label.side}",
            cliponaxis=False,
            **plain,
        )
        for label in labels(moments, span)
    ]
    return lines + words


def band(x: Sequence[float], low: Sequence[float], high: Sequence[float], color: str) -> "go.Scatter":
    """Fill the space between two lines, given as fractions."""
    return go.Scatter(
        x=[*x, *reversed(x)],
        y=[_percent(value) for value in [*high, *reversed(low)]],
        fill="toself",
        fillcolor=f"{color}33",
        line={"width": 0},
        mode="lines",
        name="95 % interval, one look",
        hoverinfo="skip",
    )


def _outline(x: Sequence[float], intervals: Sequence[tuple[float, float]], color: str) -> "go.Scatter":
    """Draw the ends of intervals, given as fractions, as two thin lines of one name."""
    low, high = ([_percent(interval[end]) for interval in intervals] for end in (0, 1))
    return go.Scatter(
        x=[*x, None, *x],
        y=[*low, None, *high],
        mode="lines",
        name="95 % confidence sequence, all looks",
        line={"color": color, "width": 1, "dash": "dashdot"},
        hoverinfo="skip",
    )


def percent_figure(traces: list[Any], title: str, x_title: str, y_title: str) -> "go.Figure":
    """Return a figure of shares in percent, as all pictures here look."""
    axis = {"linecolor": INK, "showline": True, "zeroline": False, "ticks": "outside"}
    layout = go.Layout(
        template="none",
        title={"text": title, "x": 0.02, "font": {"size": 16}},
        font={"family": "sans-serif", "color": INK, "size": 13},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        height=HEIGHT,
        margin={"l": 70, "r": 20, "t": 50, "b": 95},
        legend={"orientation": "h", "y": -0.28, "x": 0.5, "xanchor": "center", "yanchor": "top"},
        xaxis={**axis, "title": {"text": x_title, "standoff": 8}, "showgrid": False},
        yaxis={**axis, "title": {"text": y_title, "standoff": 12}, "ticksuffix": " %", "gridcolor": GRID},
    )
    return go.Figure(traces, layout)


def _percent(fraction: float) -> float:
    return in_percent(fraction, places=3)


def _words(share: Share) -> str:
    return f"{share.version} {share}"
