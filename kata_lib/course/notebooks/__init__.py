"""Notebooks from their one source: text in percent format goes in, a notebook comes out.

`notebooks/src/NAME.py` holds cells that begin with `# %%`; `# %% [markdown]` begins one of prose, and
`tags=predict` after either names the cell's tag. Learners get folded away in prose what they should not read
at once: hints, solutions, and what holds the answer to a prediction (look-first). Without a person
(`solutions=True`) the solutions are cells that run, in place of the cells that a person fills. The hints of a
turn are three paragraphs: where to look, which command, the line.

    python -m kata_lib.course.notebooks     writes notebooks/*.ipynb anew, and the lists that name them
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from kata_lib.errors import KataError
from kata_lib.machine import PROJECT, WORKSHOP

FOLDER = WORKSHOP / "notebooks"
SOURCES = PROJECT / "notebooks" / "src"
PAGES = tuple(SOURCES / f"{name}.py" for name in ("start", "quiz"))
"""The sources of what is no step: the start page, and the quiz."""
TAGS = {"predict", "your-turn", "hints", "solution", "check", "look-first", "map", "next", "report", "quiz"}
FOR_PERSONS = {"your-turn", "hints", "report"}
"""What is left out where no person is: a run without one writes its own report."""
GRADES = ("where to look", "which command", "the line")
"""What the hints of a turn tell, one after the other."""
LOOK_FIRST = "What it means (look first, then unfold)"
"""What is written on prose that holds the answer to a prediction."""

BROUGHT = "kata"
"""Under this name a learner's notebook has the ids of its cells as the workshop brought them."""

Notebook = dict[str, Any]


def sources() -> list[Path]:
    """Return the sources of the steps' notebooks in the order of the workshop."""
    return sorted(SOURCES.glob("[0-9]*.py"))


def title(source: Path) -> str:
    """Return what a step's notebook is about: its heading without the number."""
    return _said(source, r"^# # \d+ · (.+)$")


def minutes(source: Path) -> int:
    """Return how many minutes a step's notebook says that it takes."""
    return int(_said(source, r"^# \*About (\d+) minutes"))


def _said(source: Path, pattern: str) -> str:
    found = re.search(pattern, source.read_text(), re.MULTILINE)
    if found is None:
        raise KataError(f"{source.name} has no line that matches {pattern}.")
    return found[1]


def of(source: Path, *, solutions: bool) -> Notebook:
    """Return the notebook of a source, as `build` does, with a link to the one that follows at its end."""
    return build(f"{source.read_text()}# %% [markdown] tags=next\n# {_next(source)}\n", solutions=solutions)


def _next(source: Path) -> str:
    """Return the link at the end of a notebook."""
    from kata_lib.course.exercises import EXERCISES  # loads pandas, which `kata progress` need not wait for

    order = ["start", *(exercise.step.notebook for exercise in EXERCISES)]
    place = order.index(source.stem) if source.stem in order else len(EXERCISES)
    if place == len(EXERCISES):
        return "**Back: [start](start.ipynb)**, the map, with all your ticks."
    return f"**Next: [{order[place + 1]}]({order[place + 1]}.ipynb)**: {EXERCISES[place].about}."


def build(text: str, *, solutions: bool) -> Notebook:
    """Return the notebook that the source describes, without outputs, as nbformat 4.5 has it."""
    marks = text.split("\n# %%")
    if text.startswith("# %%"):
        marks[0] = marks[0].removeprefix("# %%")
    else:
        marks = marks[1:]
    cells = [_cell(number, mark, solutions) for number, mark in enumerate(marks)]
    if solutions:
        cells = [cell for cell in cells if not FOR_PERSONS & set(cell["metadata"].get("tags", []))]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata: dict[str, Any] = {"kernelspec": kernel, "language_info": {"name": "python"}}
    if not solutions:
        metadata[BROUGHT] = {"cells": " ".join(cell["id"] for cell in cells)}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def text(notebook: Notebook) -> str:
    """Return the notebook as its file holds it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def write(folder: Path, *, solutions: bool) -> list[Path]:
    """Write every notebook into a folder, the pages that are no steps among them, and return the files."""
    files = []
    for source in [*PAGES, *sources()]:
        file = folder / f"{source.stem}.ipynb"
        file.write_text(text(of(source, solutions=solutions)))
        files.append(file)
    return files


def _cell(number: int, mark: str, solutions: bool) -> dict[str, Any]:
    head, _, body = mark.partition("\n")
    tag = head.partition("tags=")[2].strip()
    if tag and tag not in TAGS:
        raise KataError(f"A cell's tag is one of {', '.join(sorted(TAGS))}, not {tag!r}.")
    body = body.strip("\n")
    metadata = {"tags": [tag]} if tag else {}
    prose = "[markdown]" in head
    if prose:
        body = "\n".join(line.removeprefix("#").removeprefix(" ") for line in body.splitlines())
        body = _graded(body) if tag == "hints" else body
        body = folded(LOOK_FIRST, body) if tag == "look-first" and not solutions else body
    elif tag == "solution" and not solutions:
        prose = True
        body = folded("Solution", f"```python\n{body}\n```")
    source = body.splitlines(keepends=True)
    if prose:
        return {"cell_type": "markdown", "id": cell_id(number, body), "metadata": metadata, "source": source}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id(number, body),
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def cell_id(number: int, text: str) -> str:
    """Return a cell's id, which depends on place and text alone.

    So a notebook that is built again is the same file, and a cell says itself whether somebody changed it.
    """
    return hashlib.sha256(f"{number}:{text}".encode()).hexdigest()[:8]


def folded(summary: str, body: str) -> str:
    """Return prose that is folded away below a line."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _graded(hints: str) -> str:
    """Return a turn's hints, each folded away by itself."""
    texts = hints.split("\n\n")
    if len(texts) != len(GRADES):
        raise KataError(f"A turn has {len(GRADES)} hints ({', '.join(GRADES)}), not {len(texts)}.")
    grades = enumerate(zip(GRADES, texts, strict=True), start=1)
    return "\n".join(folded(f"Hint {number}: {grade}", text) for number, (grade, text) in grades)
