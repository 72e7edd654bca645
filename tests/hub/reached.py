"""Run in a pod: prints those of its arguments, each host:port, that take a connection within 3 seconds."""

import socket
import sys
from concurrent.futures import ThreadPoolExecutor


def takes_connections(place: str) -> bool:
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 3).close()
    except OSError:
        return False
    return True


with ThreadPoolExecutor(len(sys.argv)) as threads:
    for place, taken in zip(sys.argv[1:], threads.map(takes_connections, sys.argv[1:]), strict=True):
        if taken:
            print(place)
