"""The ready pods behind a port of a Service, and at which of their ports they take its connections.

Source: https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
"""

from kata_lib.cluster import labels
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import is_ready


def ready(cluster: Cluster, service: str, port: int) -> dict[str, int]:
    """Return the port of each ready pod, by its name; {} where there is no such Service or port."""
    found = cluster.get("v1", "Service", service) or {"spec": {}}
    behind = [p for p in cluster.pods() if labels.selects(found["spec"].get("selector"), p) and is_ready(p)]
    targets = [one.get("targetPort", port) for one in found["spec"].get("ports", ()) if one["port"] == port]
    numbers = {pod["metadata"]["name"]: _number(target, pod) for pod in behind for target in targets}
    return {name: number for name, number in numbers.items() if number is not None}


def _number(target: int | str, pod: Obj) -> int | None:
    """Return the number of a pod's port, which may be meant by its name."""
    if isinstance(target, int):
        return target
    named = (port for container in pod["spec"]["containers"] for port in container.get("ports", ()))
    return next((port["containerPort"] for port in named if port.get("name") == target), None)
