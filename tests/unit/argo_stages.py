"""Stages of a release by the real Argo Rollouts, as tests/reference/argo-rollouts recorded them."""

import json
from pathlib import Path
from typing import Any

from fake_api import FakeApi

FOLDER = Path(__file__).parents[1] / "reference" / "argo-rollouts"
STAGES = sorted(file.stem for file in FOLDER.glob("*.json"))


def recorded(stage: str) -> dict[str, Any]:
    """Return the Rollout, its AnalysisRuns and its ReplicaSets."""
    found: dict[str, Any] = json.loads((FOLDER / f"{stage}.json").read_text())
    return found


def put(api: FakeApi, stage: str) -> None:
    """Have the API hold a stage, in place of another one."""
    found = recorded(stage)
    api.has_argo = True
    places = [("argoproj.io/v1alpha1", "Rollout", [found["rollout"]])]
    places += [
        ("argoproj.io/v1alpha1", "AnalysisRun", found["runs"]),
        ("apps/v1", "ReplicaSet", found["replicaSets"]),
    ]
    for version, kind, objects in places:
        for path in [p for p in api.objects if p.startswith(api.path(version, kind) + "/")]:
            del api.objects[path]
        for obj in objects:
            obj["metadata"]["resourceVersion"] = "1"
            api.objects[api.path(version, kind, obj["metadata"]["name"])] = obj
