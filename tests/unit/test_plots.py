"""The pictures: what they say, that both forms show the same, and that they need nothing from elsewhere."""

import json
import re
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from math import cbrt, dist
from operator import mul
from xml.etree import ElementTree

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.pictures import plots, theme
from kata_lib.pictures.labels import CHARACTER, NARROW, labels
from kata_lib.pictures.stills import HEIGHT, WIDTH, Still, draw
from kata_lib.pictures.svg import PAPER, room
from kata_lib.statistics.shares import share_of

SVG = "{http://www.w3.org/2000/svg}"

# Full severity, from G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based model for
# simulation of color vision deficiency", IEEE Transactions on Visualization and Computer Graphics 15 (2009).
VISION = {
    "all": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
JUST_NOTICEABLE = 2.3  # in CIELAB (M. Mahy and others, 1994)


def frame_with(versions: Sequence[str | None], gap_ms: int = 10) -> pd.DataFrame:
    times = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(
        [gap_ms * i for i in range(len(versions))], "ms"
    )
    return pd.DataFrame({"time": times, "version": pd.Series([*versions], dtype=object)})


STEPS = {"v1 alone": share_of("v2", 0, 100), "canary": share_of("v2", 30, 300)}
TENTH = frame_with((["v2"] + ["v1"] * 9) * 30)
ALL = frame_with(["v1", "v2", "v3", None, "unknown"] * 800)
MANY = {f"{i}: {10 * i} % to v2": ALL["time"].iloc[300 * i] for i in range(1, 11)}
LONG = {f"rolled back to v{i}, again": share_of(f"v{i}", 30, 3000) for i in range(1, 7)}
PICTURES = {
    "distribution": lambda: plots.distribution(STEPS, {"v1 alone": 0.0, "canary": 0.1}),
    "nothing yet": lambda: plots.distribution({"v1": share_of("v2", 0, 0)}, {"v1": 0.0}),
    "convergence": lambda: plots.convergence(TENTH, 0.1),
    "convergence of nothing": lambda: plots.convergence(TENTH.iloc[:0], 0.1),
    "timeline": lambda: plots.timeline(TENTH, changes={"10 % to v2": TENTH["time"].iloc[100]}),
    "timeline of all there is": lambda: plots.timeline(ALL, ["v1", "v2", "v3"], changes=MANY),
    "long labels": lambda: plots.distribution(LONG, dict.fromkeys(LONG, 0.1)),
}
Box = tuple[str, float, float, float, float]


def box(text: ElementTree.Element) -> Box:
    """Return a text of an SVG, and where it begins and ends: left, top, right, bottom."""
    said, x, y = text.text or "", float(text.get("x", 0)), float(text.get("y", 0))
    size = float(text.get("font-size", 0))
    wide = room([said], size)[0]
    before = {"start": 0.0, "middle": wide / 2, "end": wide}[text.get("text-anchor", "start")]
    if text.get("transform"):  # a quarter to the left
        return said, x - size, y - wide + before, x, y + before
    return said, x - before, y - 0.8 * size, x - before + wide, y + 0.2 * size


def touch(one: Box, other: Box) -> bool:
    return one[1] < other[3] and other[1] < one[3] and one[2] < other[4] and other[2] < one[4]


@pytest.mark.parametrize("make", PICTURES.values(), ids=PICTURES)
class TestEveryPicture:
    def test_has_three_forms(self, make: Callable[[], Still]) -> None:
        still = make()
        bundle = still._repr_mimebundle_()
        assert set(bundle) == {"application/vnd.plotly.v1+json", "image/svg+xml", "text/plain"}
        figure = bundle["application/vnd.plotly.v1+json"]
        assert figure["layout"]["meta"] == {"alt": still.alt}
        assert go.Figure({"data": figure["data"], "layout": figure["layout"]})
        assert len(json.dumps(bundle)) < 100_000

    def test_is_a_titled_svg_that_asks_for_nothing_from_elsewhere(self, make: Callable[[], Still]) -> None:
        still = make()
        root = ElementTree.fromstring(still.svg)
        assert (root.tag, root.get("role")) == (f"{SVG}svg", "img")
        assert root.findtext(f"{SVG}title") == still.alt
        assert set(re.findall(r"https?://[^\"' <]+", still.svg)) <= {
            "http://www.w3.org/2000/svg",
            "http://www.w3.org/1999/xlink",
        }

    def test_shows_the_same_words_in_both_forms(self, make: Callable[[], Still]) -> None:
        still = make()
        drawn = {"".join(text.itertext()) for text in ElementTree.fromstring(still.svg).iter(f"{SVG}text")}
        layout = still.figure.layout
        words = {layout.title.text, layout.xaxis.title.text, layout.yaxis.title.text} - {""}
        names = {trace.name for trace in still.figure.data if trace.showlegend is not False}
        assert words | names <= drawn

    def test_no_words_lie_on_others_or_beyond_the_edge(self, make: Callable[[], Still]) -> None:
        boxes = [box(text) for text in ElementTree.fromstring(make().svg).iter(f"{SVG}text")]
        assert [
            said for said, left, top, right, low in boxes if min(left, top, WIDTH - right, HEIGHT - low) < 0
        ] == []
        assert [(one[0], other[0]) for one, other in combinations(boxes, 2) if touch(one, other)] == []

    def test_has_no_colour_that_a_dark_page_does_not_know(self, make: Callable[[], Still]) -> None:
        rules = theme.page_css()
        for part, color in re.findall(r' (fill|stroke)="(#\w+)"', make().svg):
            ours = {style.color for style in [*plots.STYLES.values(), plots.OTHER]}
            assert color in ours or f'[{part}="{color}"]' in rules

    def test_is_the_same_file_each_time(self, make: Callable[[], Still]) -> None:
        assert make().svg == make().svg


def test_a_distribution_says_what_was_seen_and_expected() -> None:
    still = PICTURES["distribution"]()
    assert still.alt == (
        "Bars of observed shares with 95 % intervals. "
        "v1 alone: v2 0.0 % of 100 (0.0 % to 3.7 %); expected 0.0 %. "
        "canary: v2 10.0 % of 300 (7.1 % to 13.9 %); expected 10.0 %."
    )
    bars, expected = still.figure.data
    assert bars.y == (0.0, 10.0)
    assert bars.error_y.array == pytest.approx((3.699, 3.922), abs=0.01)
    assert expected.y == (0.0, 0.0, None, 10.0, 10.0, None)


def test_a_distribution_needs_an_expectation_for_every_label() -> None:
    with pytest.raises(ValueError, match="expected shares for v1 alone, canary; found them for canary"):
        plots.distribution(STEPS, {"canary": 0.1})


def test_convergence_follows_the_answers_and_leaves_failures_out() -> None:
    versions: Sequence[str | None] = ["v1", None, "v2", "v1", None, "v1"]
    still = plots.convergence(frame_with(versions), 0.1)
    band, outline, line, expected = still.figure.data
    assert line.x == (1, 2, 3, 4)
    assert line.y == pytest.approx((0, 50, 33.333, 25))
    assert expected.y == (10.0, 10.0)
    assert len(band.x) == 8
    assert ("one look" in band.name, "all looks" in outline.name) == (True, True)
    assert outline.y[3] < band.y[4] < 25 < band.y[3] < outline.y[-1]
    assert "25.0 % of 4" in still.alt


def test_a_long_convergence_is_thinned_and_keeps_its_ends() -> None:
    _, outline, line, _ = plots.convergence(frame_with(["v1", "v2"] * 5000), 0.5).figure.data
    assert len(line.x) <= plots.POINTS
    assert len(outline.x) == 2 * len(line.x) + 1
    assert (line.x[0], line.x[-1]) == (1, 10_000)


def test_a_timeline_counts_by_second_and_shows_failures_and_changes() -> None:
    frame = frame_with(["v1"] * 100 + ["v2"] * 50 + [None] * 50)
    still = plots.timeline(frame, changes={"promoted": frame["time"].iloc[100]})
    shares, failures, change, label = still.figure.data[1:]
    assert shares.y == (0.0, 100.0)
    assert (failures.x, failures.y) == ((1.5,), (50.0,))
    assert change.x == (1.0, 1.0)
    assert (label.text, label.textposition) == (("promoted",), "top left")
    assert still.alt.endswith("50 failures. promoted at 1.0 s.")


def test_a_timeline_of_versions_has_each_in_its_legend() -> None:
    still = plots.timeline(TENTH, ["v1", "v2"])
    names = [trace.name for trace in still.figure.data if trace.showlegend is not False]
    assert names == ["95 % interval, one look", "v1, observed in 1 s", "v2, observed in 1 s"]
    assert "v1 90.0 % of 300" in still.alt
    assert "v2 10.0 % of 300" in still.alt


def test_a_timeline_has_a_gap_where_nobody_asked() -> None:
    frame = frame_with(["v1", "v2"] * 250)
    asked = frame[(frame["time"] - frame["time"].min()).dt.total_seconds().floordiv(1) != 2]
    band, line = plots.timeline(asked).figure.data
    assert line.y == (50.0, 50.0, None, 50.0, 50.0)
    assert band.x.count(None) == 1


@pytest.mark.parametrize("words", ["{} %", "v1 {} %, v2 30 %, v3 10 %"])
@given(moments=st.lists(st.floats(0, 60), unique=True, max_size=12))
def test_labels_of_changes_never_touch_and_stay_in_the_picture(moments: list[float], words: str) -> None:
    named = {f"{i}: {words.format(10 * i)}": at for i, at in enumerate(sorted(moments))}
    found = labels(named, 60.0)
    rooms = [label.room(CHARACTER * 60 / NARROW) for label in found]
    rounded = [(round(begin, 6), round(end, 6)) for begin, end in rooms]
    assert all(before[1] <= after[0] for before, after in pairwise(rounded))
    assert sum(len(label.words) for label in found) == len(moments)
    assert all(begin >= 0 and end <= 60 for begin, end in rounded)


def test_a_timeline_shows_answers_of_unknown_version_by_their_share() -> None:
    still = plots.timeline(frame_with(["v1"] * 100 + ["v2"] * 50 + ["unknown"] * 50))
    strangers = still.figure.data[2]
    assert (strangers.name, strangers.x, strangers.y) == ("answers of unknown version", (1.5,), (50.0,))
    assert still.alt.endswith("50 answers of unknown version.")


def test_versions_differ_in_more_than_colour() -> None:
    styles = [plots.style_of(version) for version in ("v1", "v2", "v3", "v4")]
    for field in ("color", "symbol", "hatch", "dash"):
        assert len({getattr(style, field) for style in styles}) == 4


@pytest.mark.parametrize("seen", VISION.values(), ids=VISION)
def test_any_colour_vision_tells_versions_apart(seen: "list[list[float]]") -> None:
    colours = [lab(simulated(plots.style_of(version).color, seen)) for version in ("v1", "v2", "v3", "v4")]
    distances = [dist(one, other) for one, other in combinations(colours, 2)]
    assert min(distances) > 7 * JUST_NOTICEABLE


def test_words_on_a_versions_colour_and_its_lines_on_paper_have_enough_contrast() -> None:
    for style in (plots.style_of(version) for version in ("v1", "v2", "v3")):
        assert contrast(style.color, style.ink) >= 4.5  # WCAG 2.2, 1.4.3
        assert contrast(style.color, PAPER) >= 3  # 1.4.11


def simulated(color: str, seen: "list[list[float]]") -> list[float]:
    """Return a colour's linear red, green and blue as somebody with that vision has them."""
    own = linear(color)
    return [min(max(sum(part * value for part, value in zip(row, own, strict=True)), 0), 1) for row in seen]


def linear(color: str) -> list[float]:
    """Return a colour's linear parts (IEC 61966-2-1)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def lab(rgb: list[float]) -> list[float]:
    """Return CIE L*, a*, b* of linear red, green and blue under D65."""
    xyz = [sum(part * value for part, value in zip(row, rgb, strict=True)) for row in TO_XYZ]
    x, y, z = (root(value / white) for value, white in zip(xyz, (0.9505, 1.0, 1.089), strict=True))
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def root(value: float) -> float:
    return cbrt(value) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2, 1 to 21."""
    light, dark = sorted((sum(map(mul, TO_XYZ[1], linear(color))) for color in (one, other)), reverse=True)
    ratio: float = (light + 0.05) / (dark + 0.05)
    return ratio


def test_a_still_refuses_what_it_cannot_draw() -> None:
    with pytest.raises(ValueError, match="of the kinds bar, scatter, not pie"):
        draw(go.Figure(go.Pie(values=[1])), "a pie")
