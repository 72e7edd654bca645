"""Stages of a release by the real Argo Rollouts, as tests/reference/argo-rollouts recorded them."""

import json
from pathlib import Path
from typing import Any

from api_server import Api

from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.store import Obj

REFERENCE = Path(__file__).parents[1] / "reference"
FOLDER = REFERENCE / "argo-rollouts"
STAGES = sorted(file.stem for file in FOLDER.glob("*.json"))
GROUP, VERSION = "argoproj.io", "v1alpha1"
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
KINDS = {"Rollout": "rollouts", "AnalysisTemplate": "analysistemplates", "AnalysisRun": "analysisruns"}


def recorded(stage: str) -> dict[str, Any]:
    """Return the Rollout, its AnalysisRuns and its ReplicaSets."""
    found: dict[str, Any] = json.loads((FOLDER / f"{stage}.json").read_text())
    return found


def install(api: Api) -> None:
    """Have the API serve Argo Rollouts' kinds, by the recorded schemas of their spec; no controller acts."""

    def create(registry: Registry) -> None:
        for kind, plural in KINDS.items():
            if registry.store.get("customresourcedefinitions", "", f"{plural}.{GROUP}") is None:
                registry.create("customresourcedefinitions", None, definition(kind), manager="kubectl")

    api.registry(create)


def definition(kind: str) -> Obj:
    """Return a CustomResourceDefinition; what is not recorded of its schema, it leaves open."""
    schema: Obj = dict(ANYTHING)
    file = REFERENCE / "progressive-delivery" / f"{kind}.json"
    if file.exists():
        schema = left_open(json.loads(file.read_text()))
        schema["properties"]["status"] = ANYTHING
    version = {"name": VERSION, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": KINDS[kind], "singular": kind.lower(), "listKind": f"{kind}List"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{KINDS[kind]}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": names,
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }


def left_open(schema: Any) -> Any:
    """Return a schema in which an object of which nothing is recorded may hold anything."""
    if isinstance(schema, list):
        return [left_open(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "object" and schema.keys() <= {"type"}:
        return ANYTHING
    return {key: value if key == "metadata" else left_open(value) for key, value in schema.items()}


def put(api: Api, stage: str) -> None:
    """Have the API hold a stage as it was recorded, in place of another one."""
    install(api)
    found = recorded(stage)
    wanted = {f"rollouts.{GROUP}": [found["rollout"]], f"analysisruns.{GROUP}": found["runs"]}
    wanted["replicasets"] = found["replicaSets"]

    def write(registry: Registry) -> None:
        for resource, objects in wanted.items():
            names = {obj["metadata"]["name"] for obj in objects}
            for obj in registry.list(resource, "default"):
                owners = obj["metadata"].get("ownerReferences", [])
                if obj["metadata"]["name"] not in names and "Deployment" not in {o["kind"] for o in owners}:
                    registry.store.delete(resource, "default", obj["metadata"]["name"])
            for obj in objects:
                registry.store.put(resource, "default", obj["metadata"]["name"], obj)
        owners = {obj["metadata"]["uid"] for obj in registry.list("replicasets", "default")}
        for pod in registry.list("pods", "default"):
            if pod["metadata"]["ownerReferences"][0]["uid"] not in owners:
                registry.delete("pods", "default", pod["metadata"]["name"], grace_seconds=0)

    api.registry(write)
