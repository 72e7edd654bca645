"""What is made of the cluster's objects, kept for as long as nothing changes that it was made of.

What is read while something is made is noted in it, and in all that is made of it: nobody declares it.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

T = TypeVar("T")
Key = tuple[Hashable, ...]


@dataclass(frozen=True)
class _Made:
    """A value, the parts that it was made of, and the keys that were asked for meanwhile."""

    value: Any = None
    parts: set[str] = field(default_factory=set)
    keys: set[Key] = field(default_factory=set)


class Memo:
    """The values of one moment by key, each made once of the cluster's parts, which have names.

    `former` and `changed`: the values of the moment before, and the parts that were other ones then.
    """

    def __init__(self, former: Mapping[Key, _Made] | None = None, changed: Collection[str] = ()) -> None:
        self._former = former or {}
        self._changed = frozenset(changed)
        self._made: dict[Key, _Made] = {}
        self._making = _Made()

    def then(self, changed: Collection[str]) -> "Memo":
        """Return the memo of the next moment. It keeps what this one was asked for, and no more."""
        return Memo(self._made, changed)

    def note(self, part: str) -> None:
        """Note that a part is read, by whatever is being made."""
        self._making.parts.add(part)

    def once(self, key: Key, make: Callable[[], T]) -> T:
        """Return the value of a key: the former one if it is equal, which is known where nothing changed.

        `make` depends on the key and on what it notes, alone. Nobody may change what it returns.
        """
        if key not in self._made:
            former = self._former.get(key)
            if former and former.parts.isdisjoint(self._changed):
                self._keep(key)
            else:
                self._make(key, make, former)
        made = self._made[key]
        self._making.parts.update(made.parts)
        self._making.keys.add(key)
        value: T = made.value
        return value

    def _keep(self, key: Key) -> None:
        """Take over a former value, and all that it was made of."""
        made = self._made[key] = self._former[key]
        for inner in made.keys - self._made.keys():
            self._keep(inner)

    def _make(self, key: Key, make: Callable[[], Any], former: _Made | None) -> None:
        outer, self._making = self._making, _Made()
        try:
            value = make()
        finally:
            own, self._making = self._making, outer
            outer.parts.update(own.parts)  # of what fails, too
        kept = former.value if former and former.value == value else value
        self._made[key] = replace(own, value=kept)
