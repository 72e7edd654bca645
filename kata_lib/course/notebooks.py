"""Notebooks from their one source: text in percent format goes in, a notebook comes out.

`notebooks/src/NAME.py` holds cells that begin with `# %%`; `# %% [markdown]` begins one of prose, and
`tags=predict` after either names the cell's tag: predict, your-turn, solution or check. Learners get their
solutions folded away in prose; without a person (`solutions=True`) they are cells that run,
in place of the cells that a person fills.

    python -m kata_lib.course.notebooks     writes notebooks/*.ipynb anew
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from kata_lib.errors import KataError
from kata_lib.machine import PROJECT

FOLDER = PROJECT / "notebooks"
TAGS = {"predict", "your-turn", "solution", "check"}

Notebook = dict[str, Any]


def sources() -> list[Path]:
    """Return the notebooks' sources in the order of the workshop."""
    return sorted((FOLDER / "src").glob("*.py"))


def build(text: str, *, solutions: bool) -> Notebook:
    """Return the notebook that the source describes, without outputs, as nbformat 4.5 has it."""
    marks = text.split("\n# %%")
    if text.startswith("# %%"):
        marks[0] = marks[0].removeprefix("# %%")
    else:
        marks = marks[1:]
    cells = [_cell(number, mark, solutions) for number, mark in enumerate(marks)]
    if solutions:
        cells = [cell for cell in cells if "your-turn" not in cell["metadata"].get("tags", [])]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def text(notebook: Notebook) -> str:
    """Return the notebook as its file holds it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def write(folder: Path, *, solutions: bool) -> list[Path]:
    """Write every notebook into a folder and return the files."""
    files = []
    for source in sources():
        file = folder / f"{source.stem}.ipynb"
        file.write_text(text(build(source.read_text(), solutions=solutions)))
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
    elif tag == "solution" and not solutions:
        prose = True
        body = f"<details><summary>Solution</summary>\n\n```python\n{body}\n```\n\n</details>"
    # An id that depends on place and text alone: a notebook that is built again is the same file.
    cell_id = hashlib.sha256(f"{number}:{body}".encode()).hexdigest()[:8]
    source = body.splitlines(keepends=True)
    if prose:
        return {"cell_type": "markdown", "id": cell_id, "metadata": metadata, "source": source}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


if __name__ == "__main__":
    for written in write(FOLDER, solutions=False):
        print(written.relative_to(PROJECT))
