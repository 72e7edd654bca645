"""The way in by a gateway: its node port, or a port-forward where one Service alone answers from outside."""

import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

from kata_lib.cluster.cluster import STATUS_PORT, Cluster
from kata_lib.course import application
from kata_lib.engines.forwarding import port_forward
from kata_lib.mesh import gateways

SECONDS = 1.0


class Ways:
    """The port-forwards to gateways; they end with this process."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._open: dict[str, str] = {}
        self._held = ExitStack()

    def url(self, gateway: str) -> str:
        """Return where a gateway answers; a way that has closed, since its pod is gone, is opened again."""
        entry, service = self._cluster.entry, gateways.service_of(self._cluster, gateway)
        found = self._cluster.get("v1", "Service", service)
        if entry is None or found is None:
            return application.url(self._cluster, gateway)
        if not _answers(self._open.get(service, "")):
            port = next(p["port"] for p in found["spec"]["ports"] if p["port"] != STATUS_PORT)
            target = f"service/{service}"
            way = port_forward(self._cluster.kubeconfig, self._cluster.namespace, target, port)
            self._open[service] = f"http://{self._held.enter_context(way)}/"
        return self._open[service]


def _answers(url: str) -> bool:
    """Return whether somebody listens at a URL; nobody does at none."""
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname or "", place.port or 0), SECONDS).close()
    except OSError:
        return False
    return bool(url)
