"""The schemas: what the registry reads off them, and that they stay small."""

import subprocess
import sys

import pytest

from kata_lib.engines.embedded.registry.definitions import CUSTOM_KINDS, DEFINITIONS
from kata_lib.engines.embedded.registry.schemas import Schema, schema_for

ALL = [*DEFINITIONS, *CUSTOM_KINDS]

MEASURE = """
import tracemalloc
from kata_lib.engines.embedded.registry.definitions import CUSTOM_KINDS, DEFINITIONS
from kata_lib.engines.embedded.registry.schemas import schema_for
tracemalloc.start()
for resource in (*DEFINITIONS, *CUSTOM_KINDS):
    schema_for(resource)
print(tracemalloc.get_traced_memory()[0])
"""


def at(resource: str, path: str) -> Schema:
    schema = schema_for(resource)
    for name in path.split("."):
        found = schema.items if name == "[]" else schema.child(name)
        assert found is not None, f"{path}: no {name}"
        schema = found
    return schema


@pytest.mark.parametrize("resource", ALL)
def test_every_kind_has_metadata(resource: str) -> None:
    assert at(resource, "metadata.labels.any").type == "string"


def test_lists_and_maps_say_how_they_are_merged() -> None:
    containers = at("deployments", "spec.template.spec.containers")
    assert (containers.list_type, containers.keys) == ("map", ("name",))
    assert (containers.merge, containers.merge_key) == ("merge", "name")
    ports = at("pods", "spec.containers.[].ports")
    assert ports.keys == ("containerPort", "protocol")
    assert ports.key_defaults == {"protocol": "TCP"}
    assert at("pods", "metadata.finalizers").list_type == "set"
    assert at("deployments", "spec.selector").atomic
    assert at("deployments", "spec.strategy").merge == "retainKeys"


def test_special_types() -> None:
    assert at("services", "spec.ports.[].targetPort").type == "int-or-string"
    assert at("pods", "spec.containers.[].resources.limits.cpu").type == "quantity"
    assert at("virtualservices", "status.observedGeneration").type == "int-or-string"
    assert at("virtualservices", "spec.http.[].corsPolicy.allowCredentials").nullable


def test_equal_parts_are_shared() -> None:
    assert schema_for("deployments").child("metadata") is schema_for("pods").child("metadata")
    assert at("virtualservices", "metadata") is at("pods", "metadata")


def test_unknown_resources_have_none() -> None:
    with pytest.raises(KeyError):
        schema_for("nothings")


def test_all_schemas_together_stay_small() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 1_000_000
