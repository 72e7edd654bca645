"""The report of a run without a person: the exercise's table and the executed notebooks around its journal.

Notebooks are run by nbclient, their cells become HTML by nbconvert's barest template. The page itself is that
of a learner's own report (course/report).
"""

import os
import subprocess
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kata_lib.cli.exercise import Row
from kata_lib.course import notebooks, report
from kata_lib.course.exercises import step
from kata_lib.course.journal import Content
from kata_lib.course.report.page import Section, Table
from kata_lib.course.report.sections import VERDICTS
from kata_lib.course.steps import lacking
from kata_lib.lab.lab import Lab
from kata_lib.machine import WORKSHOP
from kata_lib.statistics import shares


@dataclass(frozen=True)
class Executed:
    """A notebook after its run: as far as it came, and why it came no further, or None.

    skipped: why it was not run at all, "" where it was.
    """

    name: str
    notebook: Any
    error: str | None
    skipped: str = ""


def chosen(only: Collection[str] = ()) -> list[Path]:
    """Return the notebooks' sources, in their order; only: the names of those, all where none is named."""
    return [source for source in notebooks.sources() if not only or source.stem in only]


def execute(source: Path, lab: Lab, on_cell: Callable[[int, int], None]) -> Executed:
    """Run a notebook with its solutions on a lab's cluster; on_cell is told the cell and how many there are.

    One whose step needs more than the cluster has is skipped.
    """
    import nbclient
    import nbformat

    name = source.stem
    notebook = nbformat.reads(notebooks.text(notebooks.of(source, solutions=True)), as_version=4)
    if reason := lacking(lab.cluster, step(name)):
        return Executed(name, notebook, None, skipped=reason)
    seconds, line = step(name).cell_seconds, ""

    def begin(cell: Any, cell_index: int) -> None:
        nonlocal line
        line = cell.source.partition("\n")[0]
        on_cell(cell_index, len(notebook.cells))

    client = nbclient.NotebookClient(
        notebook,
        timeout=seconds,
        kernel_name="python3",
        resources={"metadata": {"path": str(notebooks.FOLDER)}},
        on_cell_start=begin,
    )
    environment = {**os.environ, "KATA_RESET": "1", "KATA_NAME": lab.engine.folder.name}
    error = None
    try:
        # A kernel warns on its standard error that its sockets are local TCP; what cells write is not there.
        client.execute(env=environment, stderr=subprocess.DEVNULL)
    except nbclient.exceptions.CellTimeoutError:
        error = f"A cell of {name} took longer than {seconds} s. It begins with `{line}`."
    except nbclient.exceptions.CellExecutionError as failure:
        error = f"A cell of {name} failed: {failure.evalue or failure.ename}"
    except nbclient.exceptions.DeadKernelError:
        error = f"The kernel of {name} died."
    return Executed(name, notebook, error)


def write(rows: Sequence[Row], executed: Iterable[Executed], kept: Content, path: Path) -> None:
    """Write the report of a run, of which its journal kept what it showed; KataError where it cannot be."""
    from pygments.formatters import HtmlFormatter

    light, dark = HtmlFormatter(style="default"), HtmlFormatter(style="github-dark")
    css = light.get_style_defs(".highlight")
    css += "@media screen and (prefers-color-scheme: dark) {" + dark.get_style_defs(".highlight") + "}"
    articles = [_article(done) for done in executed]
    report.write(report.of_run(kept, [_exercise(rows)], articles, css), path)


def place(given: Path | None) -> Path:
    """Return where the report goes: as given, or KATA_REPORT, or .kata/report.html in the project."""
    return given or Path(os.environ.get("KATA_REPORT") or WORKSHOP / ".kata" / "report.html")


def cells(row: Row) -> tuple[str, str, str, str, str]:
    """Return as text a row's step, what share of what is expected, what was seen, failures and verdict."""
    expected = (
        f"{shares.percent(row.expected)} {row.share.version}"
        if row.share and row.expected is not None
        else ""
    )
    return row.step, expected, str(row.share or row.seen), str(row.failures), row.verdict


def notes(rows: Iterable[Row]) -> list[str]:
    """Return a sentence for each right row whose interval does not hold the expected share."""
    return [
        f"The interval of {row.step!r} misses {shares.percent(row.expected)}, as one in twenty does. "
        "Its check errs less than once in a million, and says right."
        for row in rows
        if row.share and row.expected is not None and row.verdict == "right"
        if not row.share.low <= row.expected <= row.share.high
    ]


HEADS = ("step", "expected", "observed, 95 % interval", "failed", "verdict")


def _exercise(rows: Sequence[Row]) -> Section:
    heads = ("step", "expected share", "observed share, 95 % interval", "failed requests", "verdict")
    table = Table(heads, [(*cells(row)[:-1], VERDICTS[row.verdict]) for row in rows])
    return Section("exercise", "The exercise", tables=(table,), notes=notes(rows))


def _article(done: Executed) -> Section:
    """Return an executed notebook for the screen; on paper it would be many pages."""
    if done.skipped:
        return Section(done.name, done.name, f"Skipped. {done.skipped}", on_paper=False)
    return Section(done.name, done.name, done.error or "", html=_body(done), on_paper=False)


def _body(done: Executed) -> str:
    from nbconvert import HTMLExporter

    done.notebook.metadata.pop("widgets", None)  # a live view's whole state, which nobody can show here
    for cell in done.notebook.cells:
        for output in cell.get("outputs", []):
            # Plotly's own form needs its script; the still needs nothing, and its title can be read.
            if still := output.get("data", {}).get("image/svg+xml"):
                output["data"] = {"text/html": f"<figure>{still}</figure>"}
    exporter = HTMLExporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    body: str = exporter.from_notebook_node(done.notebook)[0]
    return body
