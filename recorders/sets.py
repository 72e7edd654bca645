"""The recorded sets by name, in the order in which one lab records them best."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from recorders import (
    api,
    argo_rollouts,
    commands,
    definitions,
    envoy_dumps,
    istioctl,
    kubernetes_schemas,
    mesh_cases,
    mesh_gateways,
    mesh_ports,
    protobuf,
    random_cases,
    refusals,
    yaml_texts,
)
from recorders.lab import Lab
from recorders.recorded import Versions

Needs = Literal["modules", "server", "mesh", "cluster"]
"""What the option of that name gives: see `Recorder`."""


@dataclass(frozen=True)
class Recorder:
    """A set: what records it, and from which kind of lab.

    needs: Go modules; an API server alone with the definitions of Istio, the Gateway API, Argo Rollouts and
    Flagger; one with controllers, over which an istiod runs; or a cluster with nodes and Istio.
    """

    record: Callable[[Lab], Versions]
    needs: Needs

    @property
    def about(self) -> str:
        """Return what the set is, in a line."""
        return (self.record.__doc__ or "").strip().splitlines()[0]


SETS: dict[str, Recorder] = {
    "protobuf-fields": Recorder(protobuf.record, "modules"),
    "kubernetes-schemas": Recorder(kubernetes_schemas.record, "server"),
    "istio-schemas": Recorder(definitions.record_istio, "server"),
    "gateway-api-definitions": Recorder(definitions.record_gateway_api, "server"),
    "progressive-delivery": Recorder(definitions.record_releases, "server"),
    "yaml": Recorder(yaml_texts.record, "server"),
    "api": Recorder(api.record, "server"),
    "istio-invalid": Recorder(refusals.record, "server"),
    "istioctl-analyze": Recorder(istioctl.record, "server"),
    "istio-cases": Recorder(mesh_cases.record_istio, "mesh"),
    "istio-ports": Recorder(mesh_ports.record, "mesh"),
    "istio-combinations": Recorder(random_cases.record_istio, "mesh"),
    "gateway-api-cases": Recorder(mesh_cases.record_gateway_api, "mesh"),
    "gateway-api-combinations": Recorder(random_cases.record_gateway_api, "mesh"),
    "gateways": Recorder(mesh_gateways.record, "mesh"),
    "kubectl": Recorder(commands.record, "cluster"),
    "envoy": Recorder(envoy_dumps.record, "cluster"),
    "argo-rollouts": Recorder(argo_rollouts.record, "cluster"),
}
