"""The contract of an engine: something that provides a Kubernetes API with Istio's resources.

Everything above an engine talks to that API through the kubeconfig and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Progress = Callable[[str], None]
"""Called with one line each time what is being waited for changes."""


@dataclass(frozen=True)
class Entry:
    """Where the sentences service answers on a cluster whose node ports are not all reached.

    `node_port` is the one that leads there, which the Service then must have; None where it does not matter.
    """

    url: str
    node_port: int | None = None


@dataclass(frozen=True)
class Location:
    """Where a running cluster is: its kubeconfig (mode 0600) and the address on which node ports answer.

    entry: the way to the sentences service where node ports do not answer. image: what the application's
    image is called there, with or without a tag, where it is not called as the manifests say.
    """

    kubeconfig: Path
    node_host: str
    entry: Entry | None = None
    image: str = ""


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
