"""A class on Kubernetes: values that Zero to JupyterHub's chart takes, manifests that need no privileges.

The schema is the chart's own, of July 2026 (JupyterHub 5.5, BSD 3-clause), without its descriptions. What it
requires the chart's own values have, into which Helm merges these.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, ValidationError
from test_manifests import kubernetes_schema

ROOT = Path(__file__).parents[2]
HUB = ROOT / "deploy" / "hub"
VALUES = yaml.safe_load((HUB / "values.yaml").read_text())
SCHEMA = json.loads((ROOT / "tests" / "reference" / "zero-to-jupyterhub" / "values.schema.json").read_text())
OBJECTS = [
    obj for file in sorted(HUB.glob("kubernetes/*.yaml")) for obj in yaml.safe_load_all(file.read_text())
]
DEPLOYMENTS = [obj for obj in OBJECTS if obj["kind"] == "Deployment"]


def merged_into_the_charts(schema: Any) -> Any:
    """Return a schema without what it requires."""
    if isinstance(schema, list):
        return [merged_into_the_charts(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if name != "required" or isinstance(value, dict)}
    return {name: merged_into_the_charts(value) for name, value in kept.items()}


CHART = Draft7Validator(merged_into_the_charts(SCHEMA))


def test_the_chart_takes_the_values() -> None:
    CHART.validate(VALUES)


@pytest.mark.parametrize(
    "wrong", [{"singleuser": {"uid": "root"}}, {"cull": {"timeout": "1h"}}, {"singeluser": {}}]
)
def test_the_schema_refuses_what_the_chart_does_not_know(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CHART.validate(VALUES | wrong)


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_the_manifests_are_valid(kind: str) -> None:
    found = [obj for obj in OBJECTS if obj["kind"] == kind]
    assert len(found) > 1
    for obj in found:
        Draft7Validator(kubernetes_schema(obj)).validate(obj)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda obj: str(obj["metadata"]["name"]))
def test_a_pod_has_no_privileges_and_a_read_only_root(deployment: dict[str, Any]) -> None:
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}
