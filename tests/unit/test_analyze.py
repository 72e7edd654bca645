"""kata_lib.mesh.analyze: what holds for all objects, what is left alone, and how an analysis shows."""

import copy
import json
import re
from dataclasses import fields, replace

import pytest
from analyzed import ALL, PROMOTE, destination, kata, namespace, redeploy, route, spec, without_sidecar
from api_server import StartApi
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.cluster.client import Obj
from kata_lib.cluster.service_ports import protocol
from kata_lib.course.application import APPLICATION
from kata_lib.engines import select
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.lab.lab import Lab
from kata_lib.mesh import analyze, weights
from kata_lib.mesh.analyze import CODES, Analysis, Objects
from kata_lib.mesh.analyze.weights import kept
from kata_lib.mesh.virtual_services import ISTIO
from kata_lib.statistics.shares import percent


def test_errors_come_first() -> None:
    found = kata(*ALL)
    route(found, ("name-v1", 80), ("name-v3", 10))
    found.services[0]["spec"]["ports"][0]["name"] = "web"
    severities = [f.severity for f in analyze.findings(found)]
    assert severities == sorted(severities, key=["Error", "Warning", "Info"].index)
    assert set(severities) == {"Error", "Warning", "Info"}


@pytest.mark.parametrize(("created", "older"), [("11:59:59", True), ("12:00:00", True), ("12:00:01", False)])
def test_pods_of_the_labels_own_second_are_older_than_it(created: str, older: bool) -> None:
    """A later one would have a sidecar."""
    found = kata(*ALL)
    without_sidecar(found, created=f"2026-01-01T{created}Z")
    assert ("KATA0101" in {f.code for f in analyze.findings(found)}) is older


@pytest.mark.parametrize("value", ["disabled", "off"])
def test_a_namespace_may_do_without_sidecars_on_purpose(value: str) -> None:
    found = replace(kata("deploy/v1"), namespace=namespace(**{"istio-injection": value}))
    without_sidecar(found)
    assert analyze.findings(found) == []


def test_a_pod_without_sidecar_is_no_matter_for_who_does_not_call() -> None:
    found = kata(*ALL)
    without_sidecar(found, "age")
    assert {f.code for f in analyze.findings(found)} == {"IST0103"}


def test_a_subset_with_weight_0_needs_no_pods() -> None:
    found = kata("deploy/v1", "deploy/v2", PROMOTE)
    redeploy(found, "name-v1", lambda d: d["spec"].update(replicas=0))
    assert [f.code for f in analyze.findings(found)] == ["KATA0404"]


def test_a_sidecar_may_be_an_init_container() -> None:
    found = kata(*ALL)
    for pod in found.pods:
        sidecar = pod["spec"]["containers"].pop() | {"restartPolicy": "Always"}
        pod["spec"]["initContainers"] = [sidecar]
    assert analyze.findings(found) == []


@pytest.mark.parametrize("host", ["example.com", "name.elsewhere.svc.cluster.local", "*.example.com"])
def test_hosts_outside_of_what_was_read_are_not_judged(host: str) -> None:
    found = replace(kata(*ALL), whole_mesh=False)
    found.virtual_services[0]["spec"]["hosts"].append(host)
    extra = {"destination": {"host": host}}
    found.virtual_services[0]["spec"]["http"].insert(
        0, {"match": [{"uri": {"exact": "/"}}], "route": [extra]}
    )
    assert analyze.findings(found) == []


def test_a_host_in_another_namespace_is_judged_where_all_were_read() -> None:
    found = kata(*ALL)
    destination({"host": "name.elsewhere.svc.cluster.local"})(found)
    assert "IST0101" in {f.code for f in analyze.findings(found)}


def test_somebody_elses_namespace_is_their_own() -> None:
    found = kata(*ALL)
    for objects in (found.services, found.virtual_services):
        for theirs in copy.deepcopy(objects):
            theirs["metadata"]["namespace"] = "theirs"
            objects.append(theirs)
    assert analyze.findings(found) == []


def test_who_has_a_route_of_their_own_hears_nothing_of_others() -> None:
    found = kata(*ALL)
    theirs = copy.deepcopy(found.virtual_services[0])
    theirs["metadata"]["namespace"] = "theirs"
    found.virtual_services.append(theirs)
    assert analyze.findings(found) == []


@given(st.data())
def test_whatever_is_missing_each_finding_is_whole(data: st.DataObject) -> None:
    found = kata(*ALL)
    lists = [getattr(found, f.name) for f in fields(Objects) if f.type == list[Obj]]
    assert len(lists) == 10
    for objects in filter(None, lists):
        objects[:] = data.draw(st.lists(st.sampled_from(objects), unique_by=id))
    for finding in analyze.findings(found):
        assert all(value for name, value in vars(finding).items() if name not in ("mend", "choices")), finding
        assert finding.code in CODES


@given(st.lists(st.integers(0, 100), min_size=2, max_size=4).filter(any), st.data())
def test_weights_kept_total_100_and_give_the_newest_no_more(weights: list[int], data: st.DataObject) -> None:
    new = data.draw(st.integers(0, len(weights) - 1))
    whole = kept(weights, new)
    assert sum(whole) == 100
    assert len(whole) == len(weights)
    assert whole[new] * sum(weights) <= 100 * weights[new]
    assert sum(weights) != 100 or whole == weights


@given(st.integers(0, 100), st.integers(0, 100))
def test_weights_are_judged_by_their_total_alone(first: int, second: int) -> None:
    found = kata(*ALL)
    route(found, ("name-v1", first), ("name-v2", second))
    said = {f.code: f for f in analyze.findings(found)}
    total = first + second
    assert ("KATA0401" in said) == (total not in (0, 100))
    if "KATA0401" in said:
        shares = re.findall(r"[\d.]+ %", said["KATA0401"].message)
        assert shares == [percent(weight / total) for weight in (first, second)]
        for line in filter(None, (choice.line for choice in said["KATA0401"].choices)):
            wanted = weights.parse_weights(line.split()[2:])
            assert sum(weights.complete_weights(wanted, ["name-v1", "name-v2"]).values()) == 100
            assert wanted["name-v2"] <= 100 * second / total


@given(st.integers(1, 6), st.integers(1, 6))
def test_the_pods_own_shares_are_recognised_whatever_their_number(v1: int, v2: int) -> None:
    found = kata(*ALL)
    redeploy(found, "name-v1", lambda d: d["spec"].update(replicas=v1))
    redeploy(found, "name-v2", lambda d: d["spec"].update(replicas=v2))
    share = round(100 * v2 / (v1 + v2))
    for weight, same in ((share, True), ((share + 20) % 100 or 1, False)):
        route(found, ("name-v1", 100 - weight), ("name-v2", weight))
        assert ("KATA0402" in {f.code for f in analyze.findings(found)}) == same


@given(st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), max_size=8))
def test_a_ports_protocol_is_its_first_word(suffix: str) -> None:
    assert protocol({"port": 5000, "name": f"http-{suffix}"}) == "http"
    assert protocol({"port": 5000, "name": suffix, "appProtocol": "http"}) == "http"
    assert protocol({"port": 5000, "name": f"x{suffix}", "protocol": "UDP"}) == "udp"
    assert protocol({"port": 5000, "name": f"x{suffix}"}) is None
    assert protocol({"port": 5000}) is None


TCP = {"name": "tcp-x", "port": 5000, "targetPort": 5000}


@pytest.mark.parametrize(
    ("ports", "found"),
    [
        ([TCP], True),
        ([{**TCP, "name": "http", "appProtocol": "tcp"}], True),
        ([{**TCP, "name": "web", "port": 3306}], True),
        ([{**TCP, "appProtocol": "http"}], False),
        ([{**TCP, "name": "grpc"}], False),
        ([{**TCP, "name": "web"}], False),
        ([{**TCP, "name": ""}], False),
        ([TCP, {**TCP, "name": "http", "port": 5001}], False),
    ],
)
def test_http_rules_have_no_effect_where_no_port_is_http(ports: list[Obj], found: bool) -> None:
    objects = kata(*ALL)
    objects.services[1]["spec"]["ports"] = ports
    codes = {f.code for f in analyze.findings(objects)}
    assert ("KATA0105" in codes) is found


@pytest.mark.parametrize(
    ("policy", "place"),
    [
        ({"connectionPool": {"http": {"maxRetries": 1}}}, "connectionPool.http"),
        ({"loadBalancer": {"consistentHash": {"httpHeaderName": "x"}}}, "loadBalancer.consistentHash"),
        ({"loadBalancer": {"consistentHash": {"useSourceIp": True}}}, None),
        ({"connectionPool": {"tcp": {"maxConnections": 1}}}, None),
    ],
)
def test_of_a_traffic_policy_only_what_is_about_requests_has_no_effect(
    policy: Obj, place: str | None
) -> None:
    objects = kata(*ALL)
    objects.services[1]["spec"]["ports"] = [TCP]
    objects.destination_rules[0]["spec"]["trafficPolicy"] = policy
    seen = [f.seen for f in analyze.findings(objects) if f.code == "KATA0105" and "Rule" in f.object]
    assert seen == ([f"spec.trafficPolicy.{place}; Service name, spec.ports[0].name: tcp-x"] if place else [])


def test_an_analysis_is_text_json_and_html() -> None:
    found = kata(*ALL)
    spec(found)["hosts"] = ["<b>"]
    analysis = Analysis("default", tuple(analyze.findings(found)))
    assert analysis.errors == 1
    first, seen, mend = repr(analysis).splitlines()
    assert first.startswith(
        "Error [KATA0201] (VirtualService default/name) The VirtualService name is for <b>"
    )
    assert seen == "  Seen: spec.hosts[0]"
    assert mend.startswith("  Mend: kubectl patch virtualservice name -n default --type=json")
    assert "&lt;b&gt;" in analysis._repr_html_()
    keys = {"code", "name", "level", "origin", "message", "seen", "mend", "choices"}
    assert set(json.loads(analysis.as_json())[0]) == keys
    clean = "✔ No validation issues found when analyzing namespace: default."
    assert repr(Analysis("default", ())) == Analysis("default", ())._repr_html_() == clean


def test_a_cluster_is_read_whole_or_where_that_is_forbidden_in_part(start_api: StartApi) -> None:
    api = start_api(*ALL)
    cluster = api.cluster()
    assert analyze.read(cluster).whole_mesh
    lab = Lab(select(APPLICATION, "embedded"), cluster)
    assert analyze.namespace(cluster) == lab.analyze() == Analysis("default", ())
    cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"hosts": ["names"]}})

    def forbid(method: str, path: str) -> None:
        if path.count("/") > 3 and "/namespaces/" not in path:
            raise StatusError(403, "Forbidden", "services is forbidden")

    api.before = forbid
    assert not analyze.read(cluster).whole_mesh
    assert [f.code for f in analyze.namespace(cluster).findings] == ["KATA0201"]
