"""Where a cluster is, as an engine tells it: a kubeconfig, and the way to services from this machine."""

from dataclasses import dataclass
from pathlib import Path


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
