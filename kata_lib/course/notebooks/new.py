"""The skeleton of an exercise: a notebook that runs, with its declaration and its test, to be changed."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

from kata_lib.course import notebooks
from kata_lib.errors import KataError
from kata_lib.machine import IS_CHECKOUT, PROJECT

_SKELETON = Path(__file__).with_name("skeleton")
_NAME = re.compile(r"(?:(\d\d)-)?([a-z][a-z0-9]*(?:-[a-z0-9]+)*)")


def files(notebook: str) -> Mapping[str, str]:
    """Return where an exercise's files are, from the project's folder, by their skeletons' names.

    notebook: such as 10-blue-green.
    """
    module = notebook.partition("-")[2].replace("-", "_")
    return {
        "notebook": f"notebooks/src/{notebook}.py",
        "exercise": f"kata_lib/course/exercises/{module}.py",
        "test": f"tests/unit/test_exercise_{module}.py",
    }


def make(name: str, project: Path = PROJECT) -> list[Path]:
    """Write the skeleton of an exercise into a checkout of the project, and return its files.

    name: such as outliers, or 14-outliers; without a number it becomes the last. Raises KataError for a name
    that is none, or that another exercise has, and where this is no checkout.
    """
    if not IS_CHECKOUT:
        raise KataError("An exercise is written in a clone of the project: `.venv/bin/kata new NAME` there.")
    there = [source.stem for source in notebooks.sources()]
    if not (found := _NAME.fullmatch(name)):
        raise KataError(f"Expected a name such as outliers or 14-outliers, found {name!r}.")
    number, plain = found[1] or f"{int(max(there)[:2]) + 1:02}", found[2]
    if taken := [one for one in there if number == one[:2] or plain == one[3:]]:
        raise KataError(f"There is {taken[0]} already: take another number or name.")
    values = {"number": number, "name": plain, "title": plain.replace("-", " ").capitalize()}
    return [_write(project / path, kind, values) for kind, path in files(f"{number}-{plain}").items()]


def tie_in() -> None:
    """Write the notebooks and their lists anew, in a process that knows what was declared since."""
    subprocess.run([sys.executable, "-m", "kata_lib.course.notebooks"], cwd=PROJECT, check=True, timeout=60)


def _write(place: Path, kind: str, values: Mapping[str, str]) -> Path:
    if place.exists():
        raise KataError(f"{place} is there already, and nothing is overwritten.")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(Template((_SKELETON / f"{kind}.py.txt").read_text()).substitute(values))
    return place
