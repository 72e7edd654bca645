"""Where a cluster is, as an engine tells it: a kubeconfig, and the way to services from this machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MANAGED_BY = "app.kubernetes.io/managed-by"
"""Of a namespace that the workshop made on somebody else's cluster: the label, whose value is canary-kata."""


@dataclass(frozen=True)
class Entry:
    """The one Service that answers from outside, on a cluster whose node ports are not all reached.

    `node_port` is the one that leads to it, which the Service then must have; None where it does not matter.
    """

    service: str
    url: str
    node_port: int | None = None


@dataclass(frozen=True)
class Location:
    """Where a running cluster is: its kubeconfig (mode 0600) and the address on which node ports answer.

    entry: the one way in where node ports do not answer. images: what an image of the manifests (without its
    tag) is called there, with or without a tag, where it has another name. shared: other people use the
    cluster.
    """

    kubeconfig: Path
    node_host: str
    entry: Entry | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    shared: bool = False
