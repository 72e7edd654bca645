"""The structures of other people's kinds, as CustomResourceDefinitions in the cluster have them.

Istio's and the Gateway API's are those that the embedded engine serves; of Argo Rollouts and Flagger the
tests need what a release may say. Descriptions are left out but for Istio's, which `kubectl explain` shows.
"""

import json
from pathlib import Path
from typing import Any

from kata_lib import versions
from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.client import ApiRefused
from kata_lib.engines import gateway_api
from kata_lib.engines.embedded.registry.definitions import CUSTOM_KINDS
from recorders.lab import Lab, LabError
from recorders.recorded import REFERENCE, REGISTRY, Versions

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ISTIO_GROUP, GATEWAY_GROUP = "networking.istio.io", "gateway.networking.k8s.io"
RELEASES = {
    "Rollout": "rollouts.argoproj.io",
    "AnalysisTemplate": "analysistemplates.argoproj.io",
    "Canary": "canaries.flagger.app",
}
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

Json = dict[str, Any]


def record_istio(lab: Lab) -> Versions:
    """Write istio_schemas.json: group, names, printer columns and structure of Istio's kinds for routing."""
    found = {
        kind: _istio(_definition(lab, f"{plural}.{ISTIO_GROUP}")) for plural, kind in CUSTOM_KINDS.items()
    }
    _write(REGISTRY / "istio_schemas.json", found)
    return {"istio": versions.ISTIO}


def record_gateway_api(lab: Lab) -> Versions:
    """Write gateway_api.json: metadata and spec of all definitions of the Gateway API."""
    items = lab.client.request("GET", CRDS)["items"]
    found = [_gateway_api(item) for item in items if item["spec"]["group"] == GATEWAY_GROUP]
    if not found:
        raise LabError("The Gateway API's definitions are not installed in the cluster.")
    _write(gateway_api.FILE, sorted(found, key=lambda item: item["metadata"]["name"]))
    annotations = found[0]["metadata"]["annotations"]
    return {"gateway_api": annotations["gateway.networking.k8s.io/bundle-version"].removeprefix("v")}


def record_releases(lab: Lab) -> Versions:
    """Write progressive-delivery/KIND.json: what a release may say, without its status."""
    for kind, name in RELEASES.items():
        schema = _schema(_definition(lab, name))
        schema["properties"].pop("status", None)
        _write(REFERENCE / "progressive-delivery" / f"{kind}.json", _without_pods(_bare(schema)))
    return {"argo_rollouts": versions.ARGO_ROLLOUTS, "flagger": versions.FLAGGER}


def _definition(lab: Lab, name: str) -> Json:
    try:
        return lab.client.request("GET", f"{CRDS}/{name}")
    except ApiRefused as refused:
        raise LabError(f"The definition {name} is not installed in the cluster: {refused}") from refused


def _stored(definition: Json) -> Json:
    found: Json = next(version for version in definition["spec"]["versions"] if version["storage"])
    return found


def _schema(definition: Json) -> Json:
    schema: Json = _stored(definition)["schema"]["openAPIV3Schema"]
    return schema


def _istio(definition: Json) -> Json:
    return {
        "columns": _bare(_stored(definition).get("additionalPrinterColumns", [])),
        "group": definition["spec"]["group"],
        "names": definition["spec"]["names"],
        "schema": _schema(definition),
    }


def _gateway_api(definition: Json) -> Json:
    metadata = definition["metadata"]
    annotations = {k: v for k, v in metadata["annotations"].items() if k != LAST_APPLIED}
    kept = {"annotations": annotations, "name": metadata["name"]}
    if "labels" in metadata:
        kept["labels"] = metadata["labels"]
    return {"metadata": kept, "spec": _bare(definition["spec"])}


def _bare(node: Any) -> Any:
    """Leave out descriptions, which are texts; a field of that name is none."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if key != "description" or not isinstance(value, str)}
    return {key: _bare(value) for key, value in kept.items()}


def _without_pods(node: Any) -> Any:
    """Open pod templates, which are Kubernetes' own: what they may say is not said here."""
    if isinstance(node, list):
        return [_without_pods(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _OPEN if _is_template(key, value) else _without_pods(value) for key, value in node.items()}


def _is_template(key: str, node: Any) -> bool:
    properties = node.get("properties", {}) if isinstance(node, dict) else {}
    return key == "template" and properties.keys() >= {"metadata", "spec"}


def _write(path: Path, found: Any) -> None:
    path.write_text(json.dumps(found, sort_keys=True, separators=(",", ":")) + "\n")
