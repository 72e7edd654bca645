"""The boxes of what is to be read and used in a live view: which of them are cut, and which overlap."""

from itertools import combinations
from typing import Any

from playwright.sync_api import Page

from bench.lab_page import wait_until
from browser.running_lab import KEPT, use_theme

SIZES = {"wide": (1600, 1000), "usual": (1280, 1000), "narrow": (700, 1000), "zoomed to 200 %": (640, 500)}
SHAPES = "svg text, svg .change-line"
WORDS = "button, input, select, output, label, caption, th, td, p, li, .chip, .last > span, .note"
TOUCH = 1.0
"""Pixels: letters' boxes are higher than their ink, and edges are rounded."""

_MEASURE = """([view, shapes, words]) => {
    const root = document.querySelector(view);
    const place = root.getBoundingClientRect();
    const box = (element) => {
        const { left, top, right, bottom } = element.getBoundingClientRect();
        const text = (element.textContent.trim() || element.getAttribute('class') || element.tagName);
        const hides = getComputedStyle(element).overflowX !== 'visible';
        const cut = hides && element.scrollWidth > element.clientWidth + 1;
        return { text: text.slice(0, 40), left, top, right, bottom, cut };
    };
    const seen = (element) => {
        const { width, height } = element.getBoundingClientRect();
        return width > 1 && height > 1 && !element.closest('.spoken, [hidden]');
    };
    const leaf = (element) => ![...element.querySelectorAll(words)].some(seen);
    const found = (selector) => [...root.querySelectorAll(selector)];
    const picture = root.querySelector('.picture').getBoundingClientRect();
    return {
        place: { left: place.left, right: place.right, page: document.documentElement.clientWidth },
        picture: { left: picture.left, top: picture.top, right: picture.right, bottom: picture.bottom },
        shapes: found(shapes).map(box),
        words: found(words).filter(seen).filter(leaf).map(box),
        canvas: found('canvas').filter(seen).map(box),
    };
}"""


def show_at(page: Page, view: str, size: str, theme: str) -> None:
    """Show a view at a size of SIZES in a theme, wait until its picture fits, and keep a screenshot."""
    width, height = SIZES[size]
    use_theme(page, theme)
    page.set_viewport_size({"width": width, "height": height})
    page.locator(view).scroll_into_view_if_needed()
    wait_until(
        page,
        "([plot]) => plot.clientWidth === plot.firstElementChild.clientWidth",
        arg=[page.locator(f"{view} .plot").element_handle()],
    )
    page.wait_for_timeout(300)  # the second that runs follows with the next frame
    page.locator(view).screenshot(path=KEPT / f"{view.removeprefix('.kata-')}-{width}-{theme}.png")


def measured(page: Page, view: str) -> dict[str, Any]:
    """Return the boxes of a view: its place and picture, and what is in both; all in pixels of the page."""
    found: dict[str, Any] = page.evaluate(_MEASURE, [view, SHAPES, WORDS])
    return found


def faults(found: dict[str, Any]) -> list[str]:
    """Return what is cut, and which two overlap, in words; [] of a view in order."""
    place, picture = found["place"], found["picture"]
    said = [f"the view ends at {place['right']:.0f} of {place['page']}"] * (place["right"] > place["page"])
    edges = {"words": {"left": place["left"], "right": place["right"]}}
    for kind in ("shapes", "canvas", "words"):
        room = edges.get(kind, picture)
        said += [f"{box['text']!r} is cut" for box in found[kind] if box["cut"] or not _within(box, room)]
    for kind in ("shapes", "words"):
        said += [
            f"{one['text']!r} lies on {other['text']!r}"
            for one, other in combinations(found[kind], 2)
            if _overlap(one, other)
        ]
    return said


def _within(box: dict[str, Any], room: dict[str, float]) -> bool:
    return all(
        box[side] >= room[side] - TOUCH if side in ("left", "top") else box[side] <= room[side] + TOUCH
        for side in room
    )


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    wide = min(one["right"], other["right"]) - max(one["left"], other["left"])
    high = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    return bool(wide > TOUCH and high > TOUCH)
