"""What a pod's specification is filled up with, in a pod and in the template of one alike."""

from collections.abc import Callable, Iterator
from typing import Any

Spec = dict[str, Any]

FILE_MODE = 0o644
TOKEN_SECONDS = 3600

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def fill(template: Spec) -> None:
    """Add a pod template's defaults in place."""
    template.setdefault("metadata", {})
    fill_spec(template.setdefault("spec", {}))


def fill_spec(spec: Spec) -> None:
    """Add a pod specification's defaults in place."""
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account  # the latter is its older name
    for container in containers(spec):
        _fill_container(container)
        for port in container.get("ports", ()):
            if spec.get("hostNetwork") and "containerPort" in port:
                port.setdefault("hostPort", port["containerPort"])
    for volume in spec.get("volumes", ()):
        _fill_volume(volume)


def containers(spec: Spec) -> Iterator[Spec]:
    """Return a pod's containers, those that initialise it first."""
    yield from spec.get("initContainers") or ()
    yield from spec.get("containers") or ()


def _fill_container(container: Spec) -> None:
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image", "")))
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for variable in container.get("env", ()):
        if reference := variable.get("valueFrom", {}).get("fieldRef"):
            reference.setdefault("apiVersion", "v1")
    for name in _PROBES:
        if probe := container.get(name):
            _fill_probe(probe)
    for handler in container.get("lifecycle", {}).values():
        _fill_handler(handler)


def _pull_policy(image: str) -> str:
    """Return the policy of an image that has none: always for a moving tag, else only when missing."""
    if "@" in image:
        return "IfNotPresent"
    _, _, tag = image.rpartition("/")[2].partition(":")
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _fill_probe(probe: Spec) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")
    _fill_handler(probe)


def _fill_handler(handler: Any) -> None:
    if isinstance(handler, dict) and "httpGet" in handler:
        handler["httpGet"].setdefault("path", "/")
        handler["httpGet"].setdefault("scheme", "HTTP")


def _fill_volume(volume: Spec) -> None:
    if volume.keys() <= {"name"}:
        volume["emptyDir"] = {}
    for source, fill_source in _VOLUME_SOURCES.items():
        if source in volume:
            fill_source(volume[source])


def _with_mode(source: Spec) -> None:
    source.setdefault("defaultMode", FILE_MODE)


def _downward(source: Spec) -> None:
    _with_mode(source)
    for item in source.get("items", ()):
        if "fieldRef" in item:
            item["fieldRef"].setdefault("apiVersion", "v1")


def _projected(source: Spec) -> None:
    _with_mode(source)
    for part in source.get("sources", ()):
        if "serviceAccountToken" in part:
            part["serviceAccountToken"].setdefault("expirationSeconds", TOKEN_SECONDS)
        for item in part.get("downwardAPI", {}).get("items", ()):
            if "fieldRef" in item:
                item["fieldRef"].setdefault("apiVersion", "v1")


def _host_path(source: Spec) -> None:
    source.setdefault("type", "")


_VOLUME_SOURCES: dict[str, Callable[[Spec], None]] = {
    "configMap": _with_mode,
    "downwardAPI": _downward,
    "hostPath": _host_path,
    "projected": _projected,
    "secret": _with_mode,
}
