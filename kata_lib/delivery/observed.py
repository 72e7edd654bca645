"""What one look at a release sees: requests by version, and pods."""

from collections.abc import Mapping
from dataclasses import dataclass

from kata_lib.statistics.sequential import Counted


@dataclass(frozen=True)
class Look:
    """What was counted of one metric since the look before.

    lost: failures that reached no pod, of which nobody knows whose they are; they are in neither count.
    """

    canary: Counted
    stable: Counted
    lost: int = 0


@dataclass(frozen=True)
class Pods:
    """A version's pods: how many are ready, of how many; why: what Kubernetes says of one that is not."""

    ready: int
    total: int
    why: str = ""

    @property
    def gone(self) -> bool:
        """Whether nothing of it can answer."""
        return self.ready == 0

    @property
    def whole(self) -> bool:
        """Whether there are some, and each is ready."""
        return 0 < self.total == self.ready


@dataclass(frozen=True)
class Observed:
    """One look: what was counted for each metric by name, and the pods of both versions."""

    looks: Mapping[str, Look]
    canary: Pods
    stable: Pods
