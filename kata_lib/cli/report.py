"""The executed notebooks and the exercise's table as one HTML file that asks nothing of the network.

Notebooks are run by nbclient, their cells become HTML by nbconvert's barest template, and the page's style is
here; pictures are the stills that every figure carries.
"""

import html
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kata_lib import engines
from kata_lib.cli.exercise import Row
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import notebooks
from kata_lib.course.application import APPLICATION
from kata_lib.course.steps import lacking, step
from kata_lib.errors import KataError
from kata_lib.machine import PROJECT
from kata_lib.statistics import shares

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222 }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
nav { border-left: 4px solid #0072b2; padding-left: 1rem; margin-bottom: 2rem }
article { border-top: 1px solid #ccc; margin-top: 3rem }
pre { font: 13px/1.45 ui-monospace, monospace; overflow-x: auto; margin: .3rem 0 }
.highlight { background: #f5f5f5; padding: .4rem .8rem; border-radius: 4px }
.jp-OutputArea-output, .output_area { padding-left: .8rem }
code { background: #f5f5f5 }
table { border: 0; border-collapse: collapse; font-size: 14px; margin: .5rem 0 }
th, td { border: 0; border-bottom: 1px solid #ddd; padding: .3rem .8rem; text-align: left }
.dataframe thead th { text-align: left !important }
.prompt, .anchor-link, .jp-InputPrompt, .jp-OutputPrompt { display: none }
figure { margin: .5rem 0 }
svg { max-width: 100%; height: auto }
"""


@dataclass(frozen=True)
class Executed:
    """A notebook after its run: as far as it came, and why it came no further, or None.

    skipped: why it was not run at all, "" where it was.
    """

    name: str
    notebook: Any
    error: str | None
    skipped: str = ""


def execute(cluster: str, on_cell: Callable[[str, int, int], None]) -> Iterator[Executed]:
    """Run every notebook with its solutions on a cluster; on_cell is told name, cell and number of cells.

    One whose step needs more than the cluster has is skipped.
    """
    for source in notebooks.sources():
        built = notebooks.build(source.read_text(), solutions=True)
        yield _execute(source.stem, built, cluster, on_cell)


def _execute(
    name: str, built: notebooks.Notebook, cluster: str, on_cell: Callable[[str, int, int], None]
) -> Executed:
    import nbclient
    import nbformat

    notebook = nbformat.reads(notebooks.text(built), as_version=4)
    place = engines.select(APPLICATION, cluster=cluster).where()
    if place and (reason := lacking(Cluster.at(place), step(name))):
        return Executed(name, notebook, None, skipped=reason)
    seconds = step(name).cell_seconds
    client = nbclient.NotebookClient(
        notebook,
        timeout=seconds,
        kernel_name="python3",
        resources={"metadata": {"path": str(notebooks.FOLDER)}},
        on_cell_start=lambda cell, cell_index: on_cell(name, cell_index, len(notebook.cells)),
    )
    error = None
    try:
        # A kernel warns on its standard error that its sockets are local TCP; what cells write is not there.
        client.execute(env={**os.environ, "KATA_RESET": "1", "KATA_NAME": cluster}, stderr=subprocess.DEVNULL)
    except nbclient.exceptions.CellTimeoutError:
        error = f"A cell of {name} took longer than {seconds} s."
    except nbclient.exceptions.CellExecutionError as failure:
        error = f"A cell of {name} failed: {failure.evalue or failure.ename}"
    except nbclient.exceptions.DeadKernelError:
        error = f"The kernel of {name} died."
    return Executed(name, notebook, error)


def page(rows: Sequence[Row], executed: Iterable[Executed]) -> str:
    """Return the report as HTML."""
    from pygments.formatters import HtmlFormatter

    articles = [(done.name, _body(done)) for done in executed]
    links = " · ".join(f'<a href="#{name}">{name}</a>' for name, _ in articles)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Canary workshop</title>',
        f"<style>{_STYLE}{HtmlFormatter().get_style_defs('.highlight')}</style></head><body>",
        f"<h1>Canary workshop: the exercise</h1><nav>{_table(rows)}<p>Notebooks: {links}</p></nav>",
        *(f'<article id="{name}">{body}</article>' for name, body in articles),
        "</body></html>",
    ]
    return "\n".join(parts)


def write(rows: Sequence[Row], executed: Iterable[Executed], path: Path) -> None:
    """Write the report; KataError where the place cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(rows, executed))
    except OSError as error:
        raise KataError(f"The report cannot be written to {path}: {error.strerror}.") from error


def place(given: Path | None) -> Path:
    """Return where the report goes: as given, or KATA_REPORT, or .kata/report.html in the project."""
    return given or Path(os.environ.get("KATA_REPORT") or PROJECT / ".kata" / "report.html")


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


def _table(rows: Sequence[Row]) -> str:
    head = "".join(f"<th>{name}</th>" for name in HEADS)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells(row)) + "</tr>" for row in rows
    )
    said = "".join(f"<p>{html.escape(note)}</p>" for note in notes(rows))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{said}"


def _body(done: Executed) -> str:
    from nbconvert import HTMLExporter

    if done.skipped:
        return f"<h1>{done.name}</h1><p>Skipped. {html.escape(done.skipped)}</p>"
    for cell in done.notebook.cells:
        for output in cell.get("outputs", []):
            # Plotly's own form needs its script; the still needs nothing, and its title can be read.
            if still := output.get("data", {}).get("image/svg+xml"):
                output["data"] = {"text/html": f"<figure>{still}</figure>"}
    exporter = HTMLExporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    body: str = exporter.from_notebook_node(done.notebook)[0]
    return body
