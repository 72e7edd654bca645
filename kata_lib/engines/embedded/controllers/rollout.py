"""How many replicas each ReplicaSet of a Deployment shall have; pure arithmetic.

The rules are those of Kubernetes' deployment controller: at most replicas + maxSurge pods, at least
replicas - maxUnavailable of them available, unhealthy old pods first to go.
"""

import math
from dataclasses import dataclass
from typing import Any

from kata_lib.engines.embedded.store import Obj

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"

Scale = tuple[Obj, int]
"""A ReplicaSet and how many replicas it shall have."""


@dataclass(frozen=True)
class Limits:
    """How far a rolling update may go over and under the wanted number of replicas."""

    surge: int
    unavailable: int


def limits(spec: dict[str, Any]) -> Limits:
    """Return the limits of a Deployment's spec: a percentage of surge rounds up, of unavailability down."""
    if spec["strategy"]["type"] == "Recreate":
        return Limits(0, 0)
    rolling = spec["strategy"].get("rollingUpdate") or {}
    surge = _share(rolling.get("maxSurge", "25%"), spec["replicas"], math.ceil)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), spec["replicas"], math.floor)
    if surge == unavailable == 0:
        unavailable = 1  # both rounded to zero would never move
    return Limits(surge, min(unavailable, spec["replicas"]))


def _share(value: int | str, replicas: int, rounded: Any) -> int:
    if isinstance(value, int):
        return value
    return int(rounded(int(value.rstrip("%")) * replicas / 100))


def wanted(replicaset: Obj) -> int:
    return int(replicaset["spec"]["replicas"])


def available(replicaset: Obj) -> int:
    return int(replicaset.get("status", {}).get("availableReplicas", 0))


def created(replicaset: Obj) -> tuple[str, str]:
    return replicaset["metadata"]["creationTimestamp"], replicaset["metadata"]["name"]


def new_replicas(spec: dict[str, Any], new: Obj | None, old: list[Obj]) -> int:
    """Return how many replicas the newest ReplicaSet may have now."""
    current = wanted(new) if new else 0
    if spec["strategy"]["type"] == "Recreate" or current >= spec["replicas"]:
        return int(spec["replicas"])
    room = spec["replicas"] + limits(spec).surge - current - sum(map(wanted, old))
    return int(current + max(0, min(room, spec["replicas"] - current)))


def scale_down_old(spec: dict[str, Any], new: Obj, old: list[Obj]) -> list[Scale]:
    """Return the old ReplicaSets that can shrink now, unhealthy replicas first, oldest set first."""
    least = spec["replicas"] - limits(spec).unavailable
    sizes = {replicaset["metadata"]["name"]: wanted(replicaset) for replicaset in old}
    spare = sum(sizes.values()) + wanted(new) - least - (wanted(new) - available(new))
    if spare <= 0:
        return []
    ordered = sorted(old, key=created)
    for replicaset in ordered:
        name = replicaset["metadata"]["name"]
        unhealthy = min(spare, max(0, sizes[name] - available(replicaset)))
        sizes[name] -= unhealthy
        spare -= unhealthy
    surplus = sum(min(available(replicaset), wanted(replicaset)) for replicaset in [*old, new]) - least
    for replicaset in ordered:
        name = replicaset["metadata"]["name"]
        going = min(max(0, surplus), sizes[name])
        sizes[name] -= going
        surplus -= going
    return [
        (rs, sizes[rs["metadata"]["name"]]) for rs in ordered if sizes[rs["metadata"]["name"]] != wanted(rs)
    ]


def needs_scaling(spec: dict[str, Any], replicasets: list[Obj]) -> bool:
    """Return whether the Deployment's replicas changed since its ReplicaSets were last sized."""
    return any(
        wanted(replicaset)
        and replicaset["metadata"].get("annotations", {}).get(DESIRED, str(spec["replicas"]))
        != str(spec["replicas"])
        for replicaset in replicasets
    )


def proportional(spec: dict[str, Any], new: Obj | None, old: list[Obj]) -> list[Scale]:
    """Return the sizes after a change of replicas in the middle of a rollout: each set keeps its share.

    Rounding's remainder goes to the largest set.
    """
    sets = [*old, new] if new else old
    active = [replicaset for replicaset in sets if wanted(replicaset)]
    if len(active) <= 1:
        only = active[0] if active else new or max(old, key=created, default=None)
        return [(only, spec["replicas"])] if only else []
    if new and wanted(new) == available(new) == spec["replicas"]:
        return [(replicaset, 0) for replicaset in old if wanted(replicaset)]
    if spec["strategy"]["type"] == "Recreate":
        return []
    total = sum(map(wanted, active))
    allowed = spec["replicas"] + limits(spec).surge if spec["replicas"] else 0
    ordered = sorted(active, key=lambda replicaset: (-wanted(replicaset), created(replicaset)))
    change = allowed - total
    sizes = [wanted(replicaset) + _portion(replicaset, change, allowed, total) for replicaset in ordered]
    sizes[0] = max(0, sizes[0] + allowed - sum(sizes))
    return [(replicaset, size) for replicaset, size in zip(ordered, sizes, strict=True)]


def _portion(replicaset: Obj, change: int, allowed: int, total: int) -> int:
    before = int(replicaset["metadata"].get("annotations", {}).get(MAXIMUM, 0)) or total
    share = round(wanted(replicaset) * allowed / before) - wanted(replicaset)
    return max(min(share, change), 0) if change > 0 else min(max(share, change), 0)
