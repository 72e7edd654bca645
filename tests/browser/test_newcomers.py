"""Four newcomers walk through the notebooks in JupyterLab: after each cell nothing is red, the text is true.

One goes in order, one out of order with skipped turns, one restarts and reloads at every stage, and one has
only a keyboard and a screen reader. scripts/test --all walks all notebooks; else one walks a few, drawn with
a seed.
"""

import random
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from bench.lab_page import wait_idle
from browser.running_lab import JupyterLab
from browser.walking import CLAIMS, Walk, restart, solve, unnamed
from kata_lib.course import notebooks
from kata_lib.course.steps import step

SEED = 2026
ALL = [source.stem for source in notebooks.sources() if not step(source.stem).addons]
"""Every notebook that this machine's cluster has all for."""
SOME = random.Random(SEED).sample(["00-setup", "01-deploy", "02-canary", "04-observe"], 2)
WHOLE = pytest.param(ALL, id="all", marks=pytest.mark.long)


@pytest.fixture
def page(jupyter: JupyterLab) -> Iterator[Page]:
    page, _ = jupyter.page()
    page.set_default_timeout(90_000)
    yield page
    page.close()


def test_the_claims_are_sentences_of_the_notebooks() -> None:
    for name, claims in CLAIMS.items():
        source = (notebooks.FOLDER / "src" / f"{name}.py").read_text()
        for part, (sentence, _) in claims.items():
            assert part in source
            assert sentence in " ".join(source.replace("\n# ", " ").split())


@pytest.mark.parametrize("names", [pytest.param(SOME, id="a few"), WHOLE])
def test_a_newcomer_goes_in_order(page: Page, jupyter: JupyterLab, names: list[str]) -> None:
    for name in sorted(names):
        walk = Walk(page, jupyter.address, name)
        walk.begin()
        for cell in walk.cells():
            if cell.type == "code":
                solve(walk, cell)
                walk.run(cell)
        assert not walk.open_turns


@pytest.mark.parametrize("names", [WHOLE])
def test_a_newcomer_goes_out_of_order_and_skips_turns(
    page: Page, jupyter: JupyterLab, names: list[str]
) -> None:
    for name in random.Random(SEED).sample(names, len(names)):
        walk = Walk(page, jupyter.address, name)
        walk.begin()
        for cell in walk.cells():
            if cell.type == "code":
                walk.run(cell)


@pytest.mark.parametrize("names", [WHOLE])
def test_a_newcomer_restarts_and_reloads_at_every_stage(
    page: Page, jupyter: JupyterLab, names: list[str]
) -> None:
    for name in names:
        walk = Walk(page, jupyter.address, name)
        walk.begin()
        stages = [cell.number for cell in walk.cells() if "check" in cell.tags]
        for stage in stages:
            for cell in walk.cells()[: stage + 1]:
                if cell.type == "code":
                    solve(walk, cell)
                    walk.run(cell)
            restart(page)
            for cell in walk.cells()[: stage + 1]:
                if cell.type == "code":
                    walk.look(cell)


@pytest.mark.parametrize("names", [WHOLE])
def test_a_newcomer_has_a_keyboard_and_a_screen_reader(
    page: Page, jupyter: JupyterLab, names: list[str]
) -> None:
    for name in names:
        walk = Walk(page, jupyter.address, name)
        walk.begin()
        assert "code cell" in page.locator(".jp-NotebookPanel:visible").aria_snapshot().lower()
        for cell in walk.cells():
            typed(walk, cell.solution or (cell.source.replace("...", "33") if "predict" in cell.tags else ""))
            page.keyboard.press("Shift+Enter")
            wait_idle(page, 2 * step(name).cell_seconds + 60)
            if cell.type == "code":
                walk.look(cell)
                shown = page.locator(".jp-NotebookPanel:visible .jp-Cell").nth(cell.number)
                assert unnamed(shown.locator(".jp-Cell-outputWrapper").aria_snapshot()) == []


def typed(walk: Walk, text: str) -> None:
    """Put a text into the cell in front by keys alone."""
    if text:
        walk.page.keyboard.press("Enter")
        walk.page.keyboard.press("Control+A")
        walk.page.keyboard.insert_text(text)
