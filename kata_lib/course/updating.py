"""Corrected notebooks for somebody who has begun, from where the workshop came to them.

A clone goes to its upstream, as `git pull` would, which alone refuses whoever ran a notebook: outputs are
changes. A folder beside an installation that many share takes the installation's. Where an update ends
half-way git has the learner's notebooks in its stash, and the next update goes on with them.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from kata_lib import files
from kata_lib.course import notebooks
from kata_lib.course.notebooks import BROUGHT, Notebook
from kata_lib.course.notebooks.correcting import Corrected, correct
from kata_lib.errors import KataError
from kata_lib.machine import PROJECT

GIT_SECONDS = 120.0
_STASH = "kata update"
_RELOAD = "Open ones: Reload Notebook from Disk, in the menu File."


class UpdateError(KataError):
    """The workshop's newer version cannot be had; the text says why, and what to do."""


def from_installation(folder: Path) -> list[str]:
    """Correct the notebooks of a learner's folder by the installation's; return what was done, for people."""
    said: list[str] = []
    for file in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        place = folder / "notebooks" / file.name
        if place.exists():
            said += _corrected(place, place.read_text(), json.loads(file.read_text()), None)
        else:
            files.write_text(place, file.read_text())
            said.append(f"{place.stem}: is new.")
    return _told(said)


def from_upstream(clone: Path) -> list[str]:
    """Bring a clone to its upstream, notebooks corrected; return what was done, for people.

    UpdateError says in git's words what is in the way.
    """
    branch = _git(clone, "rev-parse", "--abbrev-ref", "@{upstream}").strip()
    _git(clone, "fetch", "--quiet")
    said = _given_back(clone)  # of an update that was interrupted
    newer = set(_git(clone, "diff", "--name-only", "HEAD", branch).splitlines())
    if not newer:
        return said or ["The workshop is as new as where it came from."]
    _fast_forward(clone, branch, [path for path in _changed_notebooks(clone) if path in newer])
    said += [f"Brought: {len(newer)} file{'s' * (len(newer) != 1)}.", *_given_back(clone)]
    if {"requirements.lock", "pyproject.toml"} & newer:
        said.append("`scripts/setup` brings the packages that it wants.")
    return _told(said)


def _changed_notebooks(clone: Path) -> list[str]:
    changed = _git(clone, "diff", "--name-only", "HEAD", "--", "notebooks/*.ipynb").splitlines()
    return [path for path in changed if (clone / path).exists()]


def _fast_forward(clone: Path, branch: str, ran: list[str]) -> None:
    """Go to the upstream with the notebooks that were run in the stash; as it was where that cannot be."""
    if ran:
        _git(clone, "stash", "push", "--quiet", "--message", _STASH, "--", *ran)
    try:
        _git(clone, "merge", "--ff-only", "--quiet", branch)
    except UpdateError:
        if ran:
            _git(clone, "stash", "pop", "--quiet")
        raise


def _given_back(clone: Path) -> list[str]:
    """Write the learner's notebooks from the stash, corrected; return what was done, for people."""
    if not _git(clone, "stash", "list", "--max-count=1", "--format=%gs").strip().endswith(_STASH):
        return []
    said: list[str] = []
    for path in _git(clone, "diff", "--name-only", "stash@{0}^1", "stash@{0}").splitlines():
        new, before = (_git(clone, "show", f"{version}:{path}") for version in ("HEAD", "stash@{0}^1"))
        text = _git(clone, "show", f"stash@{{0}}:{path}")
        files.write_text(clone / path, text)
        said += _corrected(clone / path, text, json.loads(new), json.loads(before))
    _git(clone, "stash", "drop", "--quiet")
    return said


def _corrected(place: Path, text: str, new: Notebook, before: Notebook | None) -> Iterator[str]:
    """Write the learner's notebook with the corrections, and yield what was done, for people.

    before: the notebook as it was brought, for one that does not say it itself.
    """
    try:
        mine = _read(text, before)
        corrected = correct(mine, new)
    except KataError as error:
        yield f"{place.stem}: yours is left as it is. {error}"
        return
    if corrected.notebook != mine:
        files.write_text(place, notebooks.text(corrected.notebook))
    if corrected.came or corrected.beside:
        yield f"{place.stem}: {_counted(corrected)}."


def _read(text: str, before: Notebook | None) -> Notebook:
    try:
        mine: Notebook = json.loads(text)
        if before and BROUGHT not in mine["metadata"]:
            mine["metadata"][BROUGHT] = {"cells": " ".join(cell["id"] for cell in before["cells"])}
    except (ValueError, KeyError, TypeError) as error:
        raise UpdateError(f"It cannot be read as a notebook: {error!r}.") from error
    return mine


def _counted(corrected: Corrected) -> str:
    parts: Mapping[str, int] = {
        "new or corrected": corrected.came,
        "corrected below one that you changed": corrected.beside,
    }
    return ", ".join(f"{count} {what}" for what, count in parts.items() if count)


def _told(said: list[str]) -> list[str]:
    return [*said, _RELOAD] if said else ["The notebooks are as new as the workshop's."]


def _git(clone: Path, *arguments: str) -> str:
    """Return what git says; UpdateError where it refuses, or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(clone), *arguments],
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise UpdateError("git is not installed, and the workshop is updated by it.") from None
    except subprocess.TimeoutExpired:
        raise UpdateError(f"git {arguments[0]} did not end within {GIT_SECONDS:g} s.") from None
    if done.returncode:
        raise UpdateError(f"git {arguments[0]} refuses: {done.stderr.strip()}")
    return done.stdout
