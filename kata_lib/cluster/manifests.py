"""Manifests from files: a path goes in, plain objects come out, in the order in which kubectl takes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.errors import ManifestError
from kata_lib.machine import WORKSHOP

FOLDER = WORKSHOP / "deploy"
"""Relative paths are found from the learner's folder as well as from where one stands; here manifests lie."""

_SUFFIXES = {".yaml", ".yml", ".json"}


def load(path: str | Path) -> list[Obj]:
    """Return the objects of a file, or of a folder's files by name; raise ManifestError with the place."""
    place = _find(Path(path))
    files = sorted(f for f in place.iterdir() if f.suffix in _SUFFIXES) if place.is_dir() else [place]
    objects = [obj for file in files for obj in parse(file.read_bytes(), file)]
    if not objects:
        raise ManifestError(f"{path} holds no manifest: expected files that end in .yaml, .yml or .json.")
    return objects


def files() -> list[Path]:
    """Return the manifests of FOLDER; those of deploy/hub are of the class's own hub."""
    return sorted(file for file in FOLDER.rglob("*.yaml") if FOLDER / "hub" not in file.parents)


def text(path: str | Path) -> str:
    """Return a file as it stands, comments and all; raise ManifestError where it is not there."""
    return _find(Path(path)).read_text().rstrip()


def _find(path: Path) -> Path:
    for place in (path, WORKSHOP / path):
        if place.exists():
            return place
    folders = {file.relative_to(FOLDER).parts[0] for file in files()}
    known = ", ".join(str((FOLDER / name).relative_to(WORKSHOP)) for name in sorted(folders))
    raise ManifestError(f"{path} does not exist. The project's manifests are: {known}.")


def parse(text: str | bytes, name: str | Path) -> list[Obj]:
    """Return the objects of a file's text, those of a List among them, as kubectl reads it.

    Raises ManifestError with the place, for which name stands.
    """
    from kata_lib.cluster.documents import Unreadable, documents

    raw = text.encode() if isinstance(text, str) else text
    try:
        read = list(documents(raw))
    except Unreadable as error:
        raise ManifestError(f"{name} is not valid YAML: {error}") from error
    return [
        obj
        for number, document in enumerate(read, 1)
        for obj in _objects(document, f"{name}, document {number}")
    ]


def _objects(document: Any, place: str) -> Iterator[Obj]:
    if not isinstance(document, dict):
        raise ManifestError(f"{place}: expected an object, found {document!r}.")
    if document.get("kind") == "List" and isinstance(document.get("items"), list):
        for number, item in enumerate(document["items"], 1):
            yield from _objects(item, f"{place}, item {number}")
        return
    metadata = document.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise ManifestError(f"{place}: expected an object as metadata, found {metadata!r}.")
    found = {key: document.get(key) for key in ("apiVersion", "kind")} | {
        "metadata.name": metadata.get("name")
    }
    if missing := [key for key, value in found.items() if not value]:
        raise ManifestError(f"{place}: {' and '.join(missing)} must be set.")
    if wrong := [key for key, value in found.items() if not isinstance(value, str)]:
        raise ManifestError(f"{place}: {' and '.join(wrong)} must be a string; quotes make it one.")
    yield document
