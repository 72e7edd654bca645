"""Ways to Services that do not answer from outside by themselves: a port-forward each, a process of its own.

ways.json, beside the kubeconfig, says which there are, by namespace, Service and port. One stays open for
whoever asks, a kernel or a loop in a terminal, until the cluster or the Service is gone.
"""

from pathlib import Path
from typing import Any

from kata_lib import files
from kata_lib.cluster import endpoints, service_ports, waiting
from kata_lib.cluster.cluster import Cluster
from kata_lib.engines import forward, ports
from kata_lib.engines.folder import WAYS
from kata_lib.errors import EngineError

READY_SECONDS = 30.0
LOCK_SECONDS = 2 * READY_SECONDS


def url(cluster: Cluster, service: str, port: str = "") -> str:
    """Return where a port of a Service answers from this machine; port: as of Cluster.service_port.

    By a port-forward, where neither the entry nor a node port leads there. Raises ClusterError as
    Cluster.url, and EngineError with kubectl's words where the way does not open.
    """
    found = cluster.service_port(service, port)
    if _answers_by_itself(cluster, service, found):
        return cluster.url(service, port)
    home = cluster.kubeconfig.parent
    late = EngineError(f"Another process has been opening a way to {service} for {LOCK_SECONDS:g} s.")
    with files.held(home / "logs" / "ways.lock", LOCK_SECONDS, late):
        local = _opened(cluster, service, int(found["port"]))
    return service_ports.url(found, ports.LOOPBACK, local)


def end(home: Path) -> None:
    """End the ways of a cluster, by its folder."""
    for _, process in (files.read_json(home / WAYS) or {}).values():
        forward.end(tuple(process))


def _answers_by_itself(cluster: Cluster, service: str, port: dict[str, Any]) -> bool:
    """Return whether the cluster promises that it is reached: each node port, or that of its entry alone."""
    if cluster.entry is None:
        return "nodePort" in port or not cluster.shared
    return service == cluster.entry.service


def _opened(cluster: Cluster, service: str, port: int) -> int:
    """Return the port of this machine that leads to a Service's, once its way leads to a ready pod."""
    local, process = _way(cluster, service, port)

    def over() -> bool:
        pod = forward.leads_to(process, local)
        return pod in endpoints.ready(cluster, service, port) or not forward.runs(process)

    if not waiting.holds(over, READY_SECONDS) or not forward.runs(process):
        forward.end(process)
        raise EngineError(f"The way to {service} could not be opened: {_why(cluster, service, port)}")
    return local


def _way(cluster: Cluster, service: str, port: int) -> tuple[int, forward.Identity]:
    """Return the way that runs, or a new one, at the port that was told before if that is free."""
    file, key = cluster.kubeconfig.parent / WAYS, f"{cluster.namespace}/{service}:{port}"
    noted = files.read_json(file) or {}
    local, process = noted.get(key, (0, (0, 0.0)))
    if not forward.runs(tuple(process)):
        local = local if local and ports.is_free((ports.LOOPBACK, local)) else ports.choose(None)
        way = forward.Way(cluster.namespace, service, port, local, lasting=False)
        process = forward.begin(cluster.kubeconfig, way, _log(cluster))
        files.write_json(file, {**noted, key: (local, process)})
    return local, tuple(process)


def _why(cluster: Cluster, service: str, port: int) -> str:
    """Say what keeps a way closed: no ready pod, or kubectl's last words."""
    if not endpoints.ready(cluster, service, port):
        return "none of its pods is ready"
    said = _log(cluster).read_text().splitlines()
    return said[-1] if said else "no answer"


def _log(cluster: Cluster) -> Path:
    return cluster.kubeconfig.parent / "logs" / "port-forward.log"
