"""The learner's own copy of what they open and edit, where many share an installation that none may write to.

python -m kata_lib.course.folder     copies into $KATA_WORKSHOP what is missing there
"""

import os
from pathlib import Path

from kata_lib.course import originals
from kata_lib.machine import PROJECT, WORKSHOP

COPIED = ("README.md", "docs/*", "notebooks/*.ipynb", "deploy/app/*", "scripts/loop-query.sh")
"""Beside the manifests: of those the originals are copied."""


def fill(folder: Path) -> list[str]:
    """Copy what of the workshop is missing in a folder, and return it; what is there stays as it is."""
    copied = [_copied(folder, name, PROJECT.joinpath(name).read_bytes()) for name in _files()]
    copied += [_copied(folder, name, text.encode()) for name, text in originals.texts().items()]
    return list(filter(None, copied))


def _files() -> list[str]:
    found = (file for pattern in COPIED for file in sorted(PROJECT.glob(pattern)) if file.is_file())
    return [str(file.relative_to(PROJECT)) for file in found]


def _copied(folder: Path, name: str, content: bytes) -> str | None:
    """Copy one file; its owner may write to it, whoever may write to the installation."""
    place = folder / name
    if place.exists():
        return None
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    if os.access(PROJECT / name, os.X_OK):
        place.chmod(0o755)
    return name


if __name__ == "__main__":
    if WORKSHOP != PROJECT:
        fill(WORKSHOP)
