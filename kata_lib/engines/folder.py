"""The folder of a cluster, of whichever engine: .kata/NAME, or $KATA_HOME/NAME.

kubeconfig     how kubectl reaches the cluster (0600)
ways.json      the ways to Services that do not answer by themselves
note.json      which engine's it is, and what that must know to find and remove it
logs/          what the engine and the programs that it runs said; `stop` keeps them
"""

import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kata_lib import files, machine
from kata_lib.errors import EngineError

WAYS = "ways.json"
LOCK_SECONDS = 600.0
"""A start by kind takes minutes where images are downloaded."""
STATE = 1
"""Of which form a cluster's files are; another number in a release that cannot go on with those of before."""


@dataclass(frozen=True)
class Folder:
    """The paths of one cluster by its name."""

    name: str

    @property
    def path(self) -> Path:
        return machine.state_folder() / self.name

    @property
    def kubeconfig(self) -> Path:
        return self.path / "kubeconfig"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def engine_log(self) -> Path:
        return self.logs / "engine.log"

    @property
    def work(self) -> Path:
        """For what is needed while something is done; removed afterwards."""
        return self.path / "work"

    def held(self, seconds: float = LOCK_SECONDS) -> AbstractContextManager[int]:
        """Hold the cluster for one start or stop; EngineError where another has it after `seconds`."""
        for folder in (self.path, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = f"Another process has been starting or stopping the cluster for {seconds:g} s."
        return files.held(self.logs / "lock", seconds, EngineError(said))

    def note(self) -> dict[str, Any] | None:
        """Return what was written down, or None."""
        return files.read_json(self.path / "note.json")

    def write(self, note: dict[str, Any]) -> None:
        """Write down what must be known to find the cluster again; replaces what was there."""
        files.write_json(self.path / "note.json", {"state": STATE, **note})

    def check_state(self) -> None:
        """Raise EngineError for a cluster of another version, with whose files this one cannot go on."""
        note = self.note()
        if note and note.get("state", 1) != STATE:
            raise EngineError(
                f"The cluster {self.name!r} was made by another version of the workshop, with state "
                f"{note['state']}; here it is {STATE}. `kata down` removes it, `kata up` makes a new one. "
                "Notebooks and progress stay."
            )

    def clear(self) -> None:
        """Remove everything but the logs, the note last."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.kubeconfig.unlink(missing_ok=True)
        (self.path / WAYS).unlink(missing_ok=True)
        (self.path / "note.json").unlink(missing_ok=True)


def engine_of(name: str) -> str | None:
    """Return the engine to which the cluster `name` belongs, None where there is none of that name."""
    note = Folder(name).note()
    return str(note["engine"]) if note else None
