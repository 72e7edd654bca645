"""A release in a cluster: kept there, run from anywhere, and never against somebody else."""

import time

import pandas as pd
import pytest
from api_server import Api, StartApi
from counted import Counters
from release_plans import VERSIONS, plan

from kata_lib import delivery
from kata_lib.cluster import waiting
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.manifests import parse
from kata_lib.delivery import events, metrics, record, routes
from kata_lib.delivery.observed import Pods
from kata_lib.delivery.record import Record
from kata_lib.delivery.runner import GONE_SECONDS, Runner
from kata_lib.delivery.state import ReleaseRouting
from kata_lib.delivery.steps import WATCH, HeaderRoute
from kata_lib.errors import ClusterError, ReleaseError, WaitTimeout
from kata_lib.mesh import in_force, telemetry, weights
from kata_lib.mesh.matches import Request
from kata_lib.mesh.virtual_services import ISTIO
from kata_lib.statistics.sequential import Counted

CANARY = "deploy/virtual-service-canary.yaml"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def canary(start_api: StartApi) -> Api:
    return start_api("deploy/v1", "deploy/v2", CANARY)


@pytest.fixture
def cluster(canary: Api) -> Cluster:
    return canary.cluster()


@pytest.fixture
def counted(canary: Api) -> Counters:
    canary.sidecars = made = Counters(canary.sidecars)
    made.add("v1", 1)
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


def begun(cluster: Cluster, made: delivery.Plan, clock: Clock) -> Runner:
    """Put a release into the cluster, and return a runner that has had its first turn."""
    record.save(cluster, Record(events.begin(made, VERSIONS, clock())))
    runner = Runner(cluster, "name", clock)
    runner.turn()
    return runner


TWO = plan({"setWeight": 20}, {"analysis": {}}, {"setWeight": 50}, {"analysis": {}})


def test_the_weights_follow_the_steps(cluster: Cluster, counted: Counters, clock: Clock) -> None:
    runner = begun(cluster, TWO, clock)
    assert weights.read(cluster, "name") == {"name-v1": 80, "name-v2": 20}
    for weight in (50, 100):
        counted.add("v2", 60)
        runner.turn()
        assert weights.read(cluster, "name")["name-v2"] == weight
        runner.turn()
    clock.now += WATCH
    for _ in range(2):
        counted.add("v2", 60)
        found = runner.turn()
    assert found.release.phase == "Healthy"


def test_a_failing_canary_is_sent_back(cluster: Cluster, counted: Counters, clock: Clock) -> None:
    runner = begun(cluster, TWO, clock)
    counted.add("v2", 5, code="503")
    assert runner.turn().release.phase == "Degraded"
    assert weights.read(cluster, "name") == {"name-v1": 100, "name-v2": 0}


@pytest.mark.parametrize("version", ["unknown", ""])
def test_failures_that_reached_no_pod_are_theirs_who_have_none(
    cluster: Cluster, counted: Counters, clock: Clock, version: str
) -> None:
    runner = begun(cluster, TWO, clock)
    counted.add(version, 5, code="503")
    found = runner.turn().release
    assert (found.phase, found.tallies["success-rate"].lost) == ("Progressing", 5)
    cluster.scale("name-v1", 0)
    counted.add(version, 5, code="503")
    found = runner.turn().release
    assert (found.phase, found.tallies["success-rate"].stable) == ("Progressing", Counted(5, 5))
    cluster.scale("name-v1", 2)
    cluster.scale("name-v2", 0)
    counted.add(version, 5, code="503")
    found = runner.turn().release
    assert (found.phase, found.decisions[-1].canary) == ("Degraded", Pods(0, 0))


def test_failures_of_a_pod_that_did_not_answer_are_its_versions(
    cluster: Cluster, counted: Counters, clock: Clock
) -> None:
    """Its workload was chosen, so the sidecar counted that."""
    runner = begun(cluster, TWO, clock)
    counted.add("unknown", 5, code="503", workload="name-v2")
    assert runner.turn().release.phase == "Degraded"


def test_other_callers_whose_routing_may_be_another_are_not_counted(
    cluster: Cluster, counted: Counters, clock: Clock
) -> None:
    runner = begun(cluster, TWO, clock)
    counted.add("v2", 5, code="503", caller="age")
    found = runner.turn().release
    assert (found.phase, found.tallies["success-rate"].canary) == ("Progressing", Counted())


def test_copies_are_counted_where_they_arrive(cluster: Cluster, counted: Counters, clock: Clock) -> None:
    made = plan({"setMirrorRoute": {"percentage": 50}}, {"analysis": {}}, {"setWeight": 1}, {"analysis": {}})
    runner = begun(cluster, made, clock)
    counted.add("v2", 60)
    assert runner.turn().release.step == 1
    counted.add("v2", 60, reporter="destination")
    assert runner.turn().release.step == 3


def test_only_requests_since_the_routing_changed_are_judged(
    cluster: Cluster, counted: Counters, clock: Clock
) -> None:
    counted.add("v2", 900, code="500")
    runner = begun(cluster, TWO, clock)
    counted.add("v2", 60)
    assert runner.turn().release.routing.weight == 50


def test_another_runner_goes_on_where_one_died(cluster: Cluster, counted: Counters, clock: Clock) -> None:
    runner = begun(cluster, TWO, clock)
    counted.add("v2", 40)
    assert runner.turn().release.tallies["success-rate"].canary.n == 40
    second = Runner(cluster, "name", clock)
    with pytest.raises(ReleaseError, match="run by another process"):
        second.turn()
    clock.now += GONE_SECONDS
    counted.add("v2", 1000, code="500")  # while nobody looked: not counted
    second.turn()
    counted.add("v2", 20)
    found = second.turn().release
    assert (found.step, found.routing.weight) == (3, 50)
    assert (found.decisions[2].what, found.decisions[2].count) == ("taken over", 5)


def test_a_runner_that_leaves_lets_others_on_at_once(
    cluster: Cluster, counted: Counters, clock: Clock
) -> None:
    begun(cluster, TWO, clock).leave()
    Runner(cluster, "name", clock).turn()


def test_weights_changed_elsewhere_are_noticed_and_left(
    cluster: Cluster, counted: Counters, clock: Clock
) -> None:
    runner = begun(cluster, TWO, clock)
    weights.set_weights(cluster, "name", {"name-v2": 80})
    counted.add("v2", 60, code="500")
    found = runner.turn().release
    assert (found.phase, found.hold) == ("Paused", "elsewhere")
    assert found.decisions[-1].found == {"name-v1": 20, "name-v2": 80}
    runner.turn()
    assert weights.read(cluster, "name")["name-v2"] == 80
    held = delivery.find(cluster, "name")
    held._do(events.resume)
    assert weights.read(cluster, "name")["name-v2"] == 20
    runner.turn()
    counted.add("v2", 60)
    assert runner.turn().release.routing.weight == 50


def test_a_virtual_service_that_is_deleted_meanwhile_is_noticed(
    cluster: Cluster, counted: Counters, clock: Clock
) -> None:
    runner = begun(cluster, TWO, clock)
    cluster.delete(CANARY)
    last = runner.turn().release.decisions[-1]
    assert (last.hold, last.found) == ("elsewhere", {})


def test_a_command_counts_over_a_look_under_way(
    canary: Api, cluster: Cluster, counted: Counters, clock: Clock
) -> None:
    """Somebody aborts between the runner's reading and its writing: its success is void."""
    runner = begun(cluster, TWO, clock)

    somebody = [delivery.find(canary.cluster(), "name")]

    def aborted_meanwhile(method: str, path: str) -> None:
        if path.endswith("/stats/prometheus") and somebody:
            somebody.pop().abort()
            counted.add("v2", 60)

    canary.before = aborted_meanwhile
    assert runner.turn().release.phase == "Degraded"
    assert weights.read(cluster, "name")["name-v2"] == 0


def test_a_routing_that_was_saved_and_not_put_in_force_is(
    cluster: Cluster, counted: Counters, clock: Clock
) -> None:
    """Its runner died between the two."""
    begun(cluster, TWO, clock)
    record.change(
        cluster, "name", lambda found: Record(events.abort(found.release, 1.0), 0, "", 0.0, found.version)
    )
    assert weights.read(cluster, "name")["name-v2"] == 20
    Runner(cluster, "name", clock).turn()
    assert weights.read(cluster, "name")["name-v2"] == 0


def test_metrics_that_do_not_answer_hold_it(cluster: Cluster, counted: Counters, clock: Clock) -> None:
    runner = begun(cluster, plan(consecutiveErrorLimit=0), clock)
    counted.silent = ("sentences",)
    found = runner.turn().release
    assert (found.phase, found.hold) == ("Paused", "unreadable")
    assert "The sidecar of sentences-" in found.decisions[-1].quote


def test_a_canary_whose_sidecar_was_killed_is_judged_by_what_its_callers_counted(
    cluster: Cluster, counted: Counters, clock: Clock
) -> None:
    """Seen on kind: until its probe fails its pod is ready, and its agent refuses the connection."""
    runner = begun(cluster, plan(consecutiveErrorLimit=0), clock)
    counted.silent = ("name-v2",)
    counted.add("unknown", 5, code="503", workload="name-v2")
    assert runner.turn().release.phase == "Degraded"


def test_counters_that_no_pod_tells_are_an_error(cluster: Cluster, counted: Counters) -> None:
    counted.silent = ("",)
    with pytest.raises(ClusterError, match="error trying to reach service"):
        telemetry.counters(cluster)


def test_durations_that_no_sidecar_counts_are_no_success() -> None:
    latency = {
        "name": "latency",
        "within": "250ms",
        "successCondition": "result >= 0.9",
        "failureCondition": "result < 0.5",
    }
    made = delivery.parse({**TWO.source, "analysis": {"metrics": [latency]}})
    key = ("s", "source", "s", "v1", "name", "name-v2", "v2", "not 5xx", "-")
    index = pd.MultiIndex.from_tuples([key], names=telemetry.KEYS)
    counted = pd.DataFrame({"requests": [50.0], "timed": 0.0, "milliseconds": 0.0, 250: 0.0}, index=index)
    counted.attrs["source"] = telemetry.ENVOYS_OWN
    parts = metrics.split(counted, {"name"}, VERSIONS)
    with pytest.raises(ReleaseError, match=r"do not count how long.*latency cannot be judged"):
        metrics.looks(parts, made)


def test_the_record_is_read_as_it_was_written(cluster: Cluster, counted: Counters, clock: Clock) -> None:
    runner = begun(cluster, TWO, clock)
    counted.add("v2", 40)
    written = runner.turn()
    assert record.load(cluster, "name") == written
    data = cluster.get("v1", "ConfigMap", "release-name")["data"]  # type: ignore[index]
    assert "setWeight 20: 20 % of the requests go to name-v2" in data["history"]


def test_a_record_that_somebody_damaged(cluster: Cluster, counted: Counters, clock: Clock) -> None:
    begun(cluster, TWO, clock)
    for damage in ("{", "{}", '{"form": 2, "tallies": 1}', "[]"):
        cluster.patch("v1", "ConfigMap", "release-name", {"data": {"release": damage}})
        with pytest.raises(ReleaseError, match="kubectl delete configmap release-name"):
            record.load(cluster, "name")


def test_a_record_of_an_older_form_is_refused_by_name(
    cluster: Cluster, counted: Counters, clock: Clock
) -> None:
    begun(cluster, TWO, clock)
    cluster.patch("v1", "ConfigMap", "release-name", {"data": {"release": '{"step": 0, "decisions": []}'}})
    with pytest.raises(ReleaseError, match=r"another version.*form 1; this one reads 2.*kubectl delete"):
        record.load(cluster, "name")


def test_a_release_runs_by_itself_and_tells_its_decisions(cluster: Cluster, counted: Counters) -> None:
    quick = TWO.changed(
        steps=[*TWO.source["steps"], {"setWeight": 100}, {"analysis": {}}],
        analysis={**TWO.source["analysis"], "interval": "5ms"},
    )
    release = delivery.start(cluster, quick)
    said: list[str] = []
    limit = time.monotonic() + 20
    while release.state.phase != "Healthy":
        assert time.monotonic() < limit, release.status()
        counted.add("v2", 60)
    release.wait(5, said.append)
    assert len(said) == len(release.history()) == 8
    assert release.history()["by"].to_list() == ["person", *["plan", "metrics"] * 3, "metrics"]
    assert release.status().startswith("Healthy. name-v2 100 %, name-v1 0 %.")
    raised = list(release.moments().values())
    assert release.seconds() == round((raised[-1] - raised[0]).total_seconds(), 1)
    release.undo()
    assert weights.read(cluster, "name")["name-v2"] == 0


def test_one_release_at_a_time(cluster: Cluster, counted: Counters) -> None:
    release = delivery.start(cluster, TWO)
    with pytest.raises(ReleaseError, match=r"under way already.*Progressing at 20 %: one at a time"):
        delivery.start(cluster, TWO)
    release.abort()
    delivery.start(cluster, TWO).abort()


def test_a_closed_release_holds_and_says_that_nobody_runs_it(cluster: Cluster, counted: Counters) -> None:
    release = delivery.start(cluster, TWO)
    release.close()
    assert "Progressing, step 2 of 7: analysis" in release.status()
    assert "Nobody runs it: it holds until `resume`, or `abort`." in release.status()
    again = delivery.find(cluster, "name")
    again.resume()
    waiting.until(lambda: "nobody" if "Nobody" in again.where() else "", 10, None, "It is not run")
    with pytest.raises(WaitTimeout, match="Last seen: Progressing, step 2 of 7"):
        again.wait(0.0, lambda line: None)
    with pytest.raises(ReleaseError, match="not paused"):
        again.resume()
    again.abort()
    again.close()


def test_without_a_release(cluster: Cluster) -> None:
    with pytest.raises(ReleaseError, match=r"no release of name\. `kata release start PLAN`"):
        delivery.find(cluster, "name")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.delete(CANARY), "No VirtualService routes name"),
        (lambda c: c.remove(ISTIO, "DestinationRule", "name"), "know no subset 'name-v2'.*none"),
        (lambda c: c.delete("deploy/v2"), "subset name-v2 of name has no pod that is ready"),
        (lambda c: c.scale("name-v1", 0), "subset name-v1 of name has no pod that is ready"),
    ],
)
def test_a_release_that_cannot_begin(cluster: Cluster, change: object, said: str) -> None:
    change(cluster)  # type: ignore[operator]
    with pytest.raises(ReleaseError, match=said):
        delivery.start(cluster, TWO)
    assert cluster.get("v1", "ConfigMap", "release-name") is None


def test_a_third_version_with_weight_is_refused(cluster: Cluster) -> None:
    made = delivery.parse({**TWO.source, "stable": "name-v2", "canary": "name-v3"})
    cluster.apply("deploy/v3-faulty")
    with pytest.raises(ReleaseError, match=r"gives name-v1 a weight of 90.*kata weights name-v2=100"):
        routes.check(cluster, made)


def test_a_new_version_gets_a_route_and_others_keep_theirs() -> None:
    made = delivery.parse({**TWO.source, "stable": "name-v2", "canary": "name-v3"})
    v1, v2 = (
        {"destination": {"host": "name", "subset": f"name-v{n}"}, "weight": w} for n, w in ((1, 0), (2, 100))
    )
    own = {"match": [{"uri": {"prefix": "/x"}}], "route": [{"destination": {"host": "name"}}]}
    http = routes.rules([own, {"route": [v1, v2], "timeout": "2s"}], made, ReleaseRouting(20))
    assert http[0] == own
    assert http[1]["timeout"] == "2s"
    assert [(e["destination"]["subset"], e["weight"]) for e in http[1]["route"]] == [
        ("name-v1", 0),
        ("name-v2", 80),
        ("name-v3", 20),
    ]


def test_testers_and_copies_come_and_go() -> None:
    header = {"name": "testers", "match": [{"headerName": "x-tester", "headerValue": {"exact": "yes"}}]}
    made = plan({"setHeaderRoute": header}, {"analysis": {}})
    http = [{"route": [{"destination": {"host": "name", "subset": "name-v1"}, "weight": 100}]}]
    testers = HeaderRoute("testers", "x-tester", "exact", "yes")
    with_all = routes.rules(http, made, ReleaseRouting(0, (testers,), 30))
    assert with_all[0]["match"] == [{"headers": {"x-tester": {"exact": "yes"}}}]
    assert with_all[0]["route"] == [{"destination": {"host": "name", "subset": "name-v2"}}]
    assert with_all[1]["mirrorPercentage"] == {"value": 30}
    assert routes.rules(with_all, made, ReleaseRouting(0, (testers,), 30)) == with_all
    without = routes.rules(with_all, made, ReleaseRouting(100))
    assert len(without) == 1
    assert "mirror" not in without[0]


ROUTE = """
apiVersion: v1
kind: Service
metadata: {name: name-v1}
spec: {selector: {app: name, version: v1}, ports: [{name: http, port: 5000}]}
---
apiVersion: v1
kind: Service
metadata: {name: name-v2}
spec: {selector: {app: name, version: v2}, ports: [{name: http, port: 5000}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: name}
spec:
  parentRefs: [{group: "", kind: Service, name: name, port: 5000}]
  rules:
  - backendRefs:
    - {name: name-v1, port: 5000, weight: 100}
    - {name: name-v2, port: 5000, weight: 0}
"""


def test_a_release_moves_the_weights_of_an_http_route_with_testers_and_copies(start_api: StartApi) -> None:
    cluster = start_api("deploy/v1", "deploy/v2").cluster()
    for manifest in parse(ROUTE, "the test"):
        cluster.apply_object(manifest)
    header = {"name": "testers", "match": [{"headerName": "x-tester", "headerValue": {"prefix": "y."}}]}
    made = plan(
        {"setHeaderRoute": header},
        {"setMirrorRoute": {"percentage": 30}},
        {"setWeight": 20},
        {"analysis": {}},
    )
    assert routes.check(cluster, made) == VERSIONS
    testers = HeaderRoute("testers", "x-tester", "prefix", "y.")
    for routing in (ReleaseRouting(0, (testers,), 30), ReleaseRouting(20), ReleaseRouting(100)):
        routes.put(cluster, made, routing)
        assert routes.other(cluster, made, routing) is None  # what the server made of it is what was meant
        assert routes.lagging(cluster, made, routing) == ""
        found = in_force.read(cluster, "name", "sentences")
        share = routing.weight / 100
        assert found.versions == {v: s for v, s in (("v1", 1 - share), ("v2", share)) if s}
        asked = found.outcome(Request(headers={"x-tester": "y.es"})).versions
        assert asked == ({"v2": 1.0} if routing.headers else found.versions)
