"""The learner's turns: whether one is done, in whatever way, and what stands in where a number is needed.

What is in the cluster counts, so a turn that was done in a terminal is done. A turn whose result later cells
read has something that stands in for it: who goes on without gets true numbers, and is told whose they are.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, Protocol

import pandas as pd
import yaml

from kata_lib import delivery
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import mistakes, service, wanted
from kata_lib.course.checks import CheckFailed, unattended
from kata_lib.course.mistake import Mistake
from kata_lib.course.mistakes import V1_DEPLOYMENTS
from kata_lib.course.steps import PLAN_V3, V3
from kata_lib.delivery import argo
from kata_lib.errors import KataError, ReleaseError, WaitTimeout
from kata_lib.lab.weight import Weight
from kata_lib.mesh.analyze.written import shares_text

ALL_AT_ONCE = "- setWeight: 100\n- analysis: {}"
V3_ROLLOUT = "deploy/rollouts/argo-rollouts/rollout-v3.yaml"


class Hands(Protocol):
    """What stands in for a turn is done by these: a Lab has them."""

    cluster: Cluster

    @property
    def weight(self) -> Weight: ...

    def apply(self, path: str) -> None: ...
    def counters(self, since: pd.DataFrame | None = None) -> pd.DataFrame: ...
    def sample(self, requests: int | None = None) -> pd.DataFrame: ...
    def uncounted(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Turn:
    """What a turn must have brought about.

    open: why it is not done, given what the learner's cell made; "" where it is. stands_in: makes in its
    place what later cells read, None where they read nothing; said: what that does, in words.
    """

    open: Callable[[Hands, Any], str]
    stands_in: Callable[[Hands, Any], Any] | None = None
    said: str = ""


def take(lab: Hands, name: str, made: Any, say: Callable[[str], None]) -> Any:
    """Say whether a turn is done, and return what its cell made, or what stands in for it.

    Raises CheckFailed where nobody watches and it is open.
    """
    if name not in TURNS:
        raise KataError(f"There is no turn {name!r}; there are: {', '.join(TURNS)}.")
    turn = TURNS[name]
    reason = turn.open(lab, made)
    if not reason:
        say("✓ Your turn is done.")
        return _result(name, made)
    if unattended():
        raise CheckFailed(f"The turn {name} is open. {reason}")
    say(f"Your turn above is still open. {reason}")
    if turn.stands_in is None:
        say("Do it here or in a terminal, and run this cell again. The hints say more, one after the other.")
        return None
    say(f"So that the next cells have something to show, this is done in its place: {turn.said}.")
    return turn.stands_in(lab, made)


def _result(name: str, made: Any) -> Any:
    return yaml.safe_load(made) if name == "own-steps" else made


def _seen(found: Callable[[Cluster], Iterable[Mistake]]) -> Callable[[Hands, Any], str]:
    """Return what says the first mistake that keeps a turn from being done."""
    return lambda lab, _: next((mistake.text for mistake in found(lab.cluster)), "")


def _routed(asked: wanted.WantedRouting) -> Callable[[Hands, Any], str]:
    """Return what says that the shares in force are others than a turn asks for."""

    def others(lab: Hands, _: Any) -> str:
        now = dict(service.in_force(lab.cluster).versions)
        if wanted.same(now, asked.shares):
            return ""
        return f"In force is {shares_text(now)}; asked for is {shares_text(asked.shares)}."

    return others


def _has_dots(lab: Hands, made: Any) -> str:
    parts = made if isinstance(made, tuple) else (made,)
    return "There are still dots in its cell." if any(isinstance(p, EllipsisType) for p in parts) else ""


def _not_moved(lab: Hands, traffic: Any) -> str:
    return "The weight was not moved yet." if traffic.changes().empty else ""


def _not_doubled(lab: Hands, traffic: Any) -> str:
    with suppress(WaitTimeout):
        traffic.last_change(timeout=30)
    return _routed(wanted.CANARY_20)(lab, traffic)


def _move(lab: Hands, traffic: Any) -> Any:
    traffic.move(0)
    traffic.last_change()
    traffic.move(100)
    return traffic


def _not_linked(lab: Hands, control: Any) -> str:
    """Return why a control does not follow the weight: its trait moves for a moment, the cluster does not."""
    if dots := _has_dots(lab, control):
        return dots
    if not hasattr(control, "value"):
        return f"Expected is a control, which has a value; found {control!r}."
    weight = lab.weight
    now = weight.value
    weight.follow((now + 1) % 101)
    follows = control.value == weight.value
    weight.follow(now)
    return "" if follows else "Your control does not follow the weight: it is not linked with lab.weight."


def _linked(lab: Hands, _: Any) -> Any:
    import ipywidgets

    slider = ipywidgets.IntSlider(max=100)
    ipywidgets.link((lab.weight, "value"), (slider, "value"))
    return slider


def _count(lab: Hands, _: Any) -> Any:
    before = lab.counters()
    sample = lab.sample(requests=500)
    return sample, lab.counters(since=before)


def _no_steps(lab: Hands, text: str) -> str:
    """Return why a text is no list of a plan's steps."""
    try:
        steps = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return f"Your text is no YAML: {' '.join(str(error).split())}."
    if not isinstance(steps, list):
        return "Expected is a list of steps, one a line that begins with a dash."
    try:
        delivery.read(PLAN_V3).changed(steps=steps)
    except ReleaseError as error:
        return str(error)
    return ""


def _release_v3(lab: Hands, _: Any) -> Any:
    """Return the release of v3: the one that a terminal started, else a new one that has ended."""
    try:
        found = delivery.find(lab.cluster, "name")
        if found.state.plan.canary == "name-v3":
            found.wait()
            return found
    except ReleaseError:
        pass
    lab.apply(V3)
    release = delivery.start(lab.cluster, delivery.read(PLAN_V3).without(lab.uncounted()))
    release.wait()
    return release


def _argo_release_v3(lab: Hands, _: Any) -> Any:
    lab.apply(V3_ROLLOUT)
    release = argo.find(lab.cluster, "name")
    release.wait()
    return release


TURNS = {
    "deploy-v2": Turn(_seen(lambda cluster: mistakes.workloads(cluster, (*V1_DEPLOYMENTS, "name-v2")))),
    "canary": Turn(_routed(wanted.CANARY_10)),
    "scale-v2": Turn(_seen(lambda cluster: mistakes.replicas(cluster, {"name-v2": 4}))),
    "promote-live": Turn(_not_moved, _move, "the slider moves to 0, and then to 100"),
    "double": Turn(_not_doubled),
    "control": Turn(_not_linked, _linked, "a slider is linked with lab.weight"),
    "count": Turn(_has_dots, _count, "500 requests, between two readings of the counters"),
    "promote": Turn(_routed(wanted.PROMOTED)),
    "canary-v3": Turn(_routed(wanted.CANARY_OF_V3)),
    "roll-back": Turn(_routed(wanted.PROMOTED)),
    "release-v3": Turn(_has_dots, _release_v3, "version 3 is applied, and released by its plan"),
    "own-steps": Turn(_no_steps, lambda *_: yaml.safe_load(ALL_AT_ONCE), "a plan with one weight, 100"),
    "release-v3-argo": Turn(_has_dots, _argo_release_v3, "version 3's file is applied, and waited for"),
}
"""Every turn by the name that notebooks use."""
