"""Pods as rows of a table, as `kubectl get pods` shows them, with their containers and versions."""

from collections.abc import Iterable

from kata_lib.cluster.client import Obj
from kata_lib.cluster.pods import container_names, statuses

COLUMNS = ["pod", "ready", "status", "containers", "version"]


def rows(pods: Iterable[Obj]) -> list[dict[str, str]]:
    """Return one row a pod, by name, with the columns above."""
    return sorted((_row(pod) for pod in pods), key=lambda row: row["pod"])


def text(pods: Iterable[Obj]) -> str:
    """Return the rows with their heads as text, the columns below each other as kubectl sets them."""
    lines = [[name.upper() for name in COLUMNS], *(list(row.values()) for row in rows(pods))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _row(pod: Obj) -> dict[str, str]:
    names, status = container_names(pod), pod.get("status", {})
    ready = sum(s.get("ready", False) for s in statuses(pod) if s["name"] in names)
    return {
        "pod": pod["metadata"]["name"],
        "ready": f"{ready}/{len(names)}",
        "status": status.get("phase", "Unknown"),
        "containers": ", ".join(names),
        "version": pod["metadata"].get("labels", {}).get("version", ""),
    }
