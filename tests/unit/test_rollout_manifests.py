"""The manifests for Argo Rollouts and Flagger: valid by their own schemas, and the same release as ours."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from test_manifests import closed

from kata_lib import delivery
from kata_lib.delivery.steps import Analysis, SetWeight

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "deploy" / "rollouts"
FOLDERS = [
    PLACE / f"{name}{rules}" for name in ("argo-rollouts", "flagger") for rules in ("", "-gateway-api")
]
SCHEMAS = ROOT / "tests" / "reference" / "progressive-delivery"


def objects() -> list[Any]:
    files = [file for folder in FOLDERS for file in sorted(folder.glob("*.yaml"))]
    return [obj for file in files for obj in yaml.safe_load_all(file.read_text())]


THEIRS = [obj for obj in objects() if (SCHEMAS / f"{obj['kind']}.json").exists()]


def opened(schema: Any) -> Any:
    """Allow any field where the definition preserves unknown ones, and either type where it says so."""
    if isinstance(schema, list):
        return [opened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: opened(value) for key, value in schema.items()}
    if made.pop("x-kubernetes-preserve-unknown-fields", False):
        made["additionalProperties"] = True
    return made


@pytest.mark.parametrize("obj", THEIRS, ids=lambda obj: f"{obj['kind']} {obj['metadata']['name']}")
def test_a_manifest_is_valid_and_has_no_field_that_is_unknown(obj: Any) -> None:
    schema = json.loads((SCHEMAS / f"{obj['kind']}.json").read_text())["properties"]["spec"]
    found = [error.message for error in Draft7Validator(opened(closed(schema))).iter_errors(obj["spec"])]
    assert found == []


def test_an_unknown_field_would_be_seen() -> None:
    schema = json.loads((SCHEMAS / "Rollout.json").read_text())["properties"]["spec"]
    spec = next(obj for obj in THEIRS if obj["kind"] == "Rollout")["spec"]
    wrong = {**spec, "strategy": {"canary": {"steps": [{"setWait": 5}]}}}
    assert list(Draft7Validator(opened(closed(schema))).iter_errors(wrong))


def test_theirs_are_the_same_steps_as_ours() -> None:
    steps_of_ours = delivery.read("deploy/rollouts/v2.yaml").steps
    # Theirs go on to 100 % after their last step by themselves, and are not watched from then on.
    ours = steps_of_ours[: steps_of_ours.index(SetWeight(100))]
    weights = [step.weight for step in ours if isinstance(step, SetWeight)]
    for obj in THEIRS:
        if obj["kind"] == "Rollout":
            steps = obj["spec"]["strategy"]["canary"]["steps"]
            assert [step["setWeight"] for step in steps if "setWeight" in step] == weights
            assert sum("analysis" in step for step in steps) == sum(isinstance(s, Analysis) for s in ours)
        if obj["kind"] == "Canary":
            assert obj["spec"]["analysis"]["stepWeights"] == weights
