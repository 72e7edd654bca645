"""The newest version's weight as a trait: any ipywidget can be linked with it.

    ipywidgets.link((lab.weight, "value"), (slider, "value"))

The first of the two gives the other its value when they are linked. A person's value goes to the cluster;
what is found in the cluster comes back, and is never written again.
"""

from collections.abc import Callable

import traitlets

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import service
from kata_lib.mesh import weights


class Weight(traitlets.HasTraits):
    """`value` is the weight of the newest version in per cent, a whole number.

    write: who takes a new value to the cluster in place of this class: a live lab, while there is one.
    """

    value = traitlets.Int(0, min=0, max=100)

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self.write: Callable[[int], None] | None = None
        self._cluster = cluster
        self._following = False

    def __repr__(self) -> str:
        return f"Weight of the newest version: {self.value} %"

    def follow(self, percent: int) -> None:
        """Take over what is in the cluster."""
        self._following = True
        try:
            self.value = percent
        finally:
            self._following = False

    def read(self) -> "Weight":
        """Take over the weights as written now, where there are some, and return itself."""
        written = weights.read(self._cluster, service.NAME)
        if total := sum(written.values()):
            self.follow(round(100 * written[max(written)] / total))
        return self

    @traitlets.observe("value")
    def _moved(self, change: traitlets.Bunch) -> None:
        if self._following:
            return
        if self.write is not None:
            self.write(change.new)
            return
        newest = max(weights.read(self._cluster, service.NAME), default="")
        service.set_weights(self._cluster, {newest: change.new})
