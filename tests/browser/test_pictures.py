"""The live graph in a real browser, and every picture in both themes, kept to look at.

Screenshots land in .kata/screenshots. KATA_PICTURE_SECONDS: how long the live lab runs between two changes.
"""

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bench.lab_page import LIVE, Messages, open_notebook, run_cell, run_live, wait_idle, wait_until
from browser.running_lab import JupyterLab, close_all, keep
from kata_lib.course.application import Sampler
from kata_lib.lab.lab import Lab

GRAPH = ".kata-graph"
SECONDS = float(os.environ.get("KATA_PICTURE_SECONDS", "4"))


@pytest.fixture(scope="module")
def page(window: tuple[Page, Messages], jupyter: JupyterLab) -> Iterator[Page]:
    with jupyter.opened(window[0], "graph.ipynb") as page:
        yield page


def test_the_live_graph_shows_who_calls_whom_at_what_share(page: Page, lab: Lab) -> None:
    lab.set_weights({"name-v2": 10})
    run_cell(page)
    wait_until(page, f"document.querySelector('{GRAPH}')?.dataset.frames >= 1", timeout=90_000)
    picture = page.locator(f"{GRAPH} .graph")
    with Sampler(lab.url(), rate=50):
        expect(picture).to_have_attribute(
            "aria-label",
            re.compile(
                r"service name to name v1: (8\d|9\d)\.\d %, \d+\.\d/s\. service name to name v2: 1?\d\.\d %"
            ),
            timeout=20_000,
        )
        # Each sentence asks both; a reading may fall between the two.
        expect(picture).to_have_attribute(
            "aria-label", re.compile(r"sentences v1 to service age: (4[5-9]|5[0-5])\.\d %"), timeout=20_000
        )
    drawn = page.locator(f"{GRAPH} svg text").all_text_contents()
    assert {"outside", "sentences", "age", "name", "v1", "v2"} <= set(drawn)


def test_every_picture_is_shown_in_both_themes(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 2200})
    wait_idle(page)
    run_cell(page, 1)
    keep(
        page,
        "pictures",
        ".jp-Cell >> nth=1",
        holds=(".jp-OutputArea-output:has(.main-svg, .kata-picture):visible", 4),
    )
    keep(page, "graph", GRAPH, holds=("svg", 1))


def test_the_live_lab_is_shown_in_both_themes(page: Page, jupyter: JupyterLab) -> None:
    close_all(page)
    open_notebook(page, jupyter.address, "other.ipynb")
    run_live(page)
    for name in ("50/50", "Canary 10 %"):
        page.locator(LIVE).get_by_role("button", name=name).click()
        page.wait_for_timeout(1000 * SECONDS)
    keep(page, "live-lab", LIVE, holds=("tbody tr", 2))
