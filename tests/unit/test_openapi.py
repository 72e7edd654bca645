"""The OpenAPI documents: what kubectl looks for in them."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from kata_lib.engines.embedded.api import openapi_protobuf
from kata_lib.engines.embedded.registry.openapi import (
    openapi_v2_definitions,
    openapi_v3,
    openapi_v3_index,
)
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


@pytest.mark.parametrize(
    ("group_version", "component", "path"),
    [
        ("v1", "io.k8s.api.core.v1.Container", "imagePullPolicy"),
        ("networking.istio.io/v1", "io.istio.networking.v1.VirtualService", "metadata"),
        ("networking.istio.io/v1", "io.istio.networking.v1.VirtualService", "spec"),
    ],
)
def test_fields_are_described(group_version: str, component: str, path: str) -> None:
    fields = document(group_version)["components"]["schemas"][component]["properties"]
    assert fields[path]["description"]


def test_the_older_form_has_every_kind_with_its_names() -> None:
    found = openapi_v2_definitions(RESOURCES)
    for row in RESOURCES:
        if not row.unsupported:
            kinds = {"group": row.group, "kind": row.kind, "version": row.version}
            key = "x-kubernetes-group-version-kind"
            assert any(kinds in node.get(key, ()) for node in found.values()), row.plural


def test_the_older_form_refers_to_what_is_in_it() -> None:
    found = openapi_v2_definitions(RESOURCES)
    for node in nodes(found):
        if isinstance(reference := node.get("$ref"), str):
            assert reference.removeprefix("#/definitions/") in found


def test_the_older_form_in_protobuf() -> None:
    """The bytes of a small document, as OpenAPIv2.proto numbers its fields."""
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"$ref": "#/definitions/B"}},
        "x-y": [1],
    }
    made = openapi_protobuf.document({"title": "T", "version": "v"}, {"A": schema})
    property_ = b"\x0a\x01a\x12\x11\x0a\x0f#/definitions/B"
    properties = b"\x0a" + bytes([len(property_)]) + property_
    parts = [
        b"\x9a\x01\x01a",
        b"\xb2\x01\x08\x0a\x06object",
        b"\xca\x01" + bytes([len(properties)]) + properties,
        b"\xfa\x01\x0c\x0a\x03x-y\x12\x05\x12\x03[1]",
    ]
    value = b"".join(parts)
    named = b"\x0a\x01A\x12" + bytes([len(value)]) + value
    definitions = b"\x0a" + bytes([len(named)]) + named
    assert (
        made
        == b"\x0a\x032.0" + b"\x12\x06\x0a\x01T\x12\x01v" + b"\x4a" + bytes([len(definitions)]) + definitions
    )
