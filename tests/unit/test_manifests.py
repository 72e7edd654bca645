"""The manifests: valid for a real cluster, and what the workshop says of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from kata_lib.engines import gateway_api

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCHEMAS = ROOT / "kata_lib" / "engines" / "embedded" / "registry"
ISTIO_SCHEMAS = SCHEMAS / "istio_schemas.json"
KUBERNETES_SCHEMAS = SCHEMAS / "kubernetes_schemas.json"
EITHER = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["integer", "string"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["number", "string"]},
}
FILES = sorted(file for file in DEPLOY.rglob("*.yaml") if not {"rollouts", "hub"} & {*file.parts})


def objects(*names: str) -> Iterator[dict[str, Any]]:
    """Read every object of files or folders in deploy/."""
    for name in names:
        path = DEPLOY / name
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            yield from yaml.safe_load_all(file.read_text())


def istio_schema(kind: str) -> Any:
    """Return the structure of an Istio kind, closed to fields that it does not have."""
    return closed(json.loads(ISTIO_SCHEMAS.read_text())[kind]["schema"]["properties"]["spec"])


def gateway_schema(kind: str) -> Any:
    """Return the structure of one of the Gateway API's kinds, version v1, closed likewise."""
    spec = next(made["spec"] for made in gateway_api.definitions() if made["spec"]["names"]["kind"] == kind)
    served = next(version for version in spec["versions"] if version["name"] == "v1")
    return closed(served["schema"]["openAPIV3Schema"]["properties"]["spec"])


def kubernetes_schema(obj: dict[str, Any]) -> Any:
    """Return the schema of an object's kind, closed likewise. Raises StopIteration for a kind without one."""
    definitions = json.loads(KUBERNETES_SCHEMAS.read_text()) | EITHER
    group, _, version = obj["apiVersion"].rpartition("/")
    kind = {"group": group, "kind": obj["kind"], "version": version}
    name = next(n for n, d in definitions.items() if kind in d.get("x-kubernetes-group-version-kind", ()))
    return {"$ref": f"#/definitions/{name}", "definitions": closed(definitions)}


def closed(schema: Any) -> Any:
    """Refuse fields that the schema does not name, as the API server does when asked to be strict."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        result.setdefault("additionalProperties", False)
    return result


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_manifest_is_valid(file: Path) -> None:
    for obj in yaml.safe_load_all(file.read_text()):
        if obj["apiVersion"] == "networking.istio.io/v1":
            Draft7Validator(istio_schema(obj["kind"])).validate(obj["spec"])
        elif obj["apiVersion"] == "gateway.networking.k8s.io/v1":
            Draft7Validator(gateway_schema(obj["kind"])).validate(obj["spec"])
        else:
            Draft7Validator(kubernetes_schema(obj)).validate(obj)
        assert "namespace" not in obj["metadata"]


def test_the_folders_hold_what_the_kata_names() -> None:
    def names(folder: str) -> list[tuple[str, str]]:
        return sorted((obj["kind"], obj["metadata"]["name"]) for obj in objects(folder))

    services = [("Service", "age"), ("Service", "name"), ("Service", "sentences")]
    deployments = [("Deployment", "age"), ("Deployment", "name-v1"), ("Deployment", "sentences")]
    assert names("v1") == deployments + services
    assert names("v2") == [("Deployment", "name-v2")]
    for file in ("virtual-service-canary.yaml", "virtual-service-canary-promote.yaml"):
        assert [obj["kind"] for obj in objects(file)] == ["DestinationRule", "VirtualService"]


def test_two_pods_of_three_are_v1() -> None:
    replicas = {obj["metadata"]["name"]: obj["spec"]["replicas"] for obj in deployments()}
    assert (replicas["name-v1"], replicas["name-v2"]) == (2, 1)


def deployments() -> list[dict[str, Any]]:
    return [obj for obj in objects("v1", "v2") if obj["kind"] == "Deployment"]


@pytest.mark.parametrize("deployment", deployments(), ids=lambda obj: obj["metadata"]["name"])
def test_every_deployment_selects_its_own_pods_and_its_service_finds_them(deployment: dict[str, Any]) -> None:
    template = deployment["spec"]["template"]
    labels = template["metadata"]["labels"]
    (container,) = template["spec"]["containers"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels == deployment["metadata"]["labels"]
    assert labels.keys() == {"app", "version"}
    assert container["image"] == f"kata/sentences:{labels['version']}"
    services = {obj["metadata"]["name"]: obj for obj in objects("v1") if obj["kind"] == "Service"}
    service = services[labels["app"]]
    assert service["spec"]["selector"] == {"app": labels["app"]}
    assert service["spec"]["ports"] == [{"name": "http", "port": 5000, "targetPort": 5000}]


def test_only_names_of_v2_carry_its_mark() -> None:
    for deployment in deployments():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        environment = {entry["name"]: entry["value"] for entry in container["env"]}
        marked = deployment["metadata"]["name"] == "name-v2"
        for name in environment.get("SENTENCE_NAMES", "").split(","):
            assert name.endswith(" (v2)") == marked


@pytest.mark.parametrize(
    ("file", "to_v2"), [("virtual-service-canary.yaml", 10), ("virtual-service-canary-promote.yaml", 100)]
)
def test_the_weights_are_those_that_the_file_names_promise(file: str, to_v2: int) -> None:
    rule, virtual_service = objects(file)
    (route,) = virtual_service["spec"]["http"]
    weights = {entry["destination"]["subset"]: entry["weight"] for entry in route["route"]}
    assert weights == {"name-v1": 100 - to_v2, "name-v2": to_v2}
    subsets = {subset["name"]: subset["labels"]["version"] for subset in rule["spec"]["subsets"]}
    assert subsets == {"name-v1": "v1", "name-v2": "v2"}
