"""The live lab in both themes at four sizes: nothing is cut, no mark, label or control lies on another."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bench.lab_page import LIVE, Messages, run_live, wait_until
from browser.boxes import SIZES, faults, measured, show_at
from browser.running_lab import THEMES, JupyterLab


@pytest.fixture(scope="module")
def page(window: tuple[Page, Messages], jupyter: JupyterLab) -> Iterator[Page]:
    """Yield a live lab whose weight was changed four times within some seconds."""
    with jupyter.opened(window[0], "other.ipynb") as page:
        run_live(page)
        for name in ("50/50", "Promote", "Roll back", "Canary 10 %"):
            page.locator(LIVE).get_by_role("button", name=name).click()
            page.wait_for_timeout(400)
        expect(page.locator(f"{LIVE} .plot .mark")).not_to_have_count(0)
        yield page


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_of_the_live_lab_is_cut_or_overlaps(page: Page, size: str, theme: str) -> None:
    show_at(page, LIVE, size, theme)
    assert faults(measured(page, LIVE)) == []


def test_the_picture_follows_the_side_bar(page: Page) -> None:
    page.set_viewport_size({"width": 1000, "height": 1000})
    width = f"document.querySelector('{LIVE} .plot svg').clientWidth"
    wait_until(page, f"{width} > 0")
    before = page.evaluate(width)
    page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
    wait_until(page, f"{width} > {before + 100}")
    page.wait_for_timeout(300)
    assert faults(measured(page, LIVE)) == []
    page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
