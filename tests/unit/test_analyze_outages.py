"""kata_lib.mesh.analyze on the product's API: which requests no pod answers, who does, why, and the mend."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from api_server import Api, StartApi

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import service
from kata_lib.mesh.analyze import Finding
from kata_lib.mesh.virtual_services import ISTIO

V1, V2, CANARY = "deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml"
VERSIONS = {"Service": "v1", "Deployment": "apps/v1"}
Damage = Callable[[Cluster], object]


def patched(kind: str, name: str, body: Obj) -> Damage:
    return lambda c: c.patch(VERSIONS.get(kind, ISTIO), kind, name, {"spec": body})


def ruled(**rule: Any) -> Damage:
    return patched("VirtualService", "name", {"http": [rule]})


def to(**weights: int) -> list[Obj]:
    return [
        {"destination": {"host": "name", "subset": f"name-{version}"}, "weight": weight}
        for version, weight in weights.items()
    ]


CANARIES = to(v1=90, v2=10)
HEADER = [{"headers": {"x-canary": {"exact": "yes"}}}]
PORT = {"name": "http", "port": 5000, "targetPort": 8080}
SWAPPED = [
    {"name": "name-v1", "labels": {"version": "v2"}},
    {"name": "name-v2", "labels": {"version": "v1"}},
]
HASHED = {"trafficPolicy": {"loadBalancer": {"consistentHash": {"httpHeaderName": "user"}}}}
FAULT = {"abort": {"httpStatus": 503, "percentage": {"value": 25}}}

OUTAGES: dict[str, tuple[Damage, str, str, str]] = {
    "only a header match": (
        ruled(match=HEADER, route=CANARIES),
        "KATA0501",
        r"100\.0 % of the plain requests to name get 404 .*NR.*only those with: header x-canary is yes",
        r'"/spec/http/-".*"name-v1"',
    ),
    "a subset that nobody defines": (
        ruled(route=[*to(v1=90), {"destination": {"host": "name", "subset": "nam-v2"}, "weight": 10}]),
        "KATA0502",
        r'^10\.0 % of the requests to name get 503 from the sidecar of sentences.*not found: "name\+nam-v2"',
        r"subset.*name-v2",
    ),
    "a host that is not there": (
        ruled(route=[{"destination": {"host": "nmae"}}]),
        "KATA0502",
        r'^100\.0 % of the requests to name get 503.*not found: "nmae"',
        r'route/0/destination/host","value":"name"',
    ),
    "no Service": (
        lambda c: c.remove("v1", "Service", "age"),
        "KATA0502",
        "There is no Service age in namespace default: every request to it from sentences fails",
        "kubectl apply -n default -f deploy/v1/age.yaml",
    ),
    "another port": (
        patched("Service", "age", {"ports": [{"name": "http", "port": 80, "targetPort": 5000}]}),
        "KATA0502",
        "The Service age has no port 5000, at which sentences asks it",
        r'"/spec/ports/0/port","value":5000',
    ),
    "a selector of nobody": (
        patched("Service", "name", {"selector": {"app": "names"}}),
        "KATA0502",
        r"^100\.0 % of the requests to name get 503 .*: The Service name selects no pod",
        r'"/spec/selector","value":\{"app":"name"\}',
    ),
    "a subset without pods": (
        lambda c: c.scale("name-v2", 0),
        "KATA0502",
        r"^10\.0 % of the requests to name get 503 .*: The Subset name-v2 .*does not select any pods",
        "kubectl scale deployment name-v2 --replicas=1",
    ),
    "the wrong port of the pods": (
        patched("Service", "name", {"ports": [PORT]}),
        "KATA0503",
        r"^100\.0 % of the requests to name get 503 \(flag UF\).* at port 8080.*refuse the connection",
        r'targetPort","value":5000',
    ),
    "a fault on purpose": (
        ruled(fault=FAULT, route=CANARIES),
        "KATA0504",
        r"^25\.0 % of the requests to name get 503 .*because a rule says so",
        r'"remove","path":"/spec/http/0/fault"',
    ),
}
WARNINGS: dict[str, tuple[Damage, str, str, str]] = {
    "a port that no container declares": (
        patched("Service", "name", {"ports": [PORT]}),
        "KATA0104",
        "sends to port 8080 of its pods, and their containers open 5000",
        "targetPort",
    ),
    "swapped labels": (
        patched("DestinationRule", "name", {"subsets": SWAPPED}),
        "KATA0305",
        r"name-v1 selects v2, name-v2 selects v1",
        r"/spec/subsets/0/labels/version.*v1.*/spec/subsets/1/labels/version.*v2",
    ),
    "a hash under weights": (
        patched("DestinationRule", "name", HASHED),
        "KATA0405",
        "the weights draw the version for each request anew",
        '"remove","path":"/spec/trafficPolicy/loadBalancer"',
    ),
    "retries over versions": (
        ruled(retries={"attempts": 5, "retryOn": "5xx"}, route=CANARIES),
        "KATA0406",
        "tried again, up to 5 times.*callers see fewer failures",
        '"/spec/http/0/retries","value":{"attempts":0}',
    ),
}


@pytest.fixture
def cluster(start_api: StartApi) -> Cluster:
    return start_api(V1, V2, CANARY).cluster()


def found(cluster: Cluster, code: str) -> Finding:
    return next(f for f in service.analysis(cluster).findings if f.code == code)


@pytest.mark.parametrize("case", OUTAGES)
def test_requests_that_no_pod_answers_are_an_error(cluster: Cluster, case: str) -> None:
    damage, code, message, mend = OUTAGES[case]
    assert service.analysis(cluster).findings == ()
    damage(cluster)
    said = found(cluster, code)
    assert said.severity == "Error"
    assert re.search(message, said.message)
    assert any(re.search(mend, line) for line in (said.mend, *(choice.line for choice in said.choices)))


@pytest.mark.parametrize("case", WARNINGS)
def test_what_hides_or_threatens_is_a_warning(cluster: Cluster, case: str) -> None:
    damage, code, message, mend = WARNINGS[case]
    damage(cluster)
    said = found(cluster, code)
    assert said.severity == "Warning"
    assert re.search(message, said.message)
    assert re.search(re.escape(mend) if "{" in mend else mend, said.mend)


def test_swapped_labels_whose_mend_gives_the_newest_more_have_no_line(cluster: Cluster) -> None:
    ruled(route=to(v1=10, v2=90))(cluster)
    patched("DestinationRule", "name", {"subsets": SWAPPED})(cluster)
    said = found(cluster, "KATA0305")
    assert said.mend == ""
    assert [choice.line for choice in said.choices] == [""]
    assert "v1 10.0 %, v2 90.0 %, now v2 10.0 %, v1 90.0 %" in said.choices[0].effect


def test_a_version_alone_behind_retries_hides_nothing(cluster: Cluster) -> None:
    ruled(retries={"attempts": 5, "retryOn": "5xx"}, route=to(v1=100))(cluster)
    assert "KATA0406" not in {f.code for f in service.analysis(cluster).findings}
    ruled(retries={"attempts": 5, "retryOn": "connect-failure"}, route=CANARIES)(cluster)
    assert service.analysis(cluster).findings == ()


def test_weights_that_do_not_add_up_are_a_persons_to_choose(api: Api) -> None:
    cluster = api.cluster()
    for path in (V1, V2, CANARY):
        cluster.apply(path)
    ruled(route=to(v1=90, v2=90))(cluster)
    said = found(cluster, "KATA0401")
    assert said.mend == ""
    assert [choice.line for choice in said.choices] == [
        "kata weights name-v1=90 name-v2=10",
        "",
        "kata weights name-v1=50 name-v2=50",
    ]
    assert "more for the newest" in said.choices[1].effect
