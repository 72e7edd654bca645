"""Four newcomers walk through the notebooks in JupyterLab: after each cell nothing is red, the text is true.

One goes in order, one out of order with skipped turns, and one restarts and reloads at every stage:
scripts/test --all walks through every notebook, a plain run through some. The fourth has keys and a screen
reader alone, in the notebook of the live lab.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page
from random_sets import ALL

from bench.lab_page import LIVE, Messages, wait_until
from browser.claims import CLAIMS, broken, far_off
from browser.running_lab import JupyterLab, close_all
from browser.screen_reader import Node, ScreenReader, nameless
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
BY_HAND = {
    "with the buttons": [("Promote", "Enter", 100), ("Roll back", "Enter", 0), ("Promote", "Enter", 100)],
    "with the slider": [("Canary 10 %", "Enter", 10), ("Weight of v2", "PageUp", 20)],
}
"""Turns at the live lab: controls, the key for each, and the weight of v2 that comes of it."""
SENTENCE = re.compile(r"asked for; answers: ")
"""How the live lab's status begins, behind the shares."""


def some(*names: str) -> list[str]:
    """Return these, or all of them."""
    return NAMES if ALL else list(names)


@pytest.fixture
def page(window: tuple[Page, Messages]) -> Iterator[Page]:
    page, _ = window
    page.set_default_timeout(90_000)
    yield page
    close_all(page)  # the next walk has a new kernel


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


def live_cell(walk: Walk) -> Cell:
    """Return the cell that shows the live lab."""
    return next(cell for cell in walk.cells if "live.show(lab)" in cell.source)


def open_hints(walk: Walk, cell: Cell) -> None:
    """Open a turn's hints by keys, one after the other."""
    for number, grade in enumerate(notebooks.GRADES, start=1):
        walk.reach(cell, f"Hint {number}: {grade}")
        walk.page.keyboard.press("Enter")
    assert walk.page.locator(f"{walk.place(cell)} details[open]").count() == len(notebooks.GRADES)


def take_turn(walk: Walk, cell: Cell) -> None:
    """Do by keys what a cell asks for: at the live lab where it says so, in the cell else."""
    by_hand = next((steps for words, steps in BY_HAND.items() if words in cell.source), None)
    if by_hand is None:
        named = cell.solution.replace("IntSlider", "BoundedIntText")  # as the hint says
        walk.answer(replace(cell, solution=named))
        return
    for name, key, weight in by_hand:
        walk.reach(live_cell(walk), name)
        walk.page.keyboard.press(key)
        wait_until(
            walk.page, f"Math.round(100 * document.querySelector('{LIVE}').dataset.weight) === {weight}"
        )
        walk.page.keyboard.press("Escape")
    walk.stand_on(cell)


def hear_cell(walk: Walk, reader: ScreenReader, cell: Cell) -> None:
    """Assert that a screen reader has a name for each control and each picture that a cell shows."""
    shown = ".jp-Cell-outputWrapper" if cell.type == "code" else ".jp-MarkdownOutput"
    nodes = reader.reads(
        f"{walk.place(cell)} {shown}", until=lambda nodes: bool(nodes) and not nameless(nodes)
    )
    assert nodes
    assert nameless(nodes) == [], f"{walk.name}, cell {cell.number}: {cell.source}\n{nodes}"


def hear_live_lab(walk: Walk, reader: ScreenReader) -> None:
    """Assert that a screen reader finds the weight at the slider, and is told the shares unasked."""
    place = f"{walk.place(live_cell(walk))} {LIVE}"
    live, told = walk.page.locator(place), False

    def tells(nodes: list[Node]) -> bool:
        nonlocal told
        told = _tells(nodes, round(100 * float(live.get_attribute("data-weight") or "nan")))
        return told

    nodes = reader.reads(place, until=tells)
    assert nameless(nodes) == []
    assert told, nodes


def _tells(nodes: list[Node], weight: int) -> bool:
    sliders = [(node.name, node.value) for node in nodes if node.role == "slider"]
    return sliders == [("Weight of v2", str(weight))] and any(SENTENCE.search(node.spoken) for node in nodes)


def test_the_claims_are_sentences_of_the_notebooks() -> None:
    for claim in CLAIMS:
        source = (notebooks.SOURCES / f"{claim.notebook}.py").read_text()
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


def test_a_newcomer_has_keys_and_a_screen_reader_alone(page: Page, jupyter: JupyterLab) -> None:
    walk = Walk(page, jupyter, "03-weight-lab", by_keys=True)
    walk.begin()
    reader = ScreenReader(page)
    closed = False
    for cell in walk.cells:
        if "hints" in cell.tags:
            open_hints(walk, cell)
        if {"predict", "your-turn"} & {*cell.tags}:
            take_turn(walk, cell)
        walk.go_on(cell)
        if cell.type == "code":
            look(walk, cell)
        closed = closed or "traffic.close()" in cell.source
        # JupyterLab draws an output anew that was out of sight; a closed lab has nothing left to tell it.
        if page.locator(LIVE).count() and not closed:
            hear_live_lab(walk, reader)
        hear_cell(walk, reader, cell)
