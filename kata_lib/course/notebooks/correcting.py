"""A corrected notebook for somebody who has begun: each cell of theirs stays, what is new or corrected comes.

The learner's notebook and the workshop's new one go in. The learner's has the ids of its cells as they were
brought, and an id says of its cell whether it was changed: no third version is needed. Cells that nobody
changed are replaced. Below one that the learner changed its correction is put, code folded away, so that
nothing runs after theirs that undoes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from kata_lib.course.notebooks import BROUGHT, Notebook, cell_id, folded
from kata_lib.errors import KataError

Cell = dict[str, Any]

CORRECTED = "The cell above was corrected, and yours kept. The corrected one"


@dataclass(frozen=True)
class Corrected:
    """A learner's notebook with the corrections in it.

    came: how many new cells, and corrected ones in place of what the learner had not changed; beside: how
    many corrections stand below a cell of the learner's.
    """

    notebook: Notebook
    came: int
    beside: int


@dataclass
class _Fate:
    """What becomes of the cells that were brought, by their places.

    stays, replaced: the new cell of the same text, of another one. comes: new cells after a place, -1: first.
    """

    stays: dict[int, int] = field(default_factory=dict)
    replaced: dict[int, int] = field(default_factory=dict)
    comes: dict[int, list[int]] = field(default_factory=dict)


def correct(mine: Notebook, new: Notebook) -> Corrected:
    """Return the learner's notebook with what is new and corrected; KataError where it was not brought so."""
    brought, cells = _brought(mine), mine["cells"]
    places = _places(brought, cells)
    there = {place: cell for place, cell in zip(places, cells, strict=True) if place is not None}
    fate = _fate(brought, there, new["cells"])
    comes = _after(fate, places)
    made, beside = [new["cells"][j] for j in comes.get(-1, [])], 0
    for index, (place, cell) in enumerate(zip(places, cells, strict=True)):
        instead = _instead(cell, place, brought, fate, new["cells"])
        made += [*instead, *(new["cells"][j] for j in comes.get(index, []))]
        beside += len(instead) > 1
    ours = {id(cell) for cell in new["cells"]}
    metadata = mine["metadata"] | {BROUGHT: new["metadata"][BROUGHT]}
    came = sum(id(cell) in ours for cell in made)
    return Corrected(mine | {"cells": made, "metadata": metadata}, came, beside)


def _brought(notebook: Notebook) -> list[str]:
    try:
        return str(notebook["metadata"][BROUGHT]["cells"]).split()
    except (KeyError, TypeError):
        raise KataError(
            f"Expected a notebook whose metadata has {BROUGHT}.cells, the ids of its cells as they were "
            "brought, and found none: it is none of this workshop, or older than corrections."
        ) from None


def _places(brought: Sequence[str], cells: Sequence[Cell]) -> list[int | None]:
    """Return the place of each cell among those that were brought, None of one of the learner's own."""
    left = {one: place for place, one in enumerate(brought)}
    return [left.pop(cell.get("id", ""), None) for cell in cells]


def _fate(brought: Sequence[str], there: Mapping[int, Cell], new: Sequence[Cell]) -> _Fate:
    """Return what becomes of the brought cells; there: those that the learner still has, by place."""
    fate = _Fate()
    then, now = _texts(brought, there, new), [_text(cell) for cell in new]
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, then, now, autojunk=False).get_opcodes():
        if kind == "equal":
            fate.stays.update(zip(range(i1, i2), range(j1, j2), strict=True))
            continue
        pairs = _pairs([_kind(there.get(i)) for i in range(i1, i2)], [_kind(cell) for cell in new[j1:j2]])
        fate.replaced.update({i1 + i: j1 + j for i, j in pairs})
        taken, last = {j: i for i, j in fate.replaced.items()}, i1 - 1
        for j in range(j1, j2):
            if j in taken:
                last = taken[j]
            else:
                fate.comes.setdefault(last, []).append(j)
    return fate


def _texts(brought: Sequence[str], there: Mapping[int, Cell], new: Sequence[Cell]) -> list[str]:
    """Return the text of each brought cell as far as it can be known: an id tells whether it is this one."""
    candidates = [*dict.fromkeys(_text(cell) for cell in new)]
    return [
        next(
            (text for text in [*candidates, _text(there.get(i))] if cell_id(i, text) == brought[i]),
            f"brought as {brought[i]}, and changed since",
        )
        for i in range(len(brought))
    ]


def _pairs(then: Sequence[object], now: Sequence[object]) -> Iterator[tuple[int, int]]:
    """Yield which brought cell of a stretch became which new one: those of one kind, in their order."""
    for block in SequenceMatcher(None, then, now, autojunk=False).get_matching_blocks():
        yield from ((block.a + step, block.b + step) for step in range(block.size))


def _kind(cell: Cell | None) -> object:
    return (cell["cell_type"], *cell["metadata"].get("tags", [])) if cell else None


def _after(fate: _Fate, places: Sequence[int | None]) -> dict[int, list[int]]:
    """Return the new cells by the learner's cell after which they come, -1: before all.

    That is the one below which they stand in the new notebook, or the next above that is left, and the
    learner's own ones below it.
    """
    at = {place: index for index, place in enumerate(places) if place is not None}
    found: dict[int, list[int]] = {}
    for place, js in sorted(fate.comes.items()):
        index = max(((one, at[one]) for one in at if one <= place), default=(-1, -1))[1]
        while index >= 0 and index + 1 < len(places) and places[index + 1] is None:
            index += 1
        found.setdefault(index, []).extend(js)
    return found


def _instead(
    cell: Cell, place: int | None, brought: Sequence[str], fate: _Fate, new: Sequence[Cell]
) -> list[Cell]:
    """Return what stands where a cell of the learner's stood."""
    if place is None:
        return [cell]
    touched = cell_id(place, _text(cell)) != brought[place]
    if place in fate.stays:
        return [cell | {"id": new[fate.stays[place]]["id"]}]
    if place not in fate.replaced:
        return [cell] if touched else []
    correction = new[fate.replaced[place]]
    if _text(cell) == _text(correction):
        return [cell | {"id": correction["id"]}]
    return [cell | {"id": correction["id"]}, _note(correction)] if touched else [correction]


def _note(correction: Cell) -> Cell:
    """Return a correction as prose."""
    text = _text(correction)
    if correction["cell_type"] == "code":
        text = folded(CORRECTED, f"```python\n{text}\n```")
    note_id = cell_id(-1, correction["id"] + text)
    return {"cell_type": "markdown", "id": note_id, "metadata": {}, "source": text.splitlines(keepends=True)}


def _text(cell: Cell | None) -> str:
    return "".join(cell["source"]) if cell else ""
