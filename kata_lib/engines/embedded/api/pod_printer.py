"""READY, STATUS and RESTARTS of a pod, after kubernetes/pkg/printers/internalversion (printPod)."""

from datetime import datetime
from typing import Any

from kata_lib.engines.embedded.api.durations import age
from kata_lib.engines.embedded.store import Obj

Restarts = tuple[int, str]
"""How often a container was started again, and when the run before the present one ended ("" if none)."""


def pod_cells(pod: Obj, now: datetime) -> list[Any]:
    """Return the cells after the name: READY, STATUS, RESTARTS, AGE and those of `-o wide`."""
    spec, status = pod.get("spec", {}), pod.get("status", {})
    reason = status.get("reason") or status.get("phase") or "Unknown"
    sidecars = {c.get("name") for c in spec.get("initContainers", []) if c.get("restartPolicy") == "Always"}
    total = len(spec.get("containers", ())) + len(sidecars)
    reason, ready, restarts, initializing = _init_containers(pod, sidecars, reason)
    if not initializing or is_true(pod, "Initialized"):
        started = [c for c in status.get("initContainerStatuses", []) if c.get("name") in sidecars]
        reason, running = _containers(pod, reason)
        ready += running
        restarts = _restarts([*started, *status.get("containerStatuses", [])])
    return [
        f"{ready}/{total}",
        _deletion_reason(pod) or reason,
        _restarts_text(restarts, now),
        age(pod["metadata"].get("creationTimestamp"), now),
        status.get("podIP") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        _readiness_gates(pod),
    ]


def _init_containers(pod: Obj, sidecars: set[str], reason: str) -> tuple[str, int, Restarts, bool]:
    ready, statuses = 0, pod.get("status", {}).get("initContainerStatuses", [])
    for position, container in enumerate(statuses):
        state = container.get("state", {})
        terminated, waiting = state.get("terminated"), state.get("waiting", {}).get("reason", "")
        if terminated and terminated.get("exitCode") == 0:
            continue
        if container.get("name") in sidecars and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        if terminated:
            reason = f"Init:{_terminated_reason(terminated)}"
        elif waiting and waiting != "PodInitializing":
            reason = f"Init:{waiting}"
        else:
            reason = f"Init:{position}/{len(pod.get('spec', {}).get('initContainers', []))}"
        return reason, ready, _restarts(statuses[: position + 1]), True
    return reason, ready, _restarts(statuses), False


def _containers(pod: Obj, reason: str) -> tuple[str, int]:
    running = 0
    for container in reversed(pod.get("status", {}).get("containerStatuses", [])):
        state = container.get("state", {})
        if state.get("waiting", {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif state.get("terminated"):
            reason = _terminated_reason(state["terminated"])
        elif container.get("ready") and "running" in state:
            running += 1
    if reason == "Completed" and running:
        reason = "Running" if is_true(pod, "Ready") else "NotReady"
    return reason, running


def _terminated_reason(terminated: Obj) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _restarts(statuses: list[Obj]) -> Restarts:
    ended = [c.get("lastState", {}).get("terminated", {}).get("finishedAt") or "" for c in statuses]
    return sum(c.get("restartCount", 0) for c in statuses), max(ended, default="")


def _restarts_text(restarts: Restarts, now: datetime) -> str:
    count, ended = restarts
    return f"{count} ({age(ended, now)} ago)" if count and ended else str(count)


def _deletion_reason(pod: Obj) -> str:
    status = pod.get("status", {})
    if "deletionTimestamp" not in pod["metadata"]:
        return ""
    if status.get("reason") == "NodeLost":
        return "Unknown"
    return "" if status.get("phase") in ("Succeeded", "Failed") else "Terminating"


def is_true(obj: Obj, condition: str) -> bool:
    """Return whether an object's status says that a condition holds."""
    conditions = obj.get("status", {}).get("conditions", ())
    return any(c.get("type") == condition and c.get("status") == "True" for c in conditions)


def _readiness_gates(pod: Obj) -> str:
    gates = pod.get("spec", {}).get("readinessGates", [])
    if not gates:
        return "<none>"
    return f"{sum(is_true(pod, gate.get('conditionType', '')) for gate in gates)}/{len(gates)}"
