"""Add-ons on the embedded engine: programs of this machine, each as a pod that is a process.

The kubelet starts the program that stands for an image, gives it the cluster's kubeconfig, starts it again
where it ends, and ends it with the cluster; its log is where those of all pods are.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kata_lib.engines import kubectl, programs
from kata_lib.engines.base import Engine
from kata_lib.errors import EngineError


@dataclass(frozen=True)
class Program:
    """A program that is not the workshop's: its name, the setting that names its file, where to get it."""

    name: str
    setting: str
    source: str

    def file(self) -> Path:
        """Return the program's file: the one that the setting names, else the first on PATH.

        What an earlier call has put into the folder of tools comes last. Raises EngineError, with what to
        put where.
        """
        named = os.environ.get(self.setting)
        places = os.pathsep.join([os.environ.get("PATH", ""), str(programs.tools())])
        found = shutil.which(named or self.name, path=places)
        if found is None:
            begin = f"{self.setting} names {named!r}, which is no program" if named else "It is not on PATH"
            raise EngineError(
                f"This needs the program {self.name}. {begin}: {self.source}. "
                f"Put it on PATH, or name it with {self.setting}."
            )
        return Path(found).resolve()

    def offer(self, file: Path) -> None:
        """Put a link to it where the kubelet looks for programs that stand for images; a file there stays."""
        place = programs.tools() / self.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink():
            place.unlink()
        if not place.exists():
            place.symlink_to(file)


def wait(
    engine: Engine,
    kubeconfig: Path,
    deployment: str,
    namespace: str,
    missing: Callable[[], str],
    seconds: float,
    say: Callable[[str], None],
) -> None:
    """Wait until nothing is missing of an add-on; one that does not come is taken away again.

    missing: why it does not work yet, "" where it does. Raises EngineError with the last reason seen.
    """
    try:
        programs.await_true(missing, seconds, f"{deployment} did not work", say)
    except EngineError as failed:
        kubectl.kubectl(kubeconfig, "delete", "deployment", deployment, f"--namespace={namespace}")
        raise EngineError(
            f"{failed} It is removed; what it wrote is in {engine.logs() / 'pods'}."
        ) from failed
