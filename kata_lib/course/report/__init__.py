"""A report of one's own: what a learner's journal holds becomes one HTML file that asks nothing of a network.

`facts` says on what it ran, `sections` what was done, `page` writes both with page.html.j2 and style.css.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kata_lib.course import progress
from kata_lib.course.journal import Content, Journal
from kata_lib.course.report import facts, page, sections
from kata_lib.course.report.page import Section
from kata_lib.errors import KataError

TITLE = "Canary workshop"
FILE = "my-report.html"


@dataclass(frozen=True)
class Written:
    """A report that was written: a link to it in a notebook, its place elsewhere."""

    file: Path

    def __repr__(self) -> str:
        return f"Your report: {self.file.resolve()}"

    def _repr_html_(self) -> str:
        """Return a link, which JupyterLab opens beside the notebook where the file is in its folder."""
        place = html.escape(str(self.file), quote=True)
        return f'Your report: <a href="{place}">{place}</a>. A browser prints it, or saves it as PDF.'


def of_learner(file: Path | str | None = None) -> Written:
    """Write the report of the cluster that KATA_NAME names, by default into my-report.html in this folder.

    Raises JournalError and ProgressError where what was kept cannot be read, KataError for the place.
    """
    return Written(write(page_of_learner(), Path(file or FILE)))


def page_of_learner() -> str:
    """Return the report as one page of HTML; raises JournalError and ProgressError as of_learner does."""
    done, kept = progress.load(), Journal().load()
    title = f"{TITLE}: {done.learner}" if done.learner else f"{TITLE}: my run"
    return page.render(title, facts.of_run(kept, done.learner), sections.of_learner(done, kept))


def of_run(kept: Content, before: Sequence[Section], after: Sequence[Section], css: str = "") -> str:
    """Return the report of a run without a person, whose own sections stand around what was kept of it.

    css: for the sections' HTML.
    """
    parts = [*before, *sections.of_journal(kept), *after]
    return page.render(f"{TITLE}: a run without a person", facts.of_run(kept), parts, css)


def write(text: str, file: Path) -> Path:
    """Write a report, readable by its owner only, and return its place; KataError where that cannot be."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(0o600)
        file.write_text(text)
    except OSError as error:
        raise KataError(f"The report cannot be written to {file}: {error.strerror}.") from error
    return file
