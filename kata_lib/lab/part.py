"""What the parts of a lab share: the engine, the namespace, and who is told what was done."""

from collections.abc import Callable

from kata_lib.cluster.cluster import Cluster
from kata_lib.engines.base import Engine


class Part:
    """A part of a Lab; `cluster` is the namespace for all that is not here, `say` takes messages."""

    def __init__(self, engine: Engine, cluster: Cluster, say: Callable[[str], None] = print) -> None:
        self.engine = engine
        self.cluster = cluster
        self._say = say
