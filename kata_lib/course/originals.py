"""The workshop's own manifests as it brought them: which were edited, the difference, the original back.

originals.json has the text of each file of deploy/, so that a checkout, an archive and an offline bundle
know it alike, and the objects that it describes, so that no kernel reads YAML for them. After a change of
deploy/ by the workshop itself, `python -m kata_lib.course.originals` writes it anew.
"""

import functools
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypedDict

from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.client import Obj
from kata_lib.cluster.manifests import files as in_deploy
from kata_lib.cluster.manifests import parse
from kata_lib.errors import ManifestError
from kata_lib.machine import WORKSHOP

_KEPT = Path(__file__).with_name("originals.json")


class Original(TypedDict):
    """A file as the workshop brought it, and its objects: none in a plan of a release."""

    text: str
    objects: list[Obj]


@functools.cache
def _kept() -> Mapping[str, Original]:
    found: dict[str, Original] = json.loads(_KEPT.read_text())
    return found


@functools.cache
def texts() -> Mapping[str, str]:
    """Return the text of each original by its path from the project's folder."""
    return {file: kept["text"] for file, kept in _kept().items()}


def files(*paths: str) -> list[str]:
    """Return the originals that paths name: files, or folders with what is right in them."""
    return [file for path in paths for file in _places_of_files().get(_plain(path), ())]


def manifests(*paths: str) -> list[Obj]:
    """Return the objects of originals, in the order in which kubectl takes them."""
    return [obj for file in files(*paths) for obj in json.loads(_as_json(file))]


def as_they_are(file: str) -> list[Obj]:
    """Return the objects of a file as a person may have edited it; [] of none, or of what is no manifest."""
    return [obj for obj in _objects(_text(_plain(file))) if isinstance(obj, dict)]


def edited(*paths: str) -> list[str]:
    """Return which of the workshop's files say something else now, or are gone; by default of all."""
    return [file for file in files(*paths or _folders()) if _is_edited(file)]


def difference(file: str) -> str:
    """Return what a person changed in a file, as a unified diff; "" where nothing."""
    import difflib

    now, before = (
        _text(_known(file)).splitlines(keepends=True),
        texts()[_known(file)].splitlines(keepends=True),
    )
    return "".join(
        difflib.unified_diff(before, now, f"{_known(file)} (the workshop's)", f"{_known(file)} (yours)")
    )


def restore(file: str) -> Path | None:
    """Bring an original back; return where the person's version is kept, None where there was none.

    It is kept beside the file as FILE.mine, FILE.mine2...: nothing is overwritten.
    """
    place = WORKSHOP / _known(file)
    if place.exists() and place.read_text() == texts()[_known(file)]:
        return None
    kept = None
    if place.exists():
        kept = next(path for path in _names_for(place) if not path.exists())
        place.rename(kept)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(texts()[_known(file)])
    return kept


def is_ours(obj: Obj) -> bool:
    """Return whether an object is the workshop's: applied from a file, under a name of one of its files."""
    applied = LAST_APPLIED in (obj["metadata"].get("annotations") or {})
    return applied and (obj["kind"], obj["metadata"]["name"]) in _places()


def files_of(kind: str, name: str) -> list[str]:
    """Return the workshop's files in which an object stands."""
    return _places().get((kind, name), [])


def names(kind: str) -> list[str]:
    """Return the names of the objects of a kind that the workshop's files hold."""
    return [name for held, name in _places() if held == kind]


@functools.cache
def made_by() -> Mapping[tuple[str, str], str]:
    """Return the file of each object, by kind and name, that stands in one file only."""
    return {key: places[0] for key, places in _places().items() if len(places) == 1}


@functools.cache
def _places() -> Mapping[tuple[str, str], list[str]]:
    """Return the files of each object by kind and name."""
    found: dict[tuple[str, str], list[str]] = {}
    for file, kept in _kept().items():
        for obj in kept["objects"]:
            found.setdefault((obj["kind"], obj["metadata"]["name"]), []).append(file)
    return found


@functools.cache
def _places_of_files() -> Mapping[str, list[str]]:
    """Return the originals by the paths that name them: their own, and their folder's."""
    found: dict[str, list[str]] = {}
    for file in texts():
        for place in (file, str(Path(file).parent)):
            found.setdefault(place, []).append(file)
    return found


@functools.cache
def _as_json(file: str) -> str:
    """Return an original's objects as JSON, from which each caller gets their own."""
    return json.dumps(_kept()[file]["objects"])


def _folders() -> list[str]:
    return sorted({str(Path(file).parent) for file in texts()})


def _known(path: str) -> str:
    if (plain := _plain(path)) not in texts():
        raise ManifestError(f"{path} is none of the workshop's files; these are: {', '.join(texts())}.")
    return plain


def _plain(path: str) -> str:
    if path in _places_of_files():
        return path
    place = Path(path)
    if place.is_absolute() and place.is_relative_to(WORKSHOP):
        place = place.relative_to(WORKSHOP)
    elif (
        not place.is_absolute()
        and (Path.cwd() / place).is_relative_to(WORKSHOP)
        and (Path.cwd() / place).exists()
    ):
        place = (Path.cwd() / place).resolve().relative_to(WORKSHOP.resolve())
    return str(place)


def _text(file: str) -> str:
    place = WORKSHOP / file
    return place.read_text() if place.exists() else ""


def _is_edited(file: str) -> bool:
    now, original = _text(file), texts()[file]
    return now != original and _objects(now) != _objects(original)


def _objects(text: str) -> list[Obj] | str:
    """Return what a file says, so that comments are no difference; its text where that is not YAML."""
    try:
        return parse(text, "")
    except ManifestError:
        return text


def original(text: str) -> Original:
    """Return what is kept of a file."""
    return Original(text=text, objects=[obj for obj in _objects(text) if isinstance(obj, dict)])


def _names_for(place: Path) -> Iterator[Path]:
    yield place.with_name(f"{place.name}.mine")
    yield from (place.with_name(f"{place.name}.mine{number}") for number in itertools.count(2))


def _main() -> None:
    """Write originals.json from deploy/."""
    found = {str(file.relative_to(WORKSHOP)): original(file.read_text()) for file in in_deploy()}
    lines = (f"{json.dumps(file)}: {json.dumps(kept, ensure_ascii=False)}" for file, kept in found.items())
    _KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    _main()
