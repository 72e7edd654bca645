"""A learner's own folder beside the project: what they open and edit goes in, what they changed stays.

    python -m kata_lib.course.folder      fills or renews $KATA_WORKSHOP
    .kata/brought.json                    which version filled it, the SHA-256 of each file as brought

Where many share an installation that none may write to, and where the workshop runs from a wheel. A file that
is still as it was brought becomes the newer one; of notebooks that were changed the cells that were not do;
what else was changed is kept. A file that is gone is brought again.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from kata_lib.course import originals, updating
from kata_lib.errors import KataError
from kata_lib.files import read_json, write_json
from kata_lib.machine import MARK, PROJECT, WORKSHOP

COPIED = (
    *("README.md", "docs/*", "notebooks/*.ipynb", "deploy/app/*"),
    *("scripts/get-tools", "scripts/get_tools.py", "scripts/loop-query.sh"),
)
"""Beside the manifests: of those the originals are copied."""


@dataclass(frozen=True)
class Filled:
    """What filling did: the version that filled the folder before (None: it is new), which files it kept.

    kept: those that the learner changed and of which the workshop has a newer one.
    """

    before: str | None
    kept: tuple[str, ...]


def fill(folder: Path) -> list[str]:
    """Fill or renew a learner's folder, and return what was done, for people.

    Raises KataError where something else is in the folder, and OSError where it cannot be written.
    """
    now = version("canary-kata")
    done = bring(_contents(), folder, now)
    said = f"The workshop is in {folder}"
    if done.before is None:
        lines = [f"{said}: notebooks, manifests, and its state in .kata."]
    else:
        lines = [
            f"{said}." if done.before == now else f"{said}, of version {now} now; it was of {done.before}."
        ]
    if changed := [file for file in done.kept if not file.endswith(".ipynb")]:
        lines.append(f"You changed these, and they stay: {', '.join(changed)}.")
    return lines + (updating.from_installation(folder) if len(changed) < len(done.kept) else [])


def bring(contents: dict[str, bytes], folder: Path, version: str) -> Filled:
    """Write files, by their paths from the folder, and overwrite nothing that the learner wrote."""
    note = folder / MARK
    known = read_json(note)
    if known is None and folder.exists() and {file.name for file in folder.iterdir()} - {note.parent.name}:
        raise KataError(
            f"{folder} is there and is no folder of the workshop, and nothing in it is overwritten: "
            "KATA_WORKSHOP=FOLDER names another."
        )
    before: dict[str, str] = known["files"] if known else {}
    now = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
    kept = []
    for file, content in contents.items():
        place = folder / file
        there = hashlib.sha256(place.read_bytes()).hexdigest() if place.exists() else None
        if there in (None, before.get(file)):
            _write(place, content, os.access(PROJECT / file, os.X_OK))
        elif now[file] not in (there, before.get(file)):
            kept.append(file)
    note.parent.mkdir(mode=0o700, exist_ok=True)
    write_json(note, {"version": version, "files": now})
    return Filled(known["version"] if known else None, tuple(kept))


def _contents() -> dict[str, bytes]:
    """Return what a learner opens and edits, by the path from the folder."""
    return dict(_copied()) | {file: text.encode() for file, text in originals.texts().items()}


def _copied() -> Iterator[tuple[str, bytes]]:
    for pattern in COPIED:
        for file in sorted(PROJECT.glob(pattern)):
            if file.is_file():
                yield str(file.relative_to(PROJECT)), file.read_bytes()


def _write(place: Path, content: bytes, executable: bool) -> None:
    """Write a file; its owner may write to it, whoever may write to the installation."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    if executable:
        place.chmod(0o755)


if __name__ == "__main__":
    if WORKSHOP != PROJECT:
        print("\n".join(fill(WORKSHOP)))
