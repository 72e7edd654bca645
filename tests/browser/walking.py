"""A newcomer who walks through a notebook in JupyterLab, and what must be true on the screen after a cell.

Nothing may be red that is not the newcomer's doing, and the numbers that a cell shows must be the text's:
each comparison is looked at again, by a test wrong once in a million, and so are the sentences of CLAIMS.
Whoever skips a turn must be told so in the next cell; what depends on it may be wrong from then on.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from playwright.sync_api import Page

from bench.lab_page import open_notebook, wait_idle
from kata_lib.course import notebooks
from kata_lib.course.questions import question
from kata_lib.course.steps import step
from kata_lib.statistics.shares import at_least, at_most

NO_CHANCE = 1e-6
OPEN = "Your turn above is still open."
BROKEN = re.compile(r"model not found|error displaying widget|error creating widget", re.IGNORECASE)
UNNAMED = re.compile(
    r"^\s*- (button|checkbox|combobox|img|link|slider|spinbutton|textbox)(?: \[[^]]*\])*(?:: [^\n]*)?$",
    re.MULTILINE,
)
"""A line of an accessibility tree with something that a screen reader can only call by its role."""

CLAIMS = {
    "00-setup": {
        'lab.apply("deploy/v1")': ("six lines that end in *created*", r"(?s)(?:\S+ created\s+){6}"),
        "lab.pods()": ("expect four in all", r"(?s)(?:2/2.*){4}"),
    },
    "01-deploy": {"print(lab.share(alone))": ("Expect none", r"\b0(?:\.0)? % of 100\b")},
    "02-canary": {"lab.expected_share()": ("10 of 90: 11.1 %", r"'v2': 0\.111")},
    "04-observe": {
        "mesh-agrees": ("the mesh does not estimate, it counts", "mesh-agrees: right"),
    },
    "05-promote": {'lab.check("rolled-back"': ("Everyone is where it worked", "rolled-back: right")},
}
"""Sentences of notebooks, by a part of the cell that they speak of, and what that cell must then show."""

_CELLS = """() => jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => ({
    type: model.type, tags: model.getMetadata('tags') ?? [], source: model.sharedModel.getSource()
}))"""
_RUN = """async ([number, limit]) => {
    const { content, sessionContext } = jupyterapp.shell.currentWidget;
    await sessionContext.ready;
    await sessionContext.session.kernel.info;
    content.activeCellIndex = number;
    await content.scrollToItem(number);
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error('The cell runs on.')), limit));
    await Promise.race([jupyterapp.commands.execute('notebook:run-cell'), late]);
}"""
_OUTPUTS = "(number) => jupyterapp.shell.currentWidget.content.widgets[number].outputArea.model.toJSON()"
_WRITE = """([number, text]) => {
    jupyterapp.shell.currentWidget.content.widgets[number].model.sharedModel.setSource(text);
}"""


@dataclass(frozen=True)
class Cell:
    """A cell of the notebook in front: where it stands, what it is, and what a solution would put there."""

    number: int
    type: str
    tags: tuple[str, ...]
    source: str
    solution: str = ""


@dataclass
class Walk:
    """One notebook in a page, and which of its turns the newcomer was told to be open."""

    page: Page
    address: str
    name: str
    open_turns: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Open the notebook."""
        open_notebook(self.page, self.address, f"notebooks/{self.name}.ipynb")

    def cells(self) -> list[Cell]:
        """Return the cells, the turns with their solutions."""
        source = (notebooks.FOLDER / "src" / f"{self.name}.py").read_text()
        solved = notebooks.build(source, solutions=True)["cells"]
        answers = iter("".join(c["source"]) for c in solved if "solution" in c["metadata"].get("tags", []))
        return [
            Cell(
                n, c["type"], tuple(c["tags"]), c["source"], next(answers) if "your-turn" in c["tags"] else ""
            )
            for n, c in enumerate(self.page.evaluate(_CELLS))
        ]

    def write(self, cell: Cell, text: str) -> None:
        """Put a text in place of a cell's."""
        self.page.evaluate(_WRITE, [cell.number, text])

    def run(self, cell: Cell) -> None:
        """Run a cell, wait until it is done, and look at the screen."""
        limit = 1000 * (2 * step(self.name).cell_seconds + 60)
        self.page.evaluate(_RUN, [cell.number, limit])
        self.look(cell)

    def look(self, cell: Cell) -> None:
        """Assert that nothing is red after a cell, and that its numbers are those of the text."""
        outputs: list[dict[str, Any]] = self.page.evaluate(_OUTPUTS, cell.number)
        place, said = f"{self.name}, cell {cell.number}: {cell.source}", "\n".join(map(_text, outputs))
        self.open_turns += [cell.source] * said.count(OPEN)
        assert not [o for o in outputs if o["output_type"] == "error"], f"{place}\n{said}"
        assert not [o for o in outputs if o.get("name") == "stderr"], f"{place}\n{said}"
        assert not BROKEN.search(self.page.locator(".jp-NotebookPanel:visible").inner_text()), place
        assert "Not as this step begins" not in said, f"{place}\n{said}"
        if not self.open_turns:
            assert "✗" not in said, f"{place}\n{said}"
            self._compared(outputs, place)
            self._claimed(cell, said)

    def _compared(self, outputs: list[dict[str, Any]], place: str) -> None:
        for row in filter(None, map(_comparison, outputs)):
            asked = question(row["question"])
            if asked.expected is None or asked.out_of is None:
                continue
            count, n = _counted(row["seen"], asked.out_of)
            share = asked.expected / asked.out_of
            assert min(at_least(count, n, share), at_most(count, n, share)) > NO_CHANCE, f"{place}\n{row}"

    def _claimed(self, cell: Cell, said: str) -> None:
        for part, (_, shows) in CLAIMS.get(self.name, {}).items():
            if part in cell.source and cell.type == "code":
                assert re.search(shows, said), f"{self.name}, cell {cell.number}: {shows!r} is not in\n{said}"


def _text(output: dict[str, Any]) -> str:
    """Return what an output says, as plain text."""
    data = output.get("data", {})
    words = output.get("text") or data.get("text/plain") or output.get("traceback") or ""
    return "".join(words) if isinstance(words, list) else str(words)


class _Rows(HTMLParser):
    """The cells of the tables in a page, a list for each row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def _comparison(output: dict[str, Any]) -> dict[str, str] | None:
    """Return a table of prediction, expectation and observation as a learner sees it."""
    page = output.get("data", {}).get("text/html", "")
    reader = _Rows()
    reader.feed("".join(page))
    if not reader.rows or reader.rows[0][:2] != ["question", "you said"]:
        return None
    return dict(zip(reader.rows[0], reader.rows[1], strict=True))


def _counted(seen: str, out_of: int) -> tuple[int, int]:
    """Return count and total of what a comparison shows, such as `32.7 % of 400 (...)` or `98 answers`."""
    if share := re.match(r"([\d.]+) % of ([\d,]+)", seen):
        n = int(share[2].replace(",", ""))
        return round(float(share[1]) * n / 100), n
    number = re.match(r"[\d,.]+", seen)
    assert number, seen
    return round(float(number[0].replace(",", ""))), out_of


def solve(walk: Walk, cell: Cell) -> None:
    """Fill in what a cell asks for: a prediction, or a turn's solution."""
    if "predict" in cell.tags:
        walk.write(cell, cell.source.replace("...", "33"))
    elif "your-turn" in cell.tags:
        walk.write(cell, cell.solution)


def restart(page: Page) -> None:
    """Restart the kernel, save, and load the page anew, as after a night."""
    page.evaluate(
        """async () => {
            await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart();
            await jupyterapp.commands.execute('docmanager:save');
        }"""
    )
    page.reload()
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=90_000)
    wait_idle(page)


def unnamed(tree: str) -> list[str]:
    """Return what in an accessibility tree has a role and no name."""
    return [found.group().strip() for found in UNNAMED.finditer(tree)]
