"""A newcomer who walks through a notebook in JupyterLab, and what the screen shows them.

A cell is run as a person runs it. What is looked at afterwards is the page: its text, tables and colours.
"""

from dataclasses import dataclass, field

from playwright.sync_api import Page

from bench.lab_page import open_notebook, wait_idle, wait_until
from browser.running_lab import JupyterLab
from kata_lib.course import notebooks
from kata_lib.course.exercises import step

CONTENT = "jupyterapp.shell.currentWidget?.content"
MOST_TABS = 40
RUN = '[data-command="notebook:run-cell-and-select-next"]:visible'

_CELLS = f"""() => {CONTENT}.widgets.map(({{ model }}) => ({{
    type: model.type, tags: model.getMetadata('tags') ?? [], source: model.sharedModel.getSource()
}}))"""
_KERNEL = """async () => {
    const { sessionContext } = jupyterapp.shell.currentWidget;
    await sessionContext.ready;
    await sessionContext.session.kernel.info;
}"""
"""A cell that is run before that is not run at all."""
_LISTEN = f"""(number) => {{
    const {{ model }} = {CONTENT}.widgets[number];
    let began = false;
    window.ran = new Promise((ended) => {{
        model.stateChanged.connect(function heard(_, {{ name, newValue }}) {{
            if (name !== 'executionState') return;
            if (newValue === 'running') began = true;
            else if (began) {{
                model.stateChanged.disconnect(heard);
                ended();
            }}
        }});
    }});
}}"""
_RAN = """([source, limit]) => Promise.race([
    window.ran,
    new Promise((_, late) => setTimeout(() => late(new Error(`This cell does not end: ${source}`)), limit)),
])"""
_FOCUSED = """(() => {
    const { ariaLabel, innerText, labels } = document.activeElement;
    return (ariaLabel ?? labels?.[0]?.innerText ?? innerText ?? '').trim();
})()"""
_HAVE_TEXT = "(these) => [...document.querySelectorAll(these)].every((one) => one.textContent)"
_SEEN = """(cell) => {
    const outputs = cell.querySelector('.jp-Cell-outputWrapper') ?? document.createElement('div');
    const red = (colour) => {
        const [r, g, b, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
        return alpha > 0.1 && r > 150 && g < 110 && b < 110;
    };
    const reds = [...outputs.querySelectorAll(':not(svg, svg *, [class*=kata-] *)')].filter((element) => {
        const style = getComputedStyle(element);
        const written = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const border = style.borderLeftWidth === '0px' ? 'rgb(0, 0, 0)' : style.borderLeftColor;
        const colours = [style.backgroundColor, border, ...(written ? [style.color] : [])];
        return element.checkVisibility() && colours.some(red);
    });
    const alarms = '[data-mime-type$="jupyter.error"], [data-mime-type$="jupyter.stderr"]';
    return {
        text: outputs.innerText,
        errors: [...outputs.querySelectorAll(alarms)].map((element) => element.innerText),
        red: reds.map((element) => element.innerText),
        tables: [...outputs.querySelectorAll('table')].map((table) =>
            [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText))),
        pictures: [...outputs.querySelectorAll('[role=img]')].map((picture) =>
            picture.getAttribute('aria-label') ?? picture.querySelector('title')?.textContent ?? ''),
    };
}"""


@dataclass(frozen=True)
class Cell:
    """A cell of the notebook in front: where it stands, what it is, and what a solution would put there."""

    number: int
    type: str
    tags: tuple[str, ...]
    source: str
    solution: str = ""

    def answered(self) -> str:
        """Return what somebody who does everything leaves there, a number or a turn's solution among it."""
        if "predict" in self.tags:
            return self.source.replace("...", "33")
        return self.solution or self.source


@dataclass(frozen=True)
class Seen:
    """What the screen shows below a cell: text, texts in red, tables by row, and pictures in words.

    errors: tracebacks, and what was written to the error stream. red: texts
    in red, but for the colours of versions in a live view.
    """

    text: str
    errors: list[str]
    red: list[str]
    tables: list[list[list[str]]]
    pictures: list[str]


@dataclass
class Walk:
    """One notebook in a page; by_keys: the mouse lies still."""

    page: Page
    jupyter: JupyterLab
    name: str
    by_keys: bool = False
    cells: list[Cell] = field(init=False)
    _length: int = field(init=False)

    def begin(self) -> None:
        """Open the notebook as it was made, and have its first cell in front."""
        built = self.solved(solutions=False)
        (self.jupyter.folder / "notebooks" / f"{self.name}.ipynb").write_text(notebooks.text(built))
        self._length = len(built["cells"])
        open_notebook(self.page, self.jupyter.address, f"notebooks/{self.name}.ipynb")
        self._until_whole()
        wait_until(self.page, "document.activeElement.closest('.jp-Cell')")  # keys before that are lost
        self.cells = self._found()

    def solved(self, *, solutions: bool) -> notebooks.Notebook:
        """Return the notebook from its source."""
        return notebooks.of(notebooks.SOURCES / f"{self.name}.py", solutions=solutions)

    def go_on(self, cell: Cell) -> None:
        """Run the cell in front, as a person does, and wait until it is done."""
        code = cell.type == "code"
        if code:
            self.page.evaluate(_LISTEN, cell.number)
        if self.by_keys:
            self.page.keyboard.press("Shift+Enter")
        else:
            self.page.locator(RUN).click()
        if code:
            limit = 2 * step(self.name).cell_seconds + 60
            self.page.evaluate(_RAN, [cell.source, 1000 * limit])

    def answer(self, cell: Cell) -> None:
        """Put into the cell in front what it asks for, if that is not there yet."""
        wanted = cell.answered()
        now = self.page.evaluate(f"(n) => {CONTENT}.widgets[n].model.sharedModel.getSource()", cell.number)
        if now != wanted:
            self._write(wanted)

    def stand_on(self, cell: Cell) -> None:
        """Go from the cell in front to another, by keys."""
        at = self.page.evaluate(f"{CONTENT}.activeCellIndex")
        for _ in range(abs(at - cell.number)):
            self.page.keyboard.press("ArrowUp" if cell.number < at else "ArrowDown")

    def reach(self, cell: Cell, name: str) -> None:
        """Go to a control in a cell by its name, by keys; from another cell, or from a control before it."""
        self.stand_on(cell)
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(_FOCUSED).startswith(name):
                return
        raise AssertionError(f"{MOST_TABS} times Tab do not lead to {name}.")

    def _write(self, text: str) -> None:
        self.page.keyboard.press("Enter")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def place(self, cell: Cell) -> str:
        """Return the selector of a cell, which is scrolled to."""
        self.page.evaluate(f"(number) => {CONTENT}.scrollToItem(number)", cell.number)
        return f'.jp-NotebookPanel .jp-Cell[data-windowed-list-index="{cell.number}"]'

    def seen(self, cell: Cell) -> Seen:
        """Return what the screen shows below a cell, a release once its view has had its first frame."""
        place = self.place(cell)
        wait_until(self.page, _HAVE_TEXT, arg=f"{place} .kata-release .status")
        return Seen(**self.page.locator(place).evaluate(_SEEN))

    def restart_and_reload(self) -> None:
        """Save, restart the kernel, and load the page anew, as after a night; the first cell is in front."""
        self.page.keyboard.press("Control+s")
        wait_until(self.page, "!jupyterapp.shell.currentWidget.context.model.dirty")
        self.page.locator('[data-command="notebook:restart-kernel"]:visible').click()
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        wait_idle(self.page)
        self.page.reload()
        self._until_whole()
        self.page.locator(self.place(self.cells[0])).click()

    def _until_whole(self) -> None:
        wait_until(self.page, f"globalThis.jupyterapp && {CONTENT}?.widgets?.length === {self._length}")
        wait_idle(self.page)
        self.page.evaluate(_KERNEL)

    def _found(self) -> list[Cell]:
        solved = self.solved(solutions=True)["cells"]
        answers = iter("".join(c["source"]) for c in solved if "solution" in c["metadata"].get("tags", []))
        return [
            Cell(
                n, c["type"], tuple(c["tags"]), c["source"], next(answers) if "your-turn" in c["tags"] else ""
            )
            for n, c in enumerate(self.page.evaluate(_CELLS))
        ]
