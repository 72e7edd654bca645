"""Figures as they come: kept, and written into a file at once; a group that fails loses its own rows only."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.results import Figure
from kata_lib.files import write_text


@dataclass
class Rows:
    """What a run has measured. about: the machine. file: where it is written, too; None for nowhere.

    lost: why a group has no figures, or not all, by its name.
    """

    about: Mapping[str, str]
    file: Path | None = None
    figures: list[Figure] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)

    def take(self, group: str, measure: Callable[[], Iterable[Figure]]) -> None:
        """Have a group measure; where it fails, what it had by then stays, and the rest goes on."""
        try:
            for figure in measure():
                self.figures.append(figure)
                self._write()
        except Exception as error:
            self.lost[group] = f"{type(error).__name__}: {error}"
            self._write()

    @property
    def good(self) -> bool:
        """Whether every group gave its figures, and each goal is reached."""
        return not self.lost and all(figure.met is not False for figure in self.figures)

    def _write(self) -> None:
        if self.file:
            rows = [asdict(figure) | {"met": figure.met} for figure in self.figures]
            content = {"machine": dict(self.about), "figures": rows, "lost": self.lost}
            write_text(self.file, json.dumps(content, indent=2) + "\n")
