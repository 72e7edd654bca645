"""Where a release by Argo Rollouts stands: its objects as the API has them in, a RolloutState out. Pure.

A Rollout, its AnalysisRuns and its ReplicaSets, as specified in
https://argo-rollouts.readthedocs.io/en/stable/features/specification/ and .../features/analysis/. The phases
are those that the controller itself writes: Progressing, Paused, Healthy, Degraded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from kata_lib.cluster.client import Obj

HASH = "rollouts-pod-template-hash"
REVISION = "rollout.argoproj.io/revision"
STEP = "step-index"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Measurement:
    """What one question to the metrics gave. at: seconds since 1970; step: index in the plan.

    weight: the canary's meanwhile, per cent; success, failure: the conditions that it was held against, in
    the template's words, "" for none.
    """

    at: float
    step: int
    weight: int
    metric: str
    phase: str
    value: str
    success: str = ""
    failure: str = ""

    @property
    def rule(self) -> str:
        """Both conditions, for a person."""
        words = {"success": self.success, "failure": self.failure}
        return "; ".join(f"{word}: {condition}" for word, condition in words.items() if condition)

    def __str__(self) -> str:
        why = "" if self.phase == "Successful" else f" ({self.rule})"
        return f"{self.metric} {self.value}: {self.phase}{why}"


@dataclass(frozen=True)
class RolloutState:
    """Where it stands. canary, stable: the versions by the pods' labels, stable "" where there is none.

    step: index in steps, their number after the last; weight: the canary's now, per cent; observed: the
    controller has seen what was asked last; reason: why, in its words; asks: it waits for a person; moving:
    the routing is yet to come to rest.
    """

    name: str
    canary: str
    stable: str
    steps: tuple[str, ...]
    step: int
    weight: int
    phase: str
    observed: bool
    reason: str
    asks: bool
    moving: bool
    measurements: tuple[Measurement, ...]

    @property
    def ended(self) -> bool:
        """Whether the controller has decided, and the routing is as it shall stay."""
        return self.phase in ("Healthy", "Degraded") and not self.moving

    @property
    def where(self) -> str:
        """Phase, reason and step."""
        reason = self.reason if self.observed else "waiting for the controller to see the change"
        why = f" ({reason})" if reason else ""
        running = not self.ended and self.step < len(self.steps)
        step = f", step {self.step + 1} of {len(self.steps)}: {self.steps[self.step]}" if running else ""
        return f"{self.phase}{why}{step}"

    def __str__(self) -> str:
        rest = f", {self.stable} {100 - self.weight} %" if self.stable else ""
        return f"{self.where}. {self.canary} {self.weight} %{rest}."


def read(rollout: Obj, runs: Sequence[Obj], replica_sets: Sequence[Obj]) -> RolloutState:
    """Return where the Rollout's newest release stands."""
    spec, status = rollout["spec"], rollout.get("status", {})
    steps = spec.get("strategy", {}).get("canary", {}).get("steps", [])
    observed = _observed(rollout)
    phase = status.get("phase", "Progressing") if observed else "Progressing"
    mine = [r for r in replica_sets if _owned(r, rollout)]
    canary, stable, begun = _versions(spec["template"], status, mine)
    newest = [
        run for run in runs if begun and _owned(run, rollout) and _hash(run) == status["currentPodHash"]
    ]
    measurements = sorted((m for run in newest for m in _measurements(run, steps)), key=lambda m: m.at)
    step = status.get("currentStepIndex", 0) if begun else 0
    return RolloutState(
        name=rollout["metadata"]["name"],
        canary=canary,
        stable=stable,
        steps=tuple(map(step_name, steps)),
        step=step,
        weight=_weight(status) if begun else 0,
        phase=phase,
        observed=observed,
        reason=status.get("message", "") if observed else "",
        asks=phase == "Paused" and not _ends_by_itself(steps, step, status.get("pauseConditions", [])),
        moving=_moving(phase, status),
        measurements=tuple(measurements),
    )


def step_name(step: Obj) -> str:
    """Return a step in a few words, such as `setWeight 10`."""
    match step:
        case {"setWeight": weight}:
            return f"setWeight {weight}"
        case {"pause": {"duration": duration}}:
            return f"pause {duration}"
    return next(iter(step))


def seconds(moment: str) -> float:
    """Return a time of the API as seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def _observed(rollout: Obj) -> bool:
    """Return whether the controller has seen what was asked last: only then what it wrote counts."""
    status = rollout.get("status", {})
    seen = str(status.get("observedGeneration", ""))
    unpausing = status.get("controllerPause") and not status.get("pauseConditions")
    behind = seen.isdigit() and int(seen) < rollout["metadata"]["generation"]
    return bool(seen) and not behind and not unpausing


def _weight(status: Obj) -> int:
    """Return the share of the newest version: it has everything once it is what is stable."""
    if status.get("stableRS") == status.get("currentPodHash"):
        return 100
    return int(status.get("canary", {}).get("weights", {}).get("canary", {}).get("weight", 0))


def _moving(phase: str, status: Obj) -> bool:
    """Return whether the weight is still on its way to stable, to which it returns after every release.

    Some seconds after Healthy the newest pods get the name stable, and with it all requests.
    """
    weight = status.get("canary", {}).get("weights", {}).get("canary", {}).get("weight", 0)
    return bool(weight) and (phase == "Healthy" or bool(status.get("abort")))


def _ends_by_itself(steps: list[Obj], step: int, conditions: list[Obj]) -> bool:
    """Return whether a pause is one of the plan's that has a duration."""
    planned = [condition["reason"] for condition in conditions] == ["CanaryPauseStep"]
    return planned and step < len(steps) and "duration" in (steps[step].get("pause") or {})


def _versions(template: Obj, status: Obj, replica_sets: list[Obj]) -> tuple[str, str, bool]:
    """Return the newest version, the one before, and whether the controller has begun with the newest.

    Once the newest is stable, the one before is that of the revision before.
    """
    by_hash = {
        _hash(r): _version(r["spec"]["template"])
        for r in sorted(
            replica_sets, key=lambda r: int(r["metadata"].get("annotations", {}).get(REVISION, 0))
        )
    }
    newest, stable = status.get("currentPodHash", ""), status.get("stableRS", "")
    canary = _version(template)
    if by_hash.get(newest, canary) != canary:
        return canary, by_hash[newest], False
    before = [version for key, version in by_hash.items() if key != newest]
    if newest != stable:
        return canary, by_hash.get(stable, ""), True
    return canary, before[-1] if before else "", True


def _version(template: Obj) -> str:
    return str(template["metadata"].get("labels", {}).get("version", UNKNOWN))


def _owned(obj: Obj, rollout: Obj) -> bool:
    owners = obj["metadata"].get("ownerReferences", [])
    return any(owner["uid"] == rollout["metadata"]["uid"] for owner in owners)


def _hash(obj: Obj) -> str:
    return str(obj["metadata"].get("labels", {}).get(HASH, ""))


def _measurements(run: Obj, steps: list[Obj]) -> Iterator[Measurement]:
    step = int(run["metadata"]["labels"].get(STEP, 0))
    weight = next((s["setWeight"] for s in reversed(steps[:step]) if "setWeight" in s), 0)
    asked = {metric["name"]: metric for metric in run["spec"]["metrics"]}
    for result in run.get("status", {}).get("metricResults", []):
        for found in result.get("measurements", []):
            if "finishedAt" in found:
                value = found.get("value") or found.get("message") or "without a value"
                at, name = seconds(found["finishedAt"]), result["name"]
                rules = (
                    asked.get(name, {}).get(rule, "") for rule in ("successCondition", "failureCondition")
                )
                yield Measurement(at, step, weight, name, found["phase"], value, *rules)
