"""03: turn the weight, see the traffic follow."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import verdicts, wanted
from kata_lib.course.exercise import Exercise, InClass, Question
from kata_lib.course.result import Result
from kata_lib.course.steps import CANARY, V1, V2, Step
from kata_lib.course.turn import Hands, Turn, has_dots, routed
from kata_lib.errors import WaitTimeout
from kata_lib.statistics.shares import requests_needed

if TYPE_CHECKING:
    import pandas as pd


def _canary_20(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    found = verdicts.routed(cluster, wanted.CANARY_20)
    return verdicts.first(cluster, found, sample) or verdicts.judge(cluster, sample, 0.2, otherwise=0.1)


def _not_moved(lab: Hands, traffic: Any) -> str:
    return "The weight was not moved yet." if traffic.changes().empty else ""


def _not_doubled(lab: Hands, traffic: Any) -> str:
    with suppress(WaitTimeout):
        traffic.last_change(timeout=30)
    return routed(wanted.CANARY_20)(lab, traffic)


def _move(lab: Hands, traffic: Any) -> Any:
    traffic.move(0)
    traffic.last_change()
    traffic.move(100)
    return traffic


def _not_linked(lab: Hands, control: Any) -> str:
    """Return why a control does not follow the weight: its trait moves for a moment, the cluster does not."""
    if dots := has_dots(lab, control):
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


EXERCISE = Exercise(
    Step(
        "weight-lab",
        "03-weight-lab",
        (V1, V2, CANARY),
        cell_seconds=120,  # it asks 1,200 times, one after another, beside the live lab's traffic
    ),
    about="turn the weight, see the traffic follow",
    in_class=InClass(
        say="Turn it, then keep your hands still until the confidence sequence is narrow.",
        ask="Why does 0 → 100 show at once, and 10 → 20 not?",
        goes_wrong="Two people on one cluster turn against each other: everyone has their own (below).",
    ),
    checks={"canary-20": _canary_20},
    turns={
        "promote-live": Turn(_not_moved, _move, "the slider moves to 0, and then to 100"),
        "double": Turn(_not_doubled),
        "control": Turn(_not_linked, _linked, "a slider is linked with lab.weight"),
    },
    questions={
        "time until everyone gets v2": Question(
            "ms",
            "Many think in seconds or minutes, because a release used to mean starting pods. Here one "
            "number changes in a sidecar that runs already.",
            rough=1.0,
        ),
        "requests that tell 10 % from 20 %": Question(
            "requests",
            "Many say a hundred: 10 and 20 look far apart. But chance alone moves 20 of a hundred by 8 "
            "either way, and one error in a million is a strict judge.",
            expected=requests_needed(0.2, 0.1),
            rough=0.1,
        ),
    },
)
