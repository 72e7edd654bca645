"""Refuses, by name, what a pod's manifest asks for and processes on this machine cannot give."""

from collections.abc import Iterator

from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Obj

_OF_PODS = ("initContainers", "ephemeralContainers", "volumes")
_OF_CONTAINERS = ("envFrom", "lifecycle", "volumeDevices", "volumeMounts")
_OF_PROBES = ("exec", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def refuse_pod(resource: str, obj: Obj, operation: str) -> None:
    """Raise StatusError where a pod, or a template of pods, asks for what would have no effect here.

    `operation` is CREATE or UPDATE; both are judged alike.
    """
    if resource == "pods":
        found = list(_unsupported(obj["spec"], "spec"))
    elif resource in ("deployments", "replicasets"):
        found = list(_unsupported(obj["spec"]["template"]["spec"], "spec.template.spec"))
    else:
        return
    if found:
        why = f"{', '.join(found)}: not supported by the embedded engine; a cluster with containers has it"
        raise StatusError(400, "", f'admission webhook "embedded.kata" denied the request: {why}')


def _unsupported(spec: Obj, path: str) -> Iterator[str]:
    yield from (f"{path}.{field}" for field in _OF_PODS if spec.get(field))
    for index, container in enumerate(spec.get("containers", ())):
        where = f"{path}.containers[{index}]"
        yield from (f"{where}.{field}" for field in _OF_CONTAINERS if container.get(field))
        for probe in _PROBES:
            settings = container.get(probe) or {}
            yield from (f"{where}.{probe}.{kind}" for kind in _OF_PROBES if kind in settings)
