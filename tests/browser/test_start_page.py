"""What a learner meets first: the start page with its map, a terminal beside it, and links that lead on."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bench.lab_page import wait_idle, wait_until
from browser.running_lab import NAME, JupyterLab, close_all
from kata_lib.course import notebooks, progress
from kata_lib.course.progress import overview

CONTENT = "jupyterapp.shell.currentWidget.content"
CELLS = f"{CONTENT}.widgets"


TERMINAL = """() => {
    const { buffer } = [...jupyterapp.shell.widgets('main')].find(w => w.content?._term).content._term;
    return Array.from({ length: 20 }, (_, y) => buffer.active.getLine(y)?.translateToString()).join('\\n');
}"""


@pytest.fixture(scope="module")
def page(jupyter: JupyterLab) -> Iterator[Page]:
    """Yield JupyterLab as it opens for the first time."""
    with jupyter.page() as (page, _):
        page.set_default_timeout(180_000)
        page.goto(jupyter.address)
        yield page
        close_all(page)


def test_the_map_is_drawn_when_the_page_opens(page: Page) -> None:
    links = page.locator(".jp-OutputArea-output table").get_by_role("link")
    expect(links).to_have_text([source.stem for source in notebooks.sources()], timeout=180_000)
    expect(page.get_by_text("No check is done yet.")).to_be_visible(timeout=180_000)
    wait_until(page, "document.querySelector('.jp-Notebook img').naturalWidth > 100")


def test_no_page_asks_whether_to_build_jupyterlab_again(page: Page) -> None:
    config = json.loads(page.locator("#jupyter-config-data").text_content() or "")
    assert (config["buildCheck"], config["buildAvailable"]) == (False, False)


def test_the_folder_shows_notebooks_alone(page: Page) -> None:
    names = page.locator(".jp-DirListing-itemText")
    every = [*notebooks.sources(), *notebooks.PAGES]
    expect(names).to_have_text(sorted(f"{source.stem}.ipynb" for source in every), timeout=180_000)


def test_a_terminal_beside_it_greets(page: Page) -> None:
    boxes = [page.locator(panel).bounding_box() for panel in (".jp-NotebookPanel", ".jp-Terminal")]
    left, right = (box["x"] for box in boxes if box)
    assert left < right
    wait_until(page, f"({TERMINAL})().includes('kubectl get pods')")


def test_links_lead_on_nobody_ends_on_an_empty_cell_and_ticks_follow(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.get_by_role("link", name="00-setup").first.click()
    in_front(page, "00-setup")
    wait_until(page, f"{CELLS}.at(-1)?.model.getMetadata('tags')?.includes('next')")
    wait_idle(page)
    before = page.evaluate(f"{CELLS}.length")
    page.evaluate(f"{CONTENT}.activeCellIndex = {before} - 1")
    page.evaluate("jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    wait_until(page, f"{CELLS}.length === {before} && {CONTENT}.mode === 'command'")
    page.evaluate(f"{CONTENT}.scrollToItem({before} - 1)")
    page.get_by_role("link", name="01-deploy").last.click()
    in_front(page, "01-deploy")
    learner_passes(monkeypatch, "v1-runs")
    page.locator(".lm-TabBar-tab").get_by_text("start.ipynb").click()
    checks = sum(len(row.checks) for row in overview.notebook_map().rows)
    expect(page.get_by_text(f"1 of {checks} checks are done.")).to_be_visible(timeout=180_000)


def in_front(page: Page, name: str) -> None:
    wait_until(page, f"jupyterapp.shell.currentWidget.title.label === '{name}.ipynb'")


def learner_passes(monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    """Note a check as the kernels of this JupyterLab do where a person watches."""
    monkeypatch.setenv("KATA_NAME", NAME)
    for name in ("CI", "KATA_RESET"):
        monkeypatch.delenv(name, raising=False)
    progress.record(check, "right")
