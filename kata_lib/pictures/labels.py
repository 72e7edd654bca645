"""Words above moments of a picture, of which no two touch: neighbours without room for both are one label."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

NARROW = (
    320  # pixels: the narrowest plot for which they are laid out; in a wider one they stand further apart
)
CHARACTER = 7.5  # pixels
APART = 2  # characters
SAID = 3
"""So many moments are named one by one where their labels are one, if there is room for that."""


@dataclass(frozen=True)
class Label:
    """Words at a moment, on the side of it that has room; longest: so many characters fit there."""

    at: float
    words: tuple[str, ...]
    side: Literal["left", "right"]
    longest: int

    @property
    def text(self) -> str:
        """The words in a line, or how many they are."""
        text, number = ", ".join(self.words), len(self.words)
        fits = number <= SAID and len(text) <= self.longest
        return text if fits else "1 change" if number == 1 else f"{number} changes"

    def room(self, character: float) -> tuple[float, float]:
        """Return where the text begins and ends; character: the width of one, in the unit of the moments."""
        width = character * (len(self.text) + APART)
        return (self.at, self.at + width) if self.side == "right" else (self.at - width, self.at)


def labels(moments: Mapping[str, float], span: float) -> list[Label]:
    """Return labels for moments by their names, in a picture of so long a time, all in one unit."""
    character = CHARACTER * span / NARROW
    found: list[Label] = []
    for name, at in sorted(moments.items(), key=lambda moment: moment[1]):
        label = _label(at, (name,), span)
        while found and found[-1].room(character)[1] > label.room(character)[0]:
            before = found.pop()
            label = _label(before.at, before.words + label.words, span)
        found.append(label)
    return found


def _label(at: float, words: tuple[str, ...], span: float) -> Label:
    side: Literal["left", "right"] = "right" if at < span / 2 else "left"
    longest = int(max(at, span - at) / span * NARROW / CHARACTER) - APART
    return Label(at, words, side, longest)
