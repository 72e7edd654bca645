"""How the application on a shared cluster is reached from here: node ports, or a port-forward."""

import socket
from pathlib import Path

from kata_lib.engines.kubectl import read
from kata_lib.engines.programs import ProgramFailed

SECONDS = 1.0
PROBED = 30000
"""The first of the node ports: whether anybody listens there or not, a node that is near answers at once."""


def node_host(kubeconfig: Path) -> str | None:
    """Return the address of a node whose node ports are reached from here, or None."""
    try:
        nodes = read(kubeconfig, "get", "nodes")["items"]
    except ProgramFailed:
        return None
    for kind in ("InternalIP", "ExternalIP"):
        for node in nodes[:3]:
            for address in node["status"].get("addresses", []):
                if address["type"] == kind and near(address["address"], PROBED):
                    return str(address["address"])
    return None


def near(host: str, port: int) -> bool:
    """Return whether a host answers on a port within SECONDS, be it by refusing."""
    try:
        socket.create_connection((host, port), SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True
