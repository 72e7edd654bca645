"""The port of this machine at which the application answers; kind would find out late that it is taken."""

import socket

from kata_lib.errors import EngineError

Address = tuple[str, int]

LOOPBACK = "127.0.0.1"
PORTS = range(30500, 30600)


def choose(wanted: int | None) -> int:
    """Return the wanted port, or the first free one; EngineError where there is none."""
    for port in PORTS if wanted is None else [wanted]:
        if is_free((LOOPBACK, port)):
            return port
    if wanted is None:
        raise EngineError(f"No port of 127.0.0.1 from {PORTS[0]} to {PORTS[-1]} is free: set KATA_PORT.")
    raise EngineError(f"KATA_PORT is {wanted}, and another program listens there: name a free one.")


def is_free(address: Address) -> bool:
    """Return whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections do not count
        try:
            probe.bind(address)
        except OSError:
            return False
    return True
