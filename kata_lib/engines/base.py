"""The contract of an engine: something that provides a Kubernetes API with Istio's resources.

Everything above an engine talks to that API through the kubeconfig and nothing else.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from kata_lib.cluster.location import Location

Progress = Callable[[str], None]
"""Called with one line each time what is being waited for changes."""


class Engine(Protocol):
    """One way to get a cluster; `name` is what KATA_ENGINE and open_lab(engine=...) say."""

    name: str

    def unavailable(self) -> str | None:
        """Return why this machine cannot run the engine and what would mend it, or None if it can."""

    def start(self, progress: Progress) -> Location:
        """Bring the cluster up, or find the one that runs; raise EngineError and leave nothing half-made."""

    def stop(self) -> None:
        """Remove everything of the cluster but its logs; do nothing where there is none."""

    def where(self) -> Location | None:
        """Return where the running cluster is, or None where it does not run."""

    def logs(self) -> Path:
        """Return the folder that holds the engine's and the pods' logs."""
