"""Three newcomers walk through the notebooks in JupyterLab: after each cell nothing is red, the text is true.

One goes in order, one out of order with skipped turns, and one restarts and reloads at every stage.
scripts/test --all walks through every notebook, a plain run through some.
"""

import random
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from random_sets import ALL

from browser.claims import CLAIMS, broken, far_off
from browser.running_lab import JupyterLab
from browser.walking import Cell, Seen, Walk
from kata_lib.course import notebooks
from kata_lib.course.exercises import step

SEED = 5
NAMES = [source.stem for source in notebooks.sources() if not step(source.stem).addons]
"""Every notebook for which a new cluster has all."""
SHUFFLED = random.Random(SEED).sample(NAMES, len(NAMES))
BROKEN = re.compile(r"model not found|error displaying widget|error creating widget", re.IGNORECASE)
TOLD = re.compile(r"still open|not enough yet|: wrong")
"""How somebody hears that a turn was skipped."""


def some(*names: str) -> list[str]:
    """Return these, or all of them."""
    return NAMES if ALL else list(names)


@pytest.fixture
def page(jupyter: JupyterLab) -> Iterator[Page]:
    page, _ = jupyter.page()
    page.set_default_timeout(90_000)
    yield page
    page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")  # the next walk has a new kernel
    page.close()


def look(walk: Walk, cell: Cell, *, told: bool = False) -> Seen:
    """Assert that nothing is red below a cell, and that the text is true of it; told: a turn is open."""
    seen = walk.seen(cell)
    place = f"{walk.name}, cell {cell.number}: {cell.source}\n{seen.text}"
    assert not BROKEN.search(walk.page.locator(".jp-NotebookPanel:visible").inner_text()), place
    assert seen.errors == [], place
    assert "Not as this step begins" not in seen.text, place
    assert far_off(seen) == [], place
    if not told:
        assert seen.red == [], place
        assert broken(walk.name, cell.source, seen) == [], place
    return seen


def test_the_claims_are_sentences_of_the_notebooks() -> None:
    for claim in CLAIMS:
        source = (notebooks.FOLDER / "src" / f"{claim.notebook}.py").read_text()
        assert claim.part in source
        assert claim.sentence in " ".join(re.sub("\n# ?", " ", source).split())


@pytest.mark.parametrize("name", some("00-setup", "01-deploy", "02-canary"))
def test_a_newcomer_goes_in_order(page: Page, jupyter: JupyterLab, name: str) -> None:
    walk = Walk(page, jupyter, name)
    walk.begin()
    for cell in walk.cells:
        walk.answer(cell)
        walk.go_on(cell)
        if cell.type == "code":
            look(walk, cell)


@pytest.mark.parametrize("name", SHUFFLED if ALL else ["02-canary", "00-setup"])
def test_a_newcomer_goes_out_of_order_and_skips_every_turn(
    page: Page, jupyter: JupyterLab, name: str
) -> None:
    """Whoever skips a turn is told by the next cell, and reads no false number afterwards."""
    walk = Walk(page, jupyter, name)
    walk.begin()
    skipped = open_turn = False
    for cell in walk.cells:
        walk.go_on(cell)
        if cell.type != "code":
            continue
        seen = look(walk, cell, told=skipped or open_turn)
        assert not open_turn or TOLD.search(seen.text), f"{name}, cell {cell.number}: {seen.text}"
        skipped, open_turn = skipped or open_turn, "your-turn" in cell.tags


@pytest.mark.parametrize("name", some("04-observe"))
def test_a_newcomer_restarts_and_reloads_at_every_stage(page: Page, jupyter: JupyterLab, name: str) -> None:
    """A stage ends with a check. The page stays whole, and the notebook goes from its top again."""
    walk = Walk(page, jupyter, name)
    walk.begin()
    stages = [cell.number for cell in walk.cells if "check" in cell.tags]
    for stage in [*stages, len(walk.cells) - 1]:
        for cell in walk.cells[: stage + 1]:
            walk.answer(cell)
            walk.go_on(cell)
            if cell.type == "code":
                look(walk, cell)
        walk.restart_and_reload()
        for cell in walk.cells[: stage + 1]:
            if cell.type == "code":
                look(walk, cell)
