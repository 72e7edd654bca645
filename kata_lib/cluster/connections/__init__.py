"""Connections to API servers: a kubeconfig goes in, the way to its server comes out. Used by `client`.

By lightkube to any server, and by the standard library alone to one that needs no more.
"""

from pathlib import Path

from kata_lib.cluster.connections import loopback
from kata_lib.cluster.connections.connection import Connection


def connect(file: Path, context: str | None = None) -> Connection:
    """Return the way to the server of a kubeconfig's context, by default its current one.

    Raises ClusterError where the file, or what it names, cannot be used.
    """
    access = loopback.access(file, context)
    if access is not None:
        return loopback.Loopback(access)
    from kata_lib.cluster.connections.anywhere import Anywhere

    return Anywhere(file, context)
