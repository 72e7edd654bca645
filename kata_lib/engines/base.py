"""The contract of an engine: something that provides a Kubernetes API with Istio's resources.

Everything above an engine talks to that API through the kubeconfig and nothing else. What the cluster is
for, an Application, is given to an engine when it is made.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from kata_lib.cluster.location import Location
from kata_lib.cluster.waiting import Progress
from kata_lib.engines.folder import Folder

if TYPE_CHECKING:
    from kata_lib.engines.addons import Addons


class Engine(Protocol):
    """One way to get a cluster.

    name: what KATA_ENGINE and open_lab(engine=...) say. folder: what is kept of the cluster, its kubeconfig
    and its logs among it.
    """

    name: str
    folder: Folder

    def unavailable(self) -> str | None:
        """Return why this machine cannot run the engine and what would mend it, or None if it can."""

    def start(self, progress: Progress) -> Location:
        """Bring the cluster up, or find the one that runs; raise EngineError and leave nothing half-made."""

    def stop(self) -> None:
        """Remove everything of the cluster but its logs; do nothing where there is none."""

    def where(self) -> Location | None:
        """Return where the running cluster is, or None where it does not run."""

    def load(self, images: Sequence[str], progress: Progress) -> None:
        """Bring images that this machine has into the cluster; EngineError if no pod could run from one."""

    def addons(self) -> "Addons":
        """Return what installs add-ons in the cluster, which must run."""
