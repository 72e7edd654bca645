"""Manifests from files: a path goes in, plain objects come out, in the order in which kubectl takes them."""

from pathlib import Path

import yaml

from kata_lib.cluster.client import Obj
from kata_lib.errors import ManifestError
from kata_lib.machine import PROJECT

FOLDER = PROJECT / "deploy"
"""Relative paths are found from the project's folder as well as from where one stands; here manifests lie."""

_SUFFIXES = {".yaml", ".yml", ".json"}


def load(path: str | Path) -> list[Obj]:
    """Return the objects of a file, or of a folder's files by name; raise ManifestError with the place."""
    place = _find(Path(path))
    files = sorted(f for f in place.iterdir() if f.suffix in _SUFFIXES) if place.is_dir() else [place]
    objects = [obj for file in files for obj in parse(_text(file), file)]
    if not objects:
        raise ManifestError(f"{path} holds no manifest: expected files that end in .yaml, .yml or .json.")
    return objects


def text(path: str | Path) -> str:
    """Return a file as it stands, comments and all; raise ManifestError where it is not there."""
    return _find(Path(path)).read_text().rstrip()


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except UnicodeDecodeError as error:
        raise ManifestError(f"{file} is no text: {error}") from error


def _find(path: Path) -> Path:
    for place in (path, PROJECT / path):
        if place.exists():
            return place
    folders = {file.relative_to(FOLDER).parts[0] for file in FOLDER.rglob("*.yaml")}
    known = ", ".join(str((FOLDER / name).relative_to(PROJECT)) for name in sorted(folders))
    raise ManifestError(f"{path} does not exist. The project's manifests are: {known}.")


def parse(text: str, name: str | Path) -> list[Obj]:
    """Return the objects of a file's text; raise ManifestError with the place, for which name stands."""
    try:
        documents = list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        raise ManifestError(f"{name} is not valid YAML: {error}") from error
    objects = []
    for number, document in enumerate(documents, start=1):
        if document is None:
            continue
        if not isinstance(document, dict):
            raise ManifestError(f"{name}, document {number}: expected an object, found {document!r}.")
        missing = [key for key in ("apiVersion", "kind") if not document.get(key)]
        if not (document.get("metadata") or {}).get("name"):
            missing.append("metadata.name")
        if missing:
            raise ManifestError(f"{name}, document {number}: {' and '.join(missing)} must be set.")
        objects.append(document)
    return objects
