"""Pods as rows of a table, as `kubectl get pods` shows them, with their containers and versions."""

from collections.abc import Iterable

from kata_lib.kube import Obj

COLUMNS = ["pod", "ready", "status", "containers", "version"]


def rows(pods: Iterable[Obj]) -> list[dict[str, str]]:
    """Return one row a pod, by name, with the columns above."""
    return sorted((_row(pod) for pod in pods), key=lambda row: row["pod"])


def _row(pod: Obj) -> dict[str, str]:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    ready = sum(status.get("ready", False) for status in statuses)
    names = [container["name"] for container in pod["spec"]["containers"]]
    return {
        "pod": pod["metadata"]["name"],
        "ready": f"{ready}/{len(names)}",
        "status": pod.get("status", {}).get("phase", "Unknown"),
        "containers": ", ".join(names),
        "version": pod["metadata"].get("labels", {}).get("version", ""),
    }
