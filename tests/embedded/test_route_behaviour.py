"""Every kind of route, asked through a real sidecar: what a request meets, not what is configured."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from embedded.mesh_harness import LIMIT, Client, Mesh, rule, running_mesh, service
from kata_lib.engines.embedded.mesh.admission import refuse

pytestmark = pytest.mark.asyncio(loop_scope="module")

Obj = dict[str, Any]


class Lab:
    """One sidecar of `sentences`, and what is in force for `name`, whose backends answer v1, v2 and v3."""

    def __init__(self, mesh: Mesh, client: Client) -> None:
        self.mesh = mesh
        self.client = client
        self.backends = mesh.backends
        self.ask = client.ask

    async def apply(self, *rules: Obj, policy: Obj | None = None, hosts: tuple[str, ...] = ("name",)) -> None:
        """Put a VirtualService and a DestinationRule in force, as admission would let them through."""
        destination_rule = rule("v1", "v2", "v3")
        destination_rule["spec"]["subsets"].append({"name": "name-v9", "labels": {"version": "v9"}})
        if policy:
            destination_rule["spec"]["trafficPolicy"] = policy
        self.put("destinationrules", destination_rule)
        spec = {"hosts": list(hosts), "http": list(rules)}
        self.put("virtualservices", {"metadata": {"name": "name"}, "spec": spec})
        await self.mesh.pilot.settled(LIMIT)

    def put(self, resource: str, obj: Obj) -> None:
        refuse(resource, obj, "CREATE")
        self.mesh.registry.put(resource, obj)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncIterator[Lab]:
    async with running_mesh() as mesh:
        mesh.registry.put("services", service("age", f"{mesh.addresses.prefix}.201"))
        yield Lab(mesh, await mesh.sidecar())


@pytest.fixture
def lab(running: Lab) -> Lab:
    """The module's sidecar, with applications that are well and have been asked nothing yet."""
    for backend in running.backends.values():
        backend.asked.clear()
        backend.arrived.clear()
        backend.answers.set()
        backend.failures, backend.failing = 0, False
    return running


def destination(version: str, **more: Any) -> Obj:
    return {"destination": {"host": "name", "subset": f"name-{version}"}, **more}


def to(version: str, **more: Any) -> Obj:
    return {"route": [destination(version)], **more}


ALL_PODS: Obj = {"route": [{"destination": {"host": "name"}}], "retries": {"attempts": 0}}


@pytest.mark.parametrize(
    ("condition", "hit", "miss"),
    [
        ({"headers": {"x": {"exact": "a"}}}, {"headers": {"x": "a"}}, {"headers": {"x": "ab"}}),
        ({"headers": {"x": {"prefix": "a"}}}, {"headers": {"x": "ab"}}, {"headers": {"x": "ba"}}),
        ({"headers": {"x": {"regex": "a+"}}}, {"headers": {"x": "aaa"}}, {"headers": {"x": "aab"}}),
        ({"headers": {"x": {}}}, {"headers": {"x": "any"}}, {}),
        ({"withoutHeaders": {"x": {"exact": "a"}}}, {"headers": {"x": "b"}}, {"headers": {"x": "a"}}),
        ({"withoutHeaders": {"x": {}}}, {}, {"headers": {"x": "any"}}),
        ({"uri": {"exact": "/a"}}, {"path": "/a?q"}, {"path": "/ab"}),
        ({"uri": {"prefix": "/a"}}, {"path": "/ab"}, {"path": "/A"}),
        ({"uri": {"prefix": "/a"}, "ignoreUriCase": True}, {"path": "/AB"}, {"path": "/b"}),
        ({"uri": {"regex": "/a[0-9]+"}}, {"path": "/a12?q"}, {"path": "/a12b"}),
        ({"queryParams": {"q": {"exact": "1"}}}, {"path": "/?q=1"}, {"path": "/?q=12"}),
        ({"queryParams": {"q": {"regex": "1+"}}}, {"path": "/?q=11"}, {"path": "/"}),
        ({"method": {"exact": "POST"}}, {"method": "POST"}, {"method": "GET"}),
        ({"authority": {"prefix": "name.default"}}, {"host": "name.default:5000"}, {"host": "name:5000"}),
        (
            {"uri": {"prefix": "/a"}, "method": {"exact": "PUT"}},
            {"path": "/a", "method": "PUT"},
            {"path": "/a"},
        ),
    ],
    ids=str,
)
async def test_match_takes_what_it_names_and_nothing_else(
    lab: Lab, condition: Obj, hit: Obj, miss: Obj
) -> None:
    await lab.apply(to("v2", match=[condition]), to("v1"))
    assert (await lab.ask(**hit)).body == "v2"
    assert (await lab.ask(**miss)).body == "v1"


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ({"port": 5000}, "v2"),
        ({"port": 80}, "v1"),
        ({"sourceLabels": {"app": "sentences"}}, "v2"),
        ({"sourceLabels": {"app": "age"}}, "v1"),
        ({"sourceNamespace": "default"}, "v2"),
        ({"sourceNamespace": "other"}, "v1"),
        ({"gateways": ["mesh"]}, "v2"),
        ({"gateways": ["outside"]}, "v1"),
    ],
    ids=str,
)
async def test_match_on_what_is_known_beforehand(lab: Lab, condition: Obj, answer: str) -> None:
    await lab.apply(to("v2", match=[condition]), to("v1"))
    assert (await lab.ask()).body == answer


async def test_weights_are_relative(lab: Lab) -> None:
    """With n = 400 and p = 1/4, six standard deviations are 52: a false alarm in 1e-8 of the runs."""
    await lab.apply({"route": [destination("v1", weight=3), destination("v2", weight=1)]})
    versions = Counter([(await lab.ask()).body for _ in range(400)])
    assert versions.keys() == {"v1", "v2"}
    assert abs(versions["v2"] - 100) <= 52


async def test_timeout_answers_504(lab: Lab) -> None:
    lab.backends["v1"].answers.clear()
    await lab.apply(to("v1", timeout="100ms"))
    assert (await lab.ask()).status == 504


async def test_timeout_of_one_try_lets_the_next_succeed(lab: Lab) -> None:
    slow = lab.backends["v1"]
    slow.answers.clear()
    retries = {"attempts": 2, "perTryTimeout": "100ms", "retryOn": "gateway-error"}
    await lab.apply({**ALL_PODS, "retries": retries}, policy={"loadBalancer": {"simple": "ROUND_ROBIN"}})
    answers = [await lab.ask() for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert slow.asked


async def test_retry_hides_one_failure(lab: Lab) -> None:
    flaky = lab.backends["v1"]
    flaky.failures = 1
    await lab.apply(to("v1", retries={"attempts": 1, "retryOn": "5xx"}))
    assert (await lab.ask()).status == 200
    assert len(flaky.asked) == 2


async def test_no_retries_show_the_failure(lab: Lab) -> None:
    lab.backends["v1"].failures = 1
    await lab.apply(to("v1", retries={"attempts": 0}))
    assert (await lab.ask()).status == 503
    assert len(lab.backends["v1"].asked) == 1


async def test_fault_delays(lab: Lab) -> None:
    await lab.apply(to("v1", fault={"delay": {"fixedDelay": "200ms", "percentage": {"value": 100}}}))
    started = time.perf_counter()
    assert (await lab.ask()).status == 200
    assert time.perf_counter() - started >= 0.195  # Envoy's timers count from a clock read once a turn


async def test_fault_aborts_a_share(lab: Lab) -> None:
    """With n = 400 and p = 1/2, six standard deviations are 60: a false alarm in 1e-8 of the runs."""
    await lab.apply(to("v1", fault={"abort": {"httpStatus": 418, "percentage": {"value": 50}}}))
    statuses = Counter([(await lab.ask()).status for _ in range(400)])
    assert statuses.keys() == {200, 418}
    assert abs(statuses[418] - 200) <= 60


@pytest.mark.parametrize(
    "mirror",
    [
        {"mirror": {"host": "name", "subset": "name-v3"}},
        {"mirrors": [{"destination": {"host": "name", "subset": "name-v3"}}]},
    ],
    ids=["mirror", "mirrors"],
)
async def test_mirror_receives_its_copy(lab: Lab, mirror: Obj) -> None:
    await lab.apply(to("v1", **mirror))
    assert (await lab.ask("/copied")).body == "v1"
    await asyncio.wait_for(lab.backends["v3"].arrived.wait(), LIMIT)
    assert [request.path for request in lab.backends["v3"].asked] == ["/copied"]


@pytest.mark.parametrize(
    ("match", "rewrite", "seen"),
    [
        ({"uri": {"prefix": "/a/"}}, {"uri": "/b/"}, "/b/c?q=1"),
        ({"uri": {"exact": "/a/c"}}, {"uri": "/b"}, "/b?q=1"),
        ({"uri": {"regex": "/a/.*"}}, {"uri": "/b"}, "/b?q=1"),
        ({}, {"uriRegexRewrite": {"match": "^/a/(.*)$", "rewrite": r"/b/\1/d"}}, "/b/c/d?q=1"),
    ],
    ids=str,
)
async def test_rewrite_of_the_path(lab: Lab, match: Obj, rewrite: Obj, seen: str) -> None:
    await lab.apply(to("v1", match=[match], rewrite=rewrite))
    await lab.ask("/a/c?q=1")
    assert lab.backends["v1"].asked[0].path == seen


async def test_rewrite_of_the_authority(lab: Lab) -> None:
    await lab.apply(to("v1", rewrite={"authority": "other.example.com"}))
    await lab.ask()
    assert lab.backends["v1"].asked[0].headers["host"] == "other.example.com"


async def test_redirect(lab: Lab) -> None:
    redirect = {"uri": "/new", "authority": "other.example.com", "scheme": "https", "redirectCode": 308}
    await lab.apply({"redirect": redirect})
    answer = await lab.ask()
    assert (answer.status, answer.headers["location"]) == (308, "https://other.example.com/new")


@pytest.mark.parametrize("body", ["by the proxy itself", "x" * 10_000], ids=len)
async def test_direct_response(lab: Lab, body: str) -> None:
    await lab.apply({"directResponse": {"status": 418, "body": {"string": body}}})
    answer = await lab.ask()
    assert (answer.status, answer.body) == (418, body)
    assert not any(backend.asked for backend in lab.backends.values())


HEADERS = {
    "request": {"set": {"x-set": "new"}, "add": {"x-add": "more"}, "remove": ["x-gone"]},
    "response": {"set": {"x-set": "new"}, "add": {"x-add": "more"}, "remove": ["x-backend"]},
}


@pytest.mark.parametrize(
    "changed",
    [to("v1", headers=HEADERS), {"route": [destination("v1", headers=HEADERS)]}],
    ids=["rule", "route"],
)
async def test_headers_are_set_added_and_removed(lab: Lab, changed: Obj) -> None:
    await lab.apply(changed)
    answer = await lab.ask(headers={"x-set": "old", "x-add": "some", "x-gone": "here"})
    request = lab.backends["v1"].asked[0].headers
    assert (request["x-set"], request["x-add"], "x-gone" in request) == ("new", "some,more", False)
    assert (answer.headers["x-set"], answer.headers["x-add"]) == ("new", "more")
    assert "x-backend" not in answer.headers


async def test_cors_preflight_is_answered_by_the_proxy(lab: Lab) -> None:
    cors = {"allowOrigins": [{"exact": "http://here"}], "allowMethods": ["GET", "PUT"], "maxAge": "24h"}
    await lab.apply(to("v1", corsPolicy=cors))
    preflight = {"origin": "http://here", "access-control-request-method": "PUT"}
    answer = await lab.ask(method="OPTIONS", headers=preflight)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "http://here"
    assert answer.headers["access-control-allow-methods"] == "GET,PUT"
    assert answer.headers["access-control-max-age"] == "86400"
    assert lab.backends["v1"].asked == []
    other = await lab.ask(method="OPTIONS", headers={**preflight, "origin": "http://there"})
    assert "access-control-allow-origin" not in other.headers


async def test_delegate_speaks_for_a_part(lab: Lab) -> None:
    lab.put("virtualservices", {"metadata": {"name": "inner"}, "spec": {"http": [to("v2")]}})
    await lab.apply({"match": [{"uri": {"prefix": "/d"}}], "delegate": {"name": "inner"}}, to("v1"))
    assert (await lab.ask("/d/x")).body == "v2"
    assert (await lab.ask("/x")).body == "v1"
    lab.mesh.registry.delete("virtualservices", "inner")


async def test_several_hosts_share_their_routes(lab: Lab) -> None:
    await lab.apply(to("v2"), hosts=("name", "age"))
    assert [(await lab.ask(host=host)).body for host in ("name:5000", "age:5000")] == ["v2", "v2"]


async def test_hash_by_header_is_sticky(lab: Lab) -> None:
    """That 30 users all hash to one of three pods has a chance of (1/3)^29."""
    await lab.apply(ALL_PODS, policy={"loadBalancer": {"consistentHash": {"httpHeaderName": "x-user"}}})
    of_one = {(await lab.ask(headers={"x-user": "ann"})).body for _ in range(20)}
    of_many = {(await lab.ask(headers={"x-user": str(user)})).body for user in range(30)}
    assert len(of_one) == 1
    assert len(of_many) > 1


async def test_round_robin_takes_turns(lab: Lab) -> None:
    await lab.apply(ALL_PODS, policy={"loadBalancer": {"simple": "ROUND_ROBIN"}})
    answers = [(await lab.ask()).body for _ in range(9)]
    assert all(len(set(answers[turn : turn + 3])) == 3 for turn in range(7))


async def test_connection_pool_overflows_at_once(lab: Lab) -> None:
    pool = {"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}}
    await lab.apply(to("v1"), policy={"connectionPool": pool})
    lab.backends["v1"].answers.clear()
    asking = {asyncio.create_task(Client(lab.client.proxy).ask()) for _ in range(4)}
    done, waiting = await asyncio.wait(asking, timeout=LIMIT, return_when=asyncio.FIRST_COMPLETED)
    assert {(a.status, a.headers["x-envoy-overloaded"]) for a in map(asyncio.Task.result, done)} == {
        (503, "true")
    }
    lab.backends["v1"].answers.set()
    assert 200 in [(await answer).status for answer in waiting]


async def test_outlier_detection_ejects_what_fails(lab: Lab) -> None:
    bad = lab.backends["v1"]
    bad.failing = True
    detection = {"consecutive5xxErrors": 2, "baseEjectionTime": "60s", "maxEjectionPercent": 100}
    balancer = {"simple": "ROUND_ROBIN"}
    await lab.apply(ALL_PODS, policy={"outlierDetection": detection, "loadBalancer": balancer})
    async with asyncio.timeout(LIMIT):
        while [(await lab.ask()).status for _ in range(6)] != [200] * 6:
            continue
    failed = len(bad.asked)
    assert 2 <= failed <= 4
    assert {(await lab.ask()).body for _ in range(12)} == {"v2", "v3"}
    assert len(bad.asked) == failed


async def test_the_only_pod_of_a_version_is_ejected_too(lab: Lab) -> None:
    bad = lab.backends["v2"]
    bad.failing = True
    detection = {"consecutive5xxErrors": 3, "baseEjectionTime": "60s", "maxEjectionPercent": 100}
    await lab.apply(to("v2"), policy={"outlierDetection": detection})
    async with asyncio.timeout(LIMIT):  # Envoy's main thread ejects, while its workers go on
        while (answer := await lab.ask()).body != "no healthy upstream":
            assert answer.status == 503
    failed = len(bad.asked)
    assert failed >= 3
    assert {(a.status, a.body) for a in [await lab.ask() for _ in range(9)]} == {(503, "no healthy upstream")}
    assert len(bad.asked) == failed


@pytest.mark.parametrize(("subset", "words"), [("absent", ""), ("v9", "no healthy upstream")])
async def test_subset_that_is_missing_or_has_no_pods_answers_503(lab: Lab, subset: str, words: str) -> None:
    await lab.apply(to(subset))
    answer = await lab.ask()
    assert (answer.status, answer.body) == (503, words)


async def test_host_that_nobody_knows_answers_502(lab: Lab) -> None:
    await lab.apply(to("v1"))
    assert (await lab.ask(host="example.com")).status == 502
