"""Refuses, by name, the kinds and fields that translate/ does not understand and so would ignore."""

from collections.abc import Iterator

from kata_lib.engines.embedded.mesh.translate import (
    destination_rules,
    gateway,
    gateway_api,
    virtual_services,
)
from kata_lib.engines.embedded.mesh.translate.fields import Tree, not_understood
from kata_lib.engines.embedded.mesh.validation import mistakes
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Obj

_FIELDS: dict[str, Tree] = {
    gateway_api.KEY: gateway_api.FIELDS,
    gateway_api.GATEWAYS: gateway_api.GATEWAY_FIELDS,
    "virtualservices": virtual_services.FIELDS,
    "destinationrules": destination_rules.FIELDS,
    "gateways": gateway.FIELDS,
}
_UNSUPPORTED_KINDS = {
    "serviceentries": "ServiceEntry",
    "sidecars": "Sidecar",
    "backendtlspolicies.gateway.networking.k8s.io": "BackendTLSPolicy",
    "grpcroutes.gateway.networking.k8s.io": "GRPCRoute",
    "listenersets.gateway.networking.k8s.io": "ListenerSet",
    "tcproutes.gateway.networking.k8s.io": "TCPRoute",
    "tlsroutes.gateway.networking.k8s.io": "TLSRoute",
    "udproutes.gateway.networking.k8s.io": "UDPRoute",
}
_UNSUPPORTED_IN_SERVICES = {
    ("type", "ExternalName"),
    ("sessionAffinity", "ClientIP"),
    ("externalTrafficPolicy", "Local"),
    ("internalTrafficPolicy", "Local"),
}


def refuse(resource: str, obj: Obj, operation: str) -> None:
    """Raise StatusError where an object asks for what has no effect on this engine, or makes no sense.

    `operation` is CREATE or UPDATE; both are judged alike.
    """
    if wrong := mistakes(resource, obj):
        raise _denied("validation.istio.io", wrong)
    if unsupported := _unsupported(resource, obj):
        raise _denied(
            "embedded.kata",
            f"{', '.join(unsupported)}: not supported by the embedded engine; "
            "a cluster that runs Istio itself has it",
        )


def _unsupported(resource: str, obj: Obj) -> list[str]:
    if resource in _UNSUPPORTED_KINDS:
        return [f"kind {_UNSUPPORTED_KINDS[resource]}"]
    spec = obj.get("spec", {})
    if resource == "services":
        found = [f"spec.{field}: {value}" for field, value in spec.items() if _is_unsupported(field, value)]
        protocols = [port.get("protocol", "TCP") for port in spec.get("ports") or []]
        return found + [f"spec.ports[{i}].protocol: {p}" for i, p in enumerate(protocols) if p != "TCP"]
    if resource not in _FIELDS:
        return []
    return [*not_understood(spec, _FIELDS[resource], "spec"), *_without_effect(spec)]


def _without_effect(spec: Obj) -> Iterator[str]:
    """Name what Istio takes and Envoy, as it is configured here, could not carry out."""
    for index, rule in enumerate(spec.get("http") or ()):
        path = f"spec.http[{index}]"
        fault = rule.get("fault", {})
        if "delay" in fault and "fixedDelay" not in fault["delay"]:
            yield f"{path}.fault.delay without fixedDelay"
        if "abort" in fault and "httpStatus" not in fault["abort"]:
            yield f"{path}.fault.abort without httpStatus"
    for index, server in enumerate(spec.get("servers") or ()):
        if server["port"]["protocol"].upper() == "HTTPS" and "mode" not in server["tls"]:
            yield f"spec.servers[{index}].tls without mode SIMPLE"


def _is_unsupported(field: str, value: object) -> bool:
    return isinstance(value, str) and (field, value) in _UNSUPPORTED_IN_SERVICES


def _denied(webhook: str, why: str) -> StatusError:
    """Return the error in the form in which an API server passes on a webhook's refusal."""
    return StatusError(400, "", f'admission webhook "{webhook}" denied the request: {why}')
