"""ReplicaSets as the revisions of a Deployment's template; pure."""

import json
import zlib
from typing import Any

from kata_lib.engines.embedded.controllers import rollout
from kata_lib.engines.embedded.objects import owner_reference
from kata_lib.engines.embedded.store import Obj

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    rollout.DESIRED,
    rollout.MAXIMUM,
    "deprecated.deployment.rollback.to",
}


def revision_of(replicaset: Obj) -> int:
    """Return a ReplicaSet's revision, 0 for one without."""
    return int(replicaset["metadata"].get("annotations", {}).get(REVISION, 0))


def find_new(deployment: Obj, replicasets: list[Obj]) -> Obj | None:
    """Return the oldest ReplicaSet whose template is the Deployment's, its hash label aside."""
    template = deployment["spec"]["template"]
    return next(
        (rs for rs in replicasets if _without_hash(rs["spec"]["template"]) == _without_hash(template)), None
    )


def _without_hash(template: Obj) -> Obj:
    labels = {name: value for name, value in template["metadata"].get("labels", {}).items() if name != HASH}
    metadata = {name: value for name, value in template["metadata"].items() if value is not None}
    return {**template, "metadata": {**metadata, "labels": labels}}


def template_hash(template: Obj, collisions: int) -> str:
    """Return a hash as Kubernetes writes it: the digits of 32 bits in an alphabet that spells no words."""
    number = zlib.crc32(json.dumps([template, collisions], sort_keys=True).encode())
    return "".join("456789bcdf"[int(digit)] for digit in str(number))


def size_annotations(spec: dict[str, Any]) -> dict[str, str]:
    """Return the annotations that say for which size of the Deployment a ReplicaSet was sized."""
    largest = spec["replicas"] + rollout.limits(spec).surge
    return {rollout.DESIRED: str(spec["replicas"]), rollout.MAXIMUM: str(largest)}


def copied_annotations(deployment: Obj) -> dict[str, str]:
    """Return what of a Deployment's annotations its newest ReplicaSet has too, such as the change's cause."""
    found = deployment["metadata"].get("annotations", {})
    return {name: value for name, value in found.items() if name not in NOT_COPIED}


def replicaset_of(deployment: Obj, revision: int, replicas: int) -> Obj:
    """Return a new ReplicaSet of the Deployment's template."""
    spec, metadata = deployment["spec"], deployment["metadata"]
    template = spec["template"]
    hash_ = template_hash(template, deployment.get("status", {}).get("collisionCount", 0))
    labels = {**template["metadata"].get("labels", {}), HASH: hash_}
    selector = {**spec["selector"], "matchLabels": {**spec["selector"].get("matchLabels", {}), HASH: hash_}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{hash_}",
            "labels": labels,
            "annotations": {
                **copied_annotations(deployment),
                **size_annotations(spec),
                REVISION: str(revision),
            },
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": replicas,
            **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
            "selector": selector,
            "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
        },
    }


def raise_revision(replicaset: Obj, deployment: Obj, revision: int) -> None:
    """Make an earlier ReplicaSet the newest again: its revision, and the Deployment's annotations."""
    annotations = replicaset["metadata"].setdefault("annotations", {})
    annotations.update(copied_annotations(deployment))
    if before := annotations.get(REVISION):
        history = annotations.get(REVISION_HISTORY)
        annotations[REVISION_HISTORY] = f"{history},{before}" if history else before
    annotations[REVISION] = str(revision)
