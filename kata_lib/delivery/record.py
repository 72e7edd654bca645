"""A release as the cluster keeps it: a ConfigMap, so that it outlives whoever runs it.

`release` holds the state as JSON, `plan` the plan, `history` the decisions for a person's eyes (`kubectl get
configmap release-name --output yaml`). Whoever writes sends along the version that was read: of two who do so
at once, one is refused and reads again.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery import words
from kata_lib.delivery.judging import Judgement, Tally
from kata_lib.delivery.observed import Pods
from kata_lib.delivery.plan import Plan, parse
from kata_lib.delivery.state import Decision, ReleaseState, Versions
from kata_lib.errors import ReleaseError
from kata_lib.statistics.sequential import Counted, Evidence

CONFLICT = 409
LABEL = "kata=release"
_TRIES = 20
_FORM = 2
"""Of the JSON: what an older one holds, sentences in place of figures, is not read."""


@dataclass(frozen=True)
class Record:
    """A release, and who runs it.

    routed: the stage whose routing is in force; seen: when the runner was there last, seconds since 1970;
    version: the ConfigMap's, "" for one that is not yet written.
    """

    release: ReleaseState
    routed: int = 0
    runner: str = ""
    seen: float = 0.0
    version: str = ""


def name_of(service: str) -> str:
    """Return the ConfigMap's name."""
    return f"release-{service}"


def load(cluster: Cluster, service: str) -> Record:
    """Return the service's release; ReleaseError where there is none."""
    found = cluster.get("v1", "ConfigMap", name_of(service))
    if found is None:
        raise ReleaseError(f"There is no release of {service}. `kata release start PLAN` begins one.")
    return _record(found)


def save(cluster: Cluster, record: Record) -> Record:
    """Write a record and return it as written; ApiRefused with CONFLICT where somebody wrote meanwhile."""
    written = _config_map(record)
    obj = cluster.update(written) if record.version else cluster.create(written)
    return replace(record, version=obj["metadata"]["resourceVersion"])


def begin(cluster: Cluster, release: ReleaseState) -> Record:
    """Write a new release, in place of one that has ended; ReleaseError where one is under way."""

    def written(service: str) -> Record:
        if cluster.get("v1", "ConfigMap", name_of(service)) is None:
            return save(cluster, Record(release))
        there = load(cluster, service)
        if not there.release.ended:
            raise _under_way(there.release)
        return save(cluster, Record(release, version=there.version))

    return _again(release.plan.service, written)


def change(cluster: Cluster, service: str, event: Callable[[Record], Record]) -> Record:
    """Write what an event makes of the record, of the newest one if somebody else writes meanwhile."""
    return _again(service, lambda service: save(cluster, event(load(cluster, service))))


def _again(service: str, written: Callable[[str], Record]) -> Record:
    """Write, and again where somebody else wrote meanwhile."""
    for _ in range(_TRIES):
        try:
            return written(service)
        except ApiRefused as refused:
            if refused.code != CONFLICT:
                raise
    raise ReleaseError(f"The release of {service} changed {_TRIES} times meanwhile: who else runs it?")


def _under_way(state: ReleaseState) -> ReleaseError:
    plan = state.plan
    return ReleaseError(
        f"A release of {plan.service} is under way already, {plan.canary} in place of {plan.stable}, "
        f"{state.phase} at {state.routing.weight} %: one at a time. `kata release abort` ends it."
    )


def _config_map(record: Record) -> Obj:
    release = record.release
    state = {
        "form": _FORM,
        "versions": asdict(release.versions),
        "step": release.step,
        "phase": release.phase,
        "hold": release.hold,
        "since": release.since,
        "beside": release.beside,
        "compared": release.compared,
        "stage": release.stage,
        "tallies": {name: asdict(tally) for name, tally in release.tallies.items()},
        "failures": release.failures,
        "inconclusive": release.inconclusive,
        "errors": release.errors,
        "gone": release.gone,
        "decisions": [asdict(decision) for decision in release.decisions],
        "routed": record.routed,
        "runner": record.runner,
        "seen": record.seen,
    }
    metadata: dict[str, Any] = {
        "name": name_of(release.plan.service),
        "labels": dict([LABEL.split("=")]),
    }
    if record.version:
        metadata["resourceVersion"] = record.version
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {
            "plan": f"{release.plan}\n",
            "release": json.dumps(state),
            "history": "".join(f"{words.line(d, release.plan)}\n" for d in release.decisions),
        },
    }


def _record(obj: Obj) -> Record:
    name = obj["metadata"]["name"]
    try:
        state = json.loads(obj["data"]["release"])
        if (form := state.pop("form", 1)) != _FORM:
            raise ReleaseError(
                f"The ConfigMap {name} was written by another version of this program (form {form}; this one "
                f"reads {_FORM}). {_forget(name)}"
            )
        routed, runner, seen = (state.pop(key) for key in ("routed", "runner", "seen"))
        tallies = {metric: _tally(tally) for metric, tally in state.pop("tallies").items()}
        decisions = tuple(map(_decision, state.pop("decisions")))
        plan = _plan(obj["data"]["plan"])
        versions = Versions(**state.pop("versions"))
        release = ReleaseState(plan, versions, tallies=tallies, decisions=decisions, **state)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ReleaseError(
            f"The ConfigMap {name} holds no release that can be read ({error!r}). {_forget(name)}"
        ) from error
    return Record(release, routed, runner, seen, obj["metadata"]["resourceVersion"])


@cache
def _plan(text: str) -> Plan:
    """Return the plan that a text holds: a release is read again and again, and its plan stays."""
    from kata_lib.cluster.documents import read_yaml

    return parse(read_yaml(text.encode()))


def _forget(name: str) -> str:
    return f"`kubectl delete configmap {name}` forgets it; the weights stay as they are."


def _tally(kept: Obj) -> Tally:
    counted = {key: Counted(**kept[key]) for key in ("canary", "stable", "last")}
    return Tally(
        lost=kept["lost"], worse=Evidence(**kept["worse"]), broken=Evidence(**kept["broken"]), **counted
    )


def _decision(kept: Obj) -> Decision:
    pods = {key: Pods(**kept[key]) if kept[key] else None for key in ("canary", "stable")}
    return Decision(**{**kept, **pods, "findings": tuple(map(_finding, kept["findings"]))})


def _finding(kept: Obj) -> Judgement:
    return Judgement(**{**kept, "canary": Counted(**kept["canary"]), "stable": Counted(**kept["stable"])})
