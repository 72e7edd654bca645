"""The learner's namespace: named, labelled as this folder's, bounded by a quota; nobody else's is touched."""

import json
import os
import re
from pathlib import Path
from typing import Any

from kata_lib.cluster.location import MANAGED_BY
from kata_lib.engines.kubectl import kubectl, read
from kata_lib.engines.programs import ProgramFailed, ask, program
from kata_lib.errors import EngineError

OWNER, LEARNER = "canary-kata/owner", "canary-kata/learner"
DELETE_SECONDS = 120.0

QUOTA = {"pods": "24", "requests.cpu": "4", "requests.memory": "4Gi", "services.nodeports": "12"}
"""Twice what the workshop has at most, and room for Istio's default sidecars (100m, 128Mi).

A node port is counted for each port: sentences has one, a gateway two, one of the Gateway API's three.
"""
DEFAULTS = {"cpu": "10m", "memory": "32Mi"}
"""What a container asks for that says nothing: a quota refuses it otherwise."""


def injection() -> dict[str, str]:
    """Return the label that has pods get a sidecar: KATA_INJECTION, or Istio's own."""
    key, _, value = (os.environ.get("KATA_INJECTION") or "istio-injection=enabled").partition("=")
    return {key: value}


def exists(kubeconfig: Path, namespace: str, owner: str) -> bool:
    """Return whether the namespace is there and ours; EngineError where it is somebody else's."""
    try:
        found = read(kubeconfig, "get", "namespace", namespace)
    except ProgramFailed as failed:
        if "NotFound" in failed.said:
            return False
        raise EngineError(
            f"Whether there is a namespace {namespace!r} cannot be seen: {failed.said}"
        ) from failed
    labels = found["metadata"].get("labels", {})
    if labels.get(OWNER) != owner:
        whose = f"belongs to {labels[LEARNER]!r}" if LEARNER in labels else "was not made by the workshop"
        raise EngineError(
            f"The namespace {namespace!r} {whose}; it stays as it is. Choose another: KATA_NAMESPACE=other."
        )
    if found.get("status", {}).get("phase") == "Terminating":
        raise EngineError(f"The namespace {namespace!r} is still being deleted: try again in a minute.")
    return True


def make(kubeconfig: Path, namespace: str, owner: str, learner: str) -> None:
    """Make the namespace with its quota and its defaults."""
    word = re.sub(r"[^A-Za-z0-9._-]+", "-", learner).strip("-._")[:63]
    labels = {MANAGED_BY: "canary-kata", OWNER: owner, LEARNER: word, **injection()}
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}},
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "workshop", "namespace": namespace},
            "spec": {"hard": QUOTA},
        },
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "workshop", "namespace": namespace},
            "spec": {"limits": [{"type": "Container", "defaultRequest": DEFAULTS}]},
        },
    ]
    for one in objects:  # one after the other: a namespace that is somebody's now refuses what follows
        kubectl(kubeconfig, "create", "--filename=-", given=json.dumps(one))


def delete(kubeconfig: Path, namespace: str) -> None:
    """Delete the namespace with all that is in it, and wait until it is gone."""
    command = [program("kubectl"), f"--kubeconfig={kubeconfig}", "delete", "namespace", namespace]
    ask([*command, "--ignore-not-found", f"--timeout={DELETE_SECONDS:g}s"], DELETE_SECONDS + 5)
