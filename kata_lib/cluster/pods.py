"""What a pod's object tells, on any cluster: pods as the API shows them in, containers and reasons out."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from math import inf
from typing import Any

Pod = dict[str, Any]

SIDECAR = "istio-proxy"
_WORKING = (None, "ContainerCreating", "PodInitializing", "Completed")


def containers(pod: Pod) -> list[dict[str, Any]]:
    """Return the containers that stay: Istio's sidecar may be an init container that is restarted always."""
    lasting = [c for c in pod["spec"].get("initContainers", []) if c.get("restartPolicy") == "Always"]
    return [*pod["spec"]["containers"], *lasting]


def container_names(pod: Pod) -> list[str]:
    """Return the names of the containers that stay, the sidecar's last."""
    return [container["name"] for container in containers(pod)]


def has_sidecar(pod: Pod) -> bool:
    """Return whether a pod has Istio's sidecar."""
    return SIDECAR in container_names(pod)


def is_gateway(pod: Pod) -> bool:
    """Return whether a pod's proxy is a router of its own, as Istio's injection of gateways makes it."""
    proxies = (container for container in containers(pod) if container["name"] == SIDECAR)
    return any("router" in container.get("args", ())[:2] for container in proxies)


def statuses(pod: Pod) -> list[dict[str, Any]]:
    """Return the status of every container, of those for the beginning too."""
    status = pod.get("status", {})
    return [*status.get("containerStatuses", []), *status.get("initContainerStatuses", [])]


def is_ready(pod: Pod) -> bool:
    """Return whether a pod's condition Ready is True."""
    return _condition(pod, "Ready").get("status") == "True"


def running_since(pod: Pod, container: str) -> float:
    """Return since when a container runs, in seconds since 1970, whole ones; infinity where it does not."""
    running = (s.get("state", {}).get("running") for s in statuses(pod) if s["name"] == container)
    started = next((state["startedAt"] for state in running if state), None)
    return inf if started is None else datetime.fromisoformat(started).timestamp()


def workload(pod: Pod) -> str:
    """Return the name of what a pod belongs to, such as its Deployment's: Istio's label for it."""
    metadata = pod["metadata"]
    labels = metadata.get("labels", {})
    owner = next((o["name"] for o in metadata.get("ownerReferences", [])), metadata["name"])
    template = labels.get("pod-template-hash") or labels.get("rollouts-pod-template-hash")
    return str(owner).removesuffix(f"-{template}")


def troubles(pods: Iterable[Pod]) -> Iterator[str]:
    """Yield for each pod that cannot start, or was started anew, the reason that Kubernetes gives."""
    for pod in pods:
        name, placed = pod["metadata"]["name"], _condition(pod, "PodScheduled")
        if placed.get("status") == "False":
            yield f"{name}: {placed.get('reason', 'not placed')}: {placed.get('message', '')}".rstrip(": ")
        for status in statuses(pod):
            state = status.get("state", {})
            trouble = state.get("waiting") or state.get("terminated")
            if trouble and trouble.get("reason") not in _WORKING:
                yield f"{name}: {trouble['reason']}{_said(trouble)}"
            elif status["name"] == SIDECAR and "running" in state and not status.get("ready"):
                yield f"{name}: the sidecar is not ready (`kata logs {name} -c {SIDECAR}`)"


def not_ready(pod: Pod) -> str:
    """Return which containers of a pod are not ready, in Kubernetes' words."""
    said = _condition(pod, "Ready").get("message", "not ready")
    return f"{pod['metadata']['name']}: {said}"


def _said(trouble: dict[str, Any]) -> str:
    """Return what there is beside the reason: a message, or how the process ended (137: it was killed)."""
    if trouble.get("message"):
        return f": {trouble['message']}"
    return f", exit code {trouble['exitCode']}" if "exitCode" in trouble else ""


def _condition(pod: Pod, kind: str) -> dict[str, Any]:
    conditions = pod.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == kind), {})
