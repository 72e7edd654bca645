"""The live view of a release without a browser: what a frame holds, and what its buttons do."""

import msgspec
import pytest
from api_server import Api, StartApi
from argo_stages import put
from counted import Counters
from release_plans import VERSIONS, plan

from kata_lib.delivery import Release, argo, events, record
from kata_lib.delivery.record import Record
from kata_lib.lab.live import by_argo, by_plan
from kata_lib.lab.live.by_argo import ByArgo
from kata_lib.lab.live.by_plan import ByPlan
from kata_lib.lab.live.protocol import Decide, ReleaseNews, Standing, VersionSecond
from kata_lib.lab.live.release import Watch
from kata_lib.lab.live.settings import COMMANDS
from kata_lib.mesh import weights


class Clock:
    """A clock whose seconds the test counts."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


CLOCK = Clock()


@pytest.fixture
def canary(start_api: StartApi) -> Api:
    return start_api("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml")


def counting(api: Api) -> Counters:
    """Have the sidecar of `sentences` count, from zero on."""
    api.sidecars = counted = Counters(api.sidecars)
    for version in ("v1", "v2"):
        counted.add(version, 0)
    return counted


@pytest.fixture
def counted(canary: Api) -> Counters:
    return counting(canary)


@pytest.fixture
def view(canary: Api, counted: Counters) -> Watch:
    cluster = canary.cluster()
    record.save(cluster, Record(events.begin(plan({"setWeight": 20}, {"analysis": {}}), VERSIONS, 1.0)))
    return Watch(cluster, ByPlan(Release(cluster, "name")), CLOCK)


def shown(view: Watch) -> ReleaseNews:
    """Return what the next second's frame holds, as the browser would be sent it."""
    CLOCK.seconds += 1
    view.turn(watched=True)
    news = view.news(everything=True)
    assert msgspec.convert(msgspec.to_builtins(news), ReleaseNews) == news
    return news


def standing(news: ReleaseNews) -> Standing:
    assert news.words.standing is not None
    return news.words.standing


def test_a_frame_holds_the_plan_the_shares_and_the_decisions(view: Watch, counted: Counters) -> None:
    shown(view)
    counted.add("v1", 75)
    counted.add("v2", 25)
    news = shown(view)
    (row,) = news.seconds
    assert (row.answers, row.failed) == (100, 0.0)
    assert row.versions["name-v2"] == VersionSecond(25.0, 17.5, 34.3, 0.0, None, None)
    assert [(c.mark, (c.after or {})["name-v2"]) for c in news.changes] == [("", 0), ("20 %", 20)]
    words = standing(news)
    assert words.steps == ["setWeight 20", "analysis", "setWeight 100", "pause 5 s", "analysis"]
    assert words.step == 1
    assert words.may == ["pause", "promote", "promote fully", "abort"]
    assert words.decisions[0].endswith("20 % of the requests go to name-v2, 80 % to name-v1.")
    assert [m.version for m in words.metrics] == ["name-v2", "name-v1"]


def test_it_counts_before_a_browser_asks_and_a_late_reading_speaks_of_each_second(
    view: Watch, counted: Counters
) -> None:
    view.turn(watched=True)
    counted.add("v1", 90)
    counted.add("v2", 10)
    CLOCK.seconds += 3
    view.turn(watched=True)
    view.turn(watched=True)  # within the same second: nothing more
    rows = view.news(everything=True).seconds
    assert [(row.second, row.versions["name-v2"].share) for row in rows] == [(0, 10), (1, 10), (2, 10)]


def test_a_button_decides_and_a_refusal_is_told(view: Watch) -> None:
    view.hear(Decide("abort"))
    assert weights.read(view._cluster, "name")["name-v2"] == 0
    view.hear(Decide("promote"))
    news = shown(view)
    assert "promote does nothing; retry begins it again" in news.words.note
    words = standing(news)
    assert (words.phase, words.step, words.may) == ("Degraded", -1, ["retry"])
    view.hear(Decide("rm -rf"))


def test_each_button_of_the_browser_is_a_command() -> None:
    assert set(COMMANDS) == set(by_plan.COMMANDS)
    assert set(by_argo.COMMANDS) < set(COMMANDS)


def test_a_release_that_was_forgotten_is_told(view: Watch) -> None:
    view._cluster.remove("v1", "ConfigMap", "release-name")
    news = shown(view)
    assert "There is no release of name" in news.words.note
    assert news.words.standing is None


def test_a_release_that_is_forgotten_leaves_what_was_read_of_it(view: Watch) -> None:
    shown(view)
    view._cluster.remove("v1", "ConfigMap", "release-name")
    view.end()
    assert "20 % of the requests go to name-v2" in view.text()


def test_a_release_by_argo_rollouts_gives_the_same_picture(start_api: StartApi) -> None:
    api = start_api("deploy/v1")
    counted, cluster = counting(api), api.cluster()
    put(api, "at-50")
    view = Watch(cluster, ByArgo(argo.find(cluster, "name")), CLOCK)
    shown(view)
    for _ in range(2):
        counted.add("v1", 60)
        counted.add("v2", 40)
        news = shown(view)
    assert news.seconds[-1].versions["v2"] == VersionSecond(40.0, 30.9, 49.8, 0.0, None, None)
    assert [change.after for change in news.changes] == [{"v2": 50, "v1": 50}]
    words = standing(news)
    assert words.steps == [
        "setWeight 1",
        "analysis",
        "setWeight 10",
        "analysis",
        "setWeight 50",
        "analysis",
    ]
    assert words.may == ["pause", "promote", "promote fully", "abort"]
    assert [(m.version, m.requests, m.least) for m in words.metrics] == [
        ("v2", 40, 95.0),
        ("v1", 60, None),
    ]
    put(api, "promoted")
    words = standing(shown(view))
    assert (words.phase, words.step, words.may) == ("Healthy", 6, [])
    view.hear(Decide("abort"))
    put(api, "aborted-by-analysis")
    news = shown(view)
    assert "abort does nothing" in news.words.note
    words = standing(news)
    assert (words.phase, words.step, words.may) == ("Degraded", -1, ["retry"])
    assert "RolloutAborted" in view.text()
