"""What kata_lib.mesh.in_force reads of what istiod made (tests/reference/istio), and of a real dump."""

import json
from pathlib import Path
from typing import Any

import pytest

from kata_lib.cluster.client import Obj
from kata_lib.mesh import in_force, proxy_config
from kata_lib.mesh.in_force import InForce
from kata_lib.mesh.matches import Request

REFERENCE = Path(__file__).parents[1] / "reference"
SUFFIX = "default.svc.cluster.local"


def service(name: str = "name", **spec: Any) -> Obj:
    return {
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 5000}], "clusterIP": "10.96.0.7", **spec},
    }


def pod(deployment: str, *, ready: bool = True) -> Obj:
    """Return the one pod of a Deployment such as name-v2, whose address is the Deployment's name."""
    app, _, version = deployment.partition("-")
    return {
        "metadata": {"name": f"{deployment}-0", "labels": {"app": app, "version": version}},
        "status": {"podIP": deployment, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


PODS = [pod("name-v1"), pod("name-v2"), pod("name-v3")]


def dump(*, routes: list[Obj], clusters: list[Obj], endpoints: list[Obj]) -> Obj:
    sections = {
        "Routes": {"dynamic_route_configs": [{"route_config": one} for one in routes]},
        "Clusters": {"dynamic_active_clusters": [{"cluster": one} for one in clusters]},
        "Endpoints": {"dynamic_endpoint_configs": [{"endpoint_config": one} for one in endpoints]},
    }
    return {"configs": [{"@type": f"envoy.admin.v3.{kind}ConfigDump", **s} for kind, s in sections.items()]}


def endpoints(cluster: str, addresses: list[str]) -> Obj:
    places = [{"socket_address": {"address": address, "port_value": 5000}} for address in addresses]
    return {
        "cluster_name": cluster,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": place}} for place in places]}],
    }


def addresses(found: Obj, cluster: str) -> list[str]:
    """Return the addresses of a cluster's endpoints in a dump."""
    assignments = proxy_config.select(found, "endpoints")
    (assignment,) = (one for one in assignments if one["cluster_name"] == cluster)
    return [
        endpoint["endpoint"]["address"]["socket_address"]["address"]
        for locality in assignment["endpoints"]
        for endpoint in locality["lb_endpoints"]
    ]


def recorded(case: str, table: str = "5000") -> Obj:
    """Return what istiod made of a case as the dump of a sidecar that got it."""
    found = json.loads((REFERENCE / "istio" / "expected" / f"{case}.json").read_text())
    hosts = [{"name": name, **host} for name, host in found["routes"].items()]
    return dump(
        routes=[{"name": table, "virtual_hosts": hosts, "ignore_port_in_host_matching": True}],
        clusters=[{"name": name} for name in found["clusters"]],
        endpoints=[endpoints(name, cluster["endpoints"]) for name, cluster in found["clusters"].items()],
    )


def read(found: Obj, asked: Obj | None = None) -> InForce:
    return in_force.from_dump(found, asked or service(), PODS, caller="sentences-0", namespace="default")


def third() -> dict[str, Any]:
    return {version: pytest.approx(1 / 3) for version in ("v1", "v2", "v3")}


@pytest.mark.parametrize(
    ("case", "versions", "answered"),
    [
        ("plain", third(), {}),
        ("no-virtual-service", third(), {}),
        ("no-subset", third(), {}),
        ("gateway-only", third(), {}),
        ("canary-90-10", {"v1": 0.9, "v2": 0.1}, {}),
        ("weights-1-3", {"v1": 0.25, "v2": 0.75}, {}),
        ("promote-100-0", {"v2": 1.0}, {}),
        ("single-subset-no-weight", {"v1": 1.0}, {}),
        ("header-exact", {"v1": 1.0}, {}),
        ("without-headers", {"v2": 1.0}, {}),
        ("query-and-method", {"v1": 1.0}, {}),
        ("uri-exact-prefix-regex", {"v1": 1.0}, {}),
        ("port-match", {"v2": 1.0}, {}),
        ("port-match-miss", {"v1": 1.0}, {}),
        ("source-labels-hit", {"v2": 1.0}, {}),
        ("source-labels-miss", {"v1": 1.0}, {}),
        ("delegate", {"v1": 1.0}, {}),
        ("two-virtual-services", {"v1": 1.0}, {}),
        ("catch-all-then-more", {"v1": 1.0}, {}),
        ("mirror", {"v1": 1.0}, {}),
        ("subset-not-in-rule", {"v1": 0.5}, {503: 0.5}),
        ("destination-rule-missing", {}, {503: 1.0}),
        ("destination-unknown-service", {}, {503: 1.0}),
        ("fault-abort", {"v1": pytest.approx(0.7875), "v2": pytest.approx(0.0875)}, {503: 0.125}),
    ],
)
def test_what_istiod_makes_of_a_configuration(
    case: str, versions: dict[str, float], answered: dict[int, float]
) -> None:
    outcome = read(recorded(case)).outcome()
    assert (outcome.versions, outcome.answered) == (versions, answered)


@pytest.mark.parametrize(
    ("case", "request_", "version", "said"),
    [
        ("header-exact", Request(headers={"x-test": "use-v2"}), "v2", "header x-test is use-v2"),
        ("header-prefix", Request(headers={"x-test": "user"}), "v2", "header x-test begins with use"),
        ("header-regex", Request(headers={"x-test": "use-v3"}), "v2", "header x-test fits use-v[23]"),
        ("header-present", Request(headers={"x-test": ""}), "v2", "header x-test is there"),
        ("without-headers", Request(headers={"x-old": "1"}), "v1", "every request"),
        ("uri-exact-prefix-regex", Request("/c/12"), "v2", "path fits /c/[0-9]+"),
        ("uri-exact-prefix-regex", Request("/a"), "v2", "path is /a"),
        ("uri-exact-prefix-regex", Request("/a/"), "v1", "every request"),
        ("delegate", Request("/d/x"), "v2", "path begins with /d"),
        ("query-and-method", Request(query={"v": "2"}), "v2", "method is GET and query v is 2"),
        ("query-and-method", Request(query={"v": "2"}, method="PUT"), "v1", "every request"),
    ],
)
def test_a_request_that_another_route_takes(case: str, request_: Request, version: str, said: str) -> None:
    found = read(recorded(case))
    assert found.outcome(request_).versions == {version: 1.0}
    assert str(found.route(request_)) == said


@pytest.mark.parametrize(
    ("case", "path", "status"), [("redirect", "/old", 302), ("direct-response", "/ping", 200)]
)
def test_what_the_sidecar_answers_itself(case: str, path: str, status: int) -> None:
    assert read(recorded(case)).outcome(Request(path)).answered == {status: 1.0}


def test_another_service_is_left_alone() -> None:
    found = recorded("hosts-two")
    assert read(found).shares == {"name-v1": 0.6, "name-v2": 0.4}
    assert read(found, service("age")).shares == {"name-v1": 0.6, "name-v2": 0.4}
    assert read(recorded("canary-90-10"), service("age")).shares == {"age": 1.0}


def test_a_port_whose_protocol_is_told_by_its_first_bytes_has_a_table_of_its_own() -> None:
    assert read(recorded("canary-90-10", f"name.{SUFFIX}:5000")).versions == {"v1": 0.9, "v2": 0.1}


def test_every_subset_is_known_whether_or_not_requests_go_there() -> None:
    found = read(recorded("promote-100-0"))
    assert {name: [pod.name for pod in pods] for name, pods in found.subsets().items()} == {
        "name-v1": ["name-v1-0"],
        "name-v2": ["name-v2-0"],
    }


def matched(match: Obj, *, cluster: str = f"outbound|5000||name.{SUFFIX}", **action: Any) -> Obj:
    return {"match": match, "route": {"cluster": cluster, **action}}


def of_routes(*routes: Obj, domains: tuple[str, ...] = ("name",), known: list[str] | None = None) -> InForce:
    """Return what is in force with these routes; known: the pods of the service that its cluster has."""
    cluster = f"outbound|5000||name.{SUFFIX}"
    hosts = [{"name": "name", "domains": list(domains), "routes": list(routes)}]
    addresses = ["name-v1"] if known is None else known
    return read(
        dump(
            routes=[{"name": "5000", "virtual_hosts": hosts, "ignore_port_in_host_matching": True}],
            clusters=[{"name": cluster}, {"name": "PassthroughCluster", "type": "ORIGINAL_DST"}],
            endpoints=[endpoints(cluster, addresses)],
        )
    )


def test_without_the_header_nobody_has_a_route() -> None:
    header = {"prefix": "/", "headers": [{"name": "x-tester", "string_match": {"exact": "yes"}}]}
    found = of_routes(matched(header))
    assert found.route() is None
    assert (found.shares, found.outcome().answered) == ({}, {404: 1.0})
    assert str(found) == (
        "Requests to name: status 404 100.0 %, as the sidecar of sentences-0 has it.\n"
        "  if header x-tester is yes: v1 100.0 %"
    )


def test_a_backend_of_an_http_route_that_is_not_there_answers_500() -> None:
    missing = matched(
        {"prefix": "/"},
        cluster=f"outbound|5000||gone.{SUFFIX}",
        cluster_not_found_response_code="INTERNAL_SERVER_ERROR",
    )
    assert of_routes(missing).outcome().answered == {500: 1.0}


def test_no_pod_is_no_share() -> None:
    found = of_routes(matched({"prefix": "/"}), known=[])
    assert (found.versions, found.outcome().answered) == ({}, {503: 1.0})


def test_a_request_that_no_service_is_known_for_is_passed_through_to_the_pods() -> None:
    found = of_routes(matched({"prefix": "/"}, cluster="PassthroughCluster"), domains=("*",))
    assert found.versions == third()


def test_envoys_order_of_domains() -> None:
    def table(*domains: str) -> Obj:
        hosts = [
            {"name": d, "domains": [d], "routes": [{"direct_response": {"status": 200}}]} for d in domains
        ]
        return dump(routes=[{"name": "5000", "virtual_hosts": hosts}], clusters=[], endpoints=[])

    def chosen(*domains: str) -> bool:
        return read(table(*domains)).http

    assert chosen("name:5000")
    assert chosen("*")
    assert chosen("*:5000")
    assert chosen("name*")
    assert not chosen("name", "names:5000")


@pytest.mark.parametrize(
    ("recording", "http", "versions", "said"),
    [
        ("port-unnamed", True, {"v1": 0.9, "v2": 0.1}, "sentences-0 has it."),
        (
            "port-tcp",
            False,
            {"v1": 0.2, "v2": 0.8},
            "sentences-0 has it, connection by connection: the port is not HTTP.",
        ),
    ],
)
def test_ports_whose_names_do_not_say_http(
    recording: str, http: bool, versions: dict[str, float], said: str
) -> None:
    found = json.loads((REFERENCE / "envoy" / f"{recording}.json").read_text())
    listeners = [listener["name"].rpartition("_")[0] for listener in proxy_config.select(found, "listeners")]
    (address,) = set(listeners) - {"0.0.0.0"}
    read_ = read(found, service(clusterIP=address))
    assert (read_.http, read_.versions) == (http, versions)
    assert str(read_).endswith(said)
    assert [len(pods) for pods in read_.subsets().values()] == [2, 1]


@pytest.mark.parametrize(
    ("ill", "threshold", "used", "versions"),
    [
        ([], None, ["name-v1-0", "name-v2-0"], {"v1": 0.5, "v2": 0.5}),
        (["name-v2"], None, ["name-v1-0"], {"v1": 1.0}),
        (["name-v2"], {"value": 60}, ["name-v1-0", "name-v2-0"], {"v1": 0.5, "v2": 0.5}),
        (["name-v1", "name-v2"], None, ["name-v3-0"], {"v3": 1.0}),
        (["name-v1", "name-v2", "name-v3"], None, ["name-v1-0", "name-v2-0"], {"v1": 0.5, "v2": 0.5}),
        (["name-v1", "name-v2", "name-v3"], {}, [], {}),
    ],
)
def test_endpoints_that_are_ill_and_those_in_reserve(
    ill: list[str], threshold: Any, used: list[str], versions: dict[str, float]
) -> None:
    cluster = f"outbound|5000||name.{SUFFIX}"
    here = endpoints(cluster, ["name-v1", "name-v2"])
    reserve = endpoints(cluster, ["name-v3"])["endpoints"][0]
    here["endpoints"].append({**reserve, "priority": 1})
    for place in here["endpoints"]:
        for endpoint in place["lb_endpoints"]:
            if endpoint["endpoint"]["address"]["socket_address"]["address"] in ill:
                endpoint["health_status"] = "UNHEALTHY"
    settings = {} if threshold is None else {"common_lb_config": {"healthy_panic_threshold": threshold}}
    hosts = [{"name": "name", "domains": ["name:5000"], "routes": [matched({"prefix": "/"})]}]
    found = dump(
        routes=[{"name": "http_proxy", "virtual_hosts": hosts}],
        clusters=[{"name": cluster, **settings}],
        endpoints=[here],
    )
    (destination,) = read(found).routes[0].destinations
    assert [pod.name for pod in destination.pods if pod.ready] == used
    assert destination.versions == versions
    assert destination.status == (None if used else 503)


def test_without_a_sidecar_the_services_ready_pods_get_the_requests() -> None:
    pods = [*PODS, pod("name-v4", ready=False), pod("age-x")]
    found = in_force.from_pods(service(), pods)
    assert found.caller is None
    assert found.versions == third()
    assert str(found).endswith("connection by connection, over its ready pods: no caller has a sidecar.")
    assert in_force.from_pods(service(), []).outcome().answered == {503: 1.0}


def test_a_real_sidecars_dump() -> None:
    found = json.loads((REFERENCE / "envoy" / "config_dump.json").read_text())
    read_ = in_force.from_dump(found, service(), [], caller="sentences-0", namespace="default")
    assert str(read_) == "Requests to name: v1 90.0 %, v2 10.0 %, as the sidecar of sentences-0 has it."
    known = [pod.name for pods in read_.subsets().values() for pod in pods]
    assert len(known) == 3
    assert set(known) == {f"{address}:5000" for address in addresses(found, f"outbound|5000||name.{SUFFIX}")}
