"""The OpenAPI documents: what kubectl looks for in them."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from kata_lib.engines.embedded.registry.openapi import openapi_v3, openapi_v3_index
from kata_lib.engines.embedded.registry.served import Resources
from kata_lib.engines.embedded.store import Store

RESOURCES = Resources(Store(":memory:"))
GROUP_VERSIONS = [
    path.removeprefix("apis/").removeprefix("api/") for path in openapi_v3_index(RESOURCES)["paths"]
]


@cache
def document(group_version: str) -> Any:
    return json.loads(openapi_v3(RESOURCES, group_version))


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_index_names_each_document_with_a_hash() -> None:
    paths = openapi_v3_index(RESOURCES)["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/networking.istio.io/v1beta1"} <= paths.keys()
    assert paths["apis/apps/v1"]["serverRelativeURL"].startswith("/openapi/v3/apis/apps/v1?hash=")


@pytest.mark.parametrize("group_version", GROUP_VERSIONS)
def test_references_resolve_and_types_are_openapi(group_version: str) -> None:
    found = document(group_version)
    known = found["components"]["schemas"]
    for node in nodes(found):
        if isinstance(reference := node.get("$ref"), str):
            assert reference.removeprefix("#/components/schemas/") in known
        assert not isinstance(node.get("type"), list)


@pytest.mark.parametrize(
    ("group_version", "path", "strategic"),
    [
        ("apps/v1", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", True),
        ("v1", "/api/v1/namespaces/{name}", True),
        (
            "networking.istio.io/v1",
            "/apis/networking.istio.io/v1/namespaces/{namespace}/virtualservices/{name}",
            False,
        ),
    ],
)
def test_patch_lets_kubectl_leave_validation_to_the_server(
    group_version: str, path: str, strategic: bool
) -> None:
    patch = document(group_version)["paths"][path]["patch"]
    query = {p["name"] for p in patch["parameters"] if p["in"] == "query"}
    assert query == {"dryRun", "fieldValidation", "fieldManager", "force"}
    assert ("application/strategic-merge-patch+json" in patch["requestBody"]["content"]) is strategic
    assert patch["x-kubernetes-group-version-kind"]["version"] == group_version.rpartition("/")[2]


def test_lists_say_how_they_are_merged() -> None:
    spec = document("apps/v1")["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]
    containers = spec["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert containers["x-kubernetes-patch-strategy"] == "merge"


def test_each_istio_version_has_its_kinds() -> None:
    found = document("networking.istio.io/v1beta1")["components"]["schemas"]
    kind = found["io.istio.networking.v1beta1.VirtualService"]
    assert kind["x-kubernetes-group-version-kind"][0]["version"] == "v1beta1"
    assert {"apiVersion", "kind", "metadata", "spec", "status"} == kind["properties"].keys()


def test_other_groups_have_no_document() -> None:
    with pytest.raises(KeyError):
        openapi_v3(RESOURCES, "telemetry.istio.io/v1")
