"""Elements of an SVG as text: numbers and words go in, `<text ...>` comes out, and a document of them all.

Colours stand in attributes, which every viewer knows and a page's style sheet can change (theme.py).
"""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

INK = "#333333"
PAPER = "#ffffff"
GRID = "#e3e3e3"
FAILED = "#B00020"

SIZE = 13.0  # of letters, pixels
CHARACTER = 0.62  # of a letter's size: the mean width in the wider of the usual fonts without serifs
LINE = 1.25  # of a letter's size
READABLE = 0.75  # of its own size: what a page makes of a picture at least, and scrolls beyond

Attribute = str | float | None
Place = tuple[float, float]
"""Pixels from the left and from the top."""


def document(width: float, height: float, alt: str, parts: Sequence[str]) -> str:
    """Return a picture on paper, complete in itself, titled with its alternative text; pixels."""
    inside = f"<title>{escape(alt)}</title>{rectangle((0, 0), width, height, fill=PAPER)}{''.join(parts)}"
    box = f"0 0 {_said(width)} {_said(height)}"
    attributes: dict[str, Attribute] = {
        "width": width,
        "height": height,
        "viewBox": box,
        "font-family": "sans-serif",
        "style": f"min-width: {READABLE * width:.0f}px",
    }
    return element("svg", inside, role="img", xmlns="http://www.w3.org/2000/svg", **attributes)


def element(name: str, inside: str = "", /, **attributes: Attribute) -> str:
    """Return an element; `_` in an attribute's name stands for `-`, None for no such attribute."""
    written = (
        f' {key.replace("_", "-")}="{escape(_said(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{''.join(written)}>{inside}</{name}>"


def rectangle(corner: Place, width: float, height: float, **attributes: Attribute) -> str:
    """Return a rectangle from its upper left corner."""
    return element("rect", x=corner[0], y=corner[1], width=width, height=height, **attributes)


def path(steps: str, **attributes: Attribute) -> str:
    """Return a path, filled with nothing where no other `fill` is given."""
    return element("path", d=steps, **{"fill": "none", **attributes})


def through(points: Sequence[Place]) -> str:
    """Return the steps of a path by straight lines."""
    return "M" + "L".join(_pair(x, y) for x, y in points) if points else ""


def curve(points: Sequence[Place]) -> str:
    """Return the steps of a path that is level at each point."""
    steps = (
        f"C{_pair((x + to_x) / 2, y)} {_pair((x + to_x) / 2, to_y)} {_pair(to_x, to_y)}"
        for (x, y), (to_x, to_y) in pairwise(points)
    )
    return through(points[:1]) + "".join(steps)


def window(corner: Place, width: float, height: float, inside: str) -> str:
    """Return what of `inside` lies within a rectangle."""
    x, y = corner
    box = " ".join(map(_said, (x, y, width, height)))
    return element("svg", inside, x=x, y=y, width=width, height=height, viewBox=box, overflow="hidden")


def words(
    place: Place, said: str, *, anchor: str = "start", color: str = INK, size: float = SIZE, turn: int = 0
) -> str:
    """Return a line of text on its baseline; anchor: start, middle or end; turn: degrees around the place."""
    turned = f"rotate({turn} {_said(place[0])} {_said(place[1])})" if turn else None
    return element(
        "text",
        escape(said),
        x=place[0],
        y=place[1],
        fill=color,
        font_size=size,
        text_anchor=anchor,
        transform=turned,
    )


def lines(middle: Place, said: Sequence[str], *, color: str = INK, size: float = SIZE) -> str:
    """Return lines of text around a middle."""
    first = middle[1] - (len(said) - 1) * LINE * size / 2 + 0.35 * size  # capitals are 0.7 of the size high
    return "".join(
        words((middle[0], first + i * LINE * size), line, anchor="middle", color=color, size=size)
        for i, line in enumerate(said)
    )


def room(said: Sequence[str], size: float = SIZE) -> tuple[float, float]:
    """Return how wide and how high lines of text are at most."""
    return max(map(len, said), default=0) * CHARACTER * size, len(said) * LINE * size


def _said(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def _pair(x: float, y: float) -> str:
    return f"{_said(x)} {_said(y)}"
