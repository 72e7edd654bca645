"""07: the same release by the real Argo Rollouts."""

from typing import Any

from kata_lib.course import argo_mistakes, verdicts
from kata_lib.course.exercise import Exercise, InClass, Question
from kata_lib.course.steps import ARGO, V1, Step
from kata_lib.course.turn import Hands, Turn, has_dots
from kata_lib.delivery import argo

V3_ROLLOUT = f"{ARGO}/rollout-v3.yaml"


def _argo_release_v3(lab: Hands, _: Any) -> Any:
    lab.apply(V3_ROLLOUT)
    release = argo.find(lab.cluster, "name")
    release.wait()
    return release


EXERCISE = Exercise(
    # The Rollout stands in place of the Deployments of name.
    Step(
        "argo-rollouts",
        "07-argo-rollouts",
        (
            *(f"{V1}/{file}.yaml" for file in ("age", "name", "sentences")),
            *(f"{ARGO}/{file}.yaml" for file in ("routing", "success-rate", "rollout-v1")),
        ),
        addons=("prometheus", "rollouts"),
        cell_seconds=300,  # its analysis takes 40 s at each of three weights
    ),
    about="the same by the real Argo Rollouts, where the cluster has it",
    in_class=InClass(
        say="The same release, as a company runs it. Install the add-ons before: `kata addons install "
        "prometheus rollouts`.",
        ask="How many requests does each of its verdicts rest on? Who says so?",
        goes_wrong="Minutes of waiting: read the two files meanwhile. Without the add-ons the notebook says "
        "what to do.",
    ),
    checks={
        "argo-released": verdicts.everyone_on_v2(
            lambda cluster: argo_mistakes.find(cluster, "v2", "Healthy")
        ),
        "argo-caught": verdicts.everyone_on_v2(lambda cluster: argo_mistakes.find(cluster, "v3", "Degraded")),
    },
    turns={
        "release-v3-argo": Turn(has_dots, _argo_release_v3, "version 3's file is applied, and waited for"),
    },
    questions={
        "time from 1 to 100 %": Question(
            "s",
            "Many say what the last notebook took. But this analysis waits before it looks, and then looks "
            "at fixed times, however clear the case is.",
            expected=120,
            rough=0.25,
        ),
    },
)
