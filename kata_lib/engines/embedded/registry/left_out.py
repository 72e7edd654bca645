"""Which fields the API does not show although a client sent them: those of which Go writes nothing."""

from typing import Any

from kata_lib.engines.embedded.registry.schemas import Schema

# Go's structs hold strings by value and numbers and booleans by pointer, but for these.
_STRING_POINTERS = frozenset(
    {
        ("EndpointPort", "name"),
        ("EndpointPort", "protocol"),
        ("EndpointPort", "appProtocol"),
        ("ServicePort", "appProtocol"),
        ("Event", "reportingComponent"),
        ("Event", "reportingInstance"),
    }
)
_PLAIN_ZEROS = frozenset(
    {
        ("Container", "stdin"),
        ("Container", "stdinOnce"),
        ("Container", "tty"),
        ("ContainerPort", "containerPort"),
        ("ContainerPort", "hostPort"),
        ("CustomResourceDefinitionSpec", "preserveUnknownFields"),
        ("CustomResourceColumnDefinition", "priority"),
        ("CustomResourceDefinitionVersion", "deprecated"),
        ("DeploymentSpec", "minReadySeconds"),
        ("DeploymentSpec", "paused"),
        ("PodSpec", "hostIPC"),
        ("PodSpec", "hostNetwork"),
        ("PodSpec", "hostPID"),
        ("Probe", "failureThreshold"),
        ("Probe", "initialDelaySeconds"),
        ("Probe", "periodSeconds"),
        ("Probe", "successThreshold"),
        ("Probe", "timeoutSeconds"),
        ("ReplicaSetSpec", "minReadySeconds"),
        ("ServicePort", "nodePort"),
        ("ServiceSpec", "healthCheckNodePort"),
        ("ServiceSpec", "publishNotReadyAddresses"),
    }
)


def is_left_out(schema: Schema, key: str, child: Schema, value: Any) -> bool:
    """Return whether Go writes nothing of a field that has this value: its zero, unless it is a pointer."""
    if value in ([], {}):
        return not child.properties and not child.any
    if value == "":
        return not child.any and (schema.name, key) not in _STRING_POINTERS
    return not value and (schema.name, key) in _PLAIN_ZEROS
