"""A learner's folder, made from a wheel: the workshop's files go in, what the learner changed stays.

    .kata/brought.json    the version that wrote the folder, and the SHA-256 of each file as it was brought

A file that is still as it was brought becomes the newer version's; one that the learner changed is kept, and
named; `updating` corrects such notebooks cell by cell. A file that is gone is brought again, so whoever wants
a notebook anew deletes it.
"""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kata_lib.errors import KataError
from kata_lib.files import read_json, write_json
from kata_lib.machine import MARK

_NOT_FOR_LEARNERS = ("etc", "notebooks/src", "requirements-kubectl.lock")
"""What the workshop reads where it is installed."""


@dataclass(frozen=True)
class Brought:
    """What bringing did: the version that the folder was of before (None: it is new), which files it kept.

    kept: those of which the workshop has a newer one, from the folder.
    """

    before: str | None
    kept: tuple[str, ...]


def bring(source: Path, folder: Path, version: str) -> Brought:
    """Write the workshop's files into a learner's folder, and overwrite nothing that the learner wrote.

    source: the folder that the wheel brought. Raises KataError where something else is in `folder`, and
    OSError where it cannot be written.
    """
    note = folder / MARK
    known = read_json(note)
    if known is None and folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise KataError(
            f"{folder} is there and is no folder of the workshop, and nothing in it is overwritten: "
            "`--folder FOLDER` names a new one."
        )
    before: dict[str, str] = known["files"] if known else {}
    now = {file: _digest(source / file) for file in _files(source)}
    kept = []
    for file, digest in now.items():
        place = folder / file
        there = _digest(place) if place.is_file() else None
        if there in (None, before.get(file)):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file, place)
            shutil.copymode(source / file, place)
        elif there != digest and digest != before.get(file):
            kept.append(file)
    note.parent.mkdir(mode=0o700, exist_ok=True)
    write_json(note, {"version": version, "files": now})
    return Brought(known["version"] if known else None, tuple(kept))


def _files(source: Path) -> Iterator[str]:
    for file in sorted(source.rglob("*")):
        path = file.relative_to(source)
        if file.is_file() and not any(path.is_relative_to(part) for part in _NOT_FOR_LEARNERS):
            yield str(path)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
