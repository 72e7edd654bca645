"""The columns of `kubectl get` for the kinds that are kept for others to act on."""

from datetime import datetime
from typing import Any

from kata_lib.engines.embedded.api.durations import age
from kata_lib.engines.embedded.api.pod_printer import is_true
from kata_lib.engines.embedded.registry import autoscaling_v1
from kata_lib.engines.embedded.registry.selectors import selector_text
from kata_lib.engines.embedded.store import Obj


def lease_cells(obj: Obj, now: datetime) -> list[Any]:
    """Return who holds a Lease."""
    return [obj.get("spec", {}).get("holderIdentity", ""), _created(obj, now)]


def job_cells(obj: Obj, now: datetime) -> list[Any]:
    """Return how far a Job has come, which is as far as somebody has written into its status."""
    spec, status = obj.get("spec", {}), obj.get("status", {})
    states = ("Complete", "Failed", "Suspended")
    state = next((name for name in states if is_true(obj, name)), "Running")
    wanted = spec.get("completions") or f"1 of {spec.get('parallelism', 1)}"
    containers = spec.get("template", {}).get("spec", {}).get("containers", ())
    wide = [",".join(container.get(field, "") for container in containers) for field in ("name", "image")]
    done = f"{status.get('succeeded', 0)}/{wanted}"
    return [
        state,
        done,
        _duration(status, now),
        _created(obj, now),
        *wide,
        selector_text(spec.get("selector")),
    ]


def ingress_cells(obj: Obj, now: datetime) -> list[Any]:
    """Return the hosts of an Ingress, and where somebody has made it available."""
    spec = obj.get("spec", {})
    hosts = [rule["host"] for rule in spec.get("rules", ()) if rule.get("host")]
    shown = ",".join(hosts[:3]) + (f" + {len(hosts) - 3} more..." if len(hosts) > 3 else "")
    entries = obj.get("status", {}).get("loadBalancer", {}).get("ingress", ())
    address = ",".join(entry.get("ip") or entry.get("hostname", "") for entry in entries)
    ports = "80, 443" if spec.get("tls") else "80"
    return [spec.get("ingressClassName", "<none>"), shown or "*", address, ports, _created(obj, now)]


def autoscaler_cells(obj: Obj, now: datetime) -> list[Any]:
    """Return what a HorizontalPodAutoscaler scales, by what, and between which bounds."""
    if obj.get("apiVersion") == "autoscaling/v1":
        obj = autoscaling_v1.stored(obj)
    spec = obj.get("spec", {})
    target, metrics = spec.get("scaleTargetRef", {}), spec.get("metrics", ())
    replicas = obj.get("status", {}).get("currentReplicas", 0)
    targets = ", ".join(map(_target, metrics[:2]))
    if len(metrics) > 2:
        targets += f" + {len(spec['metrics']) - 2} more..."
    bounds = [str(spec.get("minReplicas", "<unset>")), spec.get("maxReplicas", 0), replicas]
    return [_reference(target), targets, *bounds, _created(obj, now)]


def _target(metric: Obj) -> str:
    """Return what a metric is to be; what it is nobody measures here."""
    type_ = metric.get("type", "")
    source = type_[:1].lower() + type_[1:]
    measured = metric.get(source, {})
    wanted = measured.get("target", {})
    percent = wanted.get("averageUtilization")
    value = (
        f"{percent}%" if percent is not None else wanted.get("averageValue", wanted.get("value", "<auto>"))
    )
    of_resource = f"{measured.get('name', '')}: " if source in ("resource", "containerResource") else ""
    on_average = " (avg)" if source in ("object", "external") and "averageValue" in wanted else ""
    return f"{of_resource}<unknown>/{value}{on_average}"


def ingress_class_cells(obj: Obj, now: datetime) -> list[Any]:
    """Return the controller of an IngressClass."""
    spec = obj.get("spec", {})
    parameters = spec.get("parameters")
    shown = "<none>"
    if parameters:
        group = f".{parameters['apiGroup']}" if parameters.get("apiGroup") else ""
        shown = f"{parameters.get('kind', '')}{group}/{parameters.get('name', '')}"
    return [spec.get("controller", ""), shown, _created(obj, now)]


def binding_cells(obj: Obj, now: datetime) -> list[Any]:
    """Return which role a binding gives to whom."""
    subjects = obj.get("subjects", ())

    def named(kind: str) -> str:
        return ", ".join(
            f"{subject.get('namespace', '')}/{subject.get('name', '')}"
            if kind == "ServiceAccount"
            else subject.get("name", "")
            for subject in subjects
            if subject.get("kind") == kind
        )

    return [
        _reference(obj.get("roleRef", {})),
        _created(obj, now),
        named("User"),
        named("Group"),
        named("ServiceAccount"),
    ]


def disruption_budget_cells(obj: Obj, now: datetime) -> list[Any]:
    """Return what a PodDisruptionBudget allows."""
    spec, status = obj.get("spec", {}), obj.get("status", {})
    least, most = (str(spec.get(field, "N/A")) for field in ("minAvailable", "maxUnavailable"))
    return [least, most, status.get("disruptionsAllowed", 0), _created(obj, now)]


def _reference(reference: Obj) -> str:
    return f"{reference.get('kind', '')}/{reference.get('name', '')}"


def _created(obj: Obj, now: datetime) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _duration(status: Obj, now: datetime) -> str:
    if "startTime" not in status:
        return ""
    end = status.get("completionTime")
    return age(status["startTime"], datetime.fromisoformat(end) if end else now)
