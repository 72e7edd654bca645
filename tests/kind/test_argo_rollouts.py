"""The real Argo Rollouts controller on kind: installed by one call, watched, and told a person's word.

Runs where KATA_TEST_ENGINE=kind asks for it and the manifests of its add-ons can be had.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from labs import lab_on
from requirements import lacking

from kata_lib import addons
from kata_lib.addons.rollouts import ROLLOUTS
from kata_lib.course.steps import ARGO
from kata_lib.delivery import argo
from kata_lib.errors import ClusterError, EngineError, ReleaseError
from kata_lib.lab.lab import Lab
from kata_lib.lab.live.by_argo import ByArgo
from kata_lib.lab.live.protocol import ReleaseNews
from kata_lib.lab.live.release import Watch

pytestmark = pytest.mark.needs("kind")

CLUSTER = "kata-argo"
SECONDS = 60.0
PAUSES = [{"setWeight": 20}, {"pause": {"duration": "1h"}}, {"setWeight": 60}, {"pause": {}}]


@pytest.fixture(scope="module")
def bare(engine_environment: dict[str, str]) -> Iterator[Lab]:
    """A cluster without the controller."""
    with lab_on(engine_environment, CLUSTER) as made:
        yield made


def test_without_the_controller_the_step_says_what_installs_it(bare: Lab) -> None:
    with pytest.raises(ClusterError, match=r"no Argo Rollouts.*kata addons install rollouts"):
        bare.begin("argo-rollouts")


@pytest.fixture(scope="module")
def kata(bare: Lab, give_counters: Callable[[Path], None]) -> Lab:
    """The same cluster with Prometheus and the controller."""
    give_counters(bare.cluster.kubeconfig)
    for name in ("prometheus", "rollouts"):
        try:
            addons.install(bare.engine, [name], print)
        except EngineError as error:
            lacking(name, str(error))
    return bare


def ready(kata: Lab) -> str:
    return kata.engine.addons().missing(ROLLOUTS)


def test_a_second_install_changes_nothing(kata: Lab) -> None:
    addons.install(kata.engine, ["rollouts"], print)
    assert ready(kata) == ""


def looked(view: Watch) -> ReleaseNews:
    """Return what the view says after a look at the cluster."""
    view.turn(watched=True)
    return view.news(everything=True)


def test_version_2_goes_through_and_the_view_shows_it(kata: Lab) -> None:
    kata.begin("argo-rollouts")
    release = argo.find(kata.cluster, "name")
    view = Watch(kata.cluster, ByArgo(release))
    with kata.watch(rate=100) as users:
        kata.apply(f"{ARGO}/rollout-v2.yaml")
        first = looked(view)
        lines: list[str] = []
        release.wait(say=lines.append)
        last = looked(view)
        assert users.frame()["error"].isna().all()
    assert release.state.phase == "Healthy", lines
    raised = [weight for weight in release.moments() if weight != "0 %"]  # that may be over at the first look
    assert raised == ["1 %", "10 %", "50 %", "100 %"]
    assert set(release.history()["verdict"]) == {"Successful"}
    assert kata.check("argo-released", kata.sample(requests=200, concurrency=4)).verdict == "right"
    began, through = first.words.standing, last.words.standing
    assert began
    assert began.phase == "Progressing"
    assert through
    assert [s for s in through.steps if "setWeight" in s] == [f"setWeight {w}" for w in (1, 10, 50)]
    assert last.changes[-1].after == {"v2": 100, "v1": 0}
    assert last.seconds, "requests were sent, and the sidecars counted none"


def test_version_3_is_stopped_by_the_analysis(kata: Lab) -> None:
    release = argo.find(kata.cluster, "name")
    with kata.watch(rate=100):
        kata.apply(f"{ARGO}/rollout-v3.yaml")
        release.wait()
    assert release.state.phase == "Degraded"
    assert (release.reached(), release.state.measurements[-1].phase) == (1, "Failed")
    assert kata.check("argo-caught", kata.sample(requests=200, concurrency=4)).verdict == "right"


def test_a_persons_words_are_the_controllers(kata: Lab) -> None:
    kata.begin("argo-rollouts", reset=True)
    release = argo.find(kata.cluster, "name")
    with pytest.raises(ReleaseError, match="has ended"):
        release.promote()
    steps = {"spec": {"strategy": {"canary": {"steps": PAUSES}}}}
    kata.cluster.patch(argo.API, argo.KIND, "name", steps)
    template = {"spec": {"template": {"metadata": {"labels": {"version": "v2"}}}}}
    kata.cluster.patch(argo.API, argo.KIND, "name", template)
    release.until(lambda state: state.phase == "Paused" and state.weight == 20, SECONDS)
    release.promote()
    release.until(lambda state: state.phase == "Paused" and state.weight == 60, SECONDS)
    release.wait(say=lambda line: None)
    assert release.state.asks
    release.abort()
    release.until(lambda state: state.phase == "Degraded" and state.weight == 0, SECONDS)
    release.retry()
    release.until(lambda state: state.phase == "Paused" and state.weight == 20, SECONDS)
    release.promote_fully()
    release.until(lambda state: state.phase == "Healthy" and state.weight == 100, SECONDS)


def test_other_steps_leave_nothing_of_the_rollout(kata: Lab) -> None:
    kata.begin("canary", reset=True)
    assert kata.cluster.objects(argo.API, argo.KIND) == []
    assert set(kata.pods()["version"]) == {"v1", "v2"}
    assert not kata.sample(requests=100)["error"].any()
