"""What kata_lib.mesh.in_force reads from a real sidecar is what the sidecar does with requests."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from share_cases import CASES, REQUESTS, SPLIT, TESTERS, THIRDS, Obj, agrees, to, virtual_service

from embedded.mesh_harness import LIMIT, Client, Mesh, endpoint_slice, rule, running_mesh, service
from kata_lib.engines.embedded import envoy
from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.mesh import in_force
from kata_lib.mesh.in_force import InForce
from kata_lib.mesh.matches import Request

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Lab:
    """One sidecar of `sentences`; `name` has one pod of each version, and a Service for each beside it."""

    def __init__(self, mesh: Mesh, client: Client) -> None:
        self.mesh = mesh
        self.client = client

    async def apply(self, *objects: Obj) -> None:
        """Have exactly these VirtualServices in force, and a subset for each version and one without pods."""
        for name in list(self.mesh.registry.objects.get("virtualservices", {})):
            self.mesh.registry.delete("virtualservices", name)
        for obj in objects:
            refuse("virtualservices", obj, "CREATE")
            self.mesh.registry.put("virtualservices", obj)
        await self.mesh.pilot.settled(LIMIT)

    async def read(self, name: str = "name") -> InForce:
        dump = await envoy.config_dump(self.mesh.home / "sentences.sock")
        objects = self.mesh.registry.objects
        pods = list(objects["pods"].values())
        found = objects["services"].get(name, {"metadata": {"name": name}, "spec": {}})
        return in_force.from_dump(dump, found, pods, caller="sentences", namespace="default")

    async def observe(self, host: str = "name:5000", headers: Any = None, path: str = "/") -> Counter[Any]:
        """Return how many of the requests each version answered, and how many the sidecar, by status."""
        answers = [await self.client.ask(path, host=host, headers=headers or {}) for _ in range(REQUESTS)]
        return Counter(answer.headers.get("x-backend", answer.status) for answer in answers)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lab() -> AsyncIterator[Lab]:
    async with running_mesh() as mesh:
        destination_rule = rule("v1", "v2", "v3")
        destination_rule["spec"]["subsets"].append({"name": "name-v9", "labels": {"version": "v9"}})
        mesh.registry.put("destinationrules", destination_rule)
        mesh.registry.put("services", service("age", f"{mesh.addresses.prefix}.201"))
        for number, version in enumerate(("v1", "v2"), start=202):
            name = {"v1": "name-stable", "v2": "name-canary"}[version]
            mesh.registry.put("services", service(name, f"{mesh.addresses.prefix}.{number}"))
            mesh.registry.put("endpointslices", endpoint_slice(name, [mesh.pods[version]]))
        bytes_only = service("bytes", f"{mesh.addresses.prefix}.204")
        bytes_only["spec"] |= {"ports": [{"name": "tcp", "port": 5000}], "selector": {"app": "name"}}
        mesh.registry.put("services", bytes_only)
        found = endpoint_slice("bytes", list(mesh.pods.values()))
        mesh.registry.put("endpointslices", {**found, "ports": [{"name": "tcp", "port": 5000}]})
        yield Lab(mesh, await mesh.sidecar())


@pytest.mark.parametrize("case", CASES)
async def test_what_is_read_is_what_requests_meet(lab: Lab, case: str) -> None:
    objects, versions, answered = CASES[case]
    await lab.apply(*objects)
    outcome = (await lab.read()).outcome()
    assert (outcome.versions, outcome.answered) == (versions, answered)
    assert agrees(await lab.observe(), outcome)


async def test_testers_go_another_way(lab: Lab) -> None:
    await lab.apply(virtual_service(TESTERS, SPLIT))
    headers = {"x-tester": "yes"}
    outcome = (await lab.read()).outcome(Request(headers=headers))
    assert outcome.versions == {"v2": 1.0}
    assert agrees(await lab.observe(headers=headers), outcome)


def at_port(number: int, rule: Obj) -> Obj:
    """Return a rule whose destinations name a port."""
    entries = rule["route"]
    return {
        "route": [{**e, "destination": {**e["destination"], "port": {"number": number}}} for e in entries]
    }


@pytest.mark.parametrize(
    ("rule", "versions", "answered"),
    [(at_port(5000, SPLIT), {"v1": 0.9, "v2": 0.1}, {}), (SPLIT, {}, {503: 1.0})],
    ids=["with the port", "without: that of the request, 80"],
)
async def test_a_host_that_only_a_rule_knows(lab: Lab, rule: Obj, versions: Any, answered: Any) -> None:
    await lab.apply(virtual_service(rule, hosts=["name.example"]))
    outcome = (await lab.read("name.example")).outcome()
    assert (outcome.versions, outcome.answered) == (versions, answered)
    assert agrees(await lab.observe("name.example"), outcome)


@pytest.mark.parametrize(
    ("spec", "versions"),
    [
        ({"http": [SPLIT]}, THIRDS),
        ({"tcp": [{"route": to(v1=80, v2=20)}]}, {"v1": 0.8, "v2": 0.2}),
    ],
)
async def test_a_port_that_is_not_http_is_spread_by_connection(lab: Lab, spec: Obj, versions: Any) -> None:
    await lab.apply({"metadata": {"name": "bytes"}, "spec": {"hosts": ["bytes"], **spec}})
    found = await lab.read("bytes")
    assert (found.http, found.versions) == (False, versions)
    seen: Counter[Any] = Counter()
    for _ in range(REQUESTS):
        seen[(await lab.client.get("bytes:5000"))[1]] += 1
        lab.client.close()
    assert agrees(seen, found.outcome())


@pytest.mark.parametrize(
    ("http", "bad", "versions", "answered"),
    [
        ([], "v1", {"v2": 0.5, "v3": 0.5}, {}),
        ([{"route": to(v1=80, v2=20), "retries": {"attempts": 0}}], "v2", {"v1": 0.8}, {503: 0.2}),
    ],
)
async def test_what_is_ejected_gets_nothing(
    lab: Lab, http: list[Obj], bad: str, versions: Any, answered: Any
) -> None:
    detection = {"consecutive5xxErrors": 2, "baseEjectionTime": "60s", "maxEjectionPercent": 100}
    plain = lab.mesh.registry.objects["destinationrules"]["name"]
    policy = {"trafficPolicy": {"outlierDetection": detection}}
    lab.mesh.registry.put("destinationrules", {**plain, "spec": {**plain["spec"], **policy}})
    lab.mesh.backends[bad].failing = True
    try:
        await lab.apply(*([virtual_service(*http)] if http else []))
        assert (await lab.read()).outcome().answered == {}
        await lab.observe()
        outcome = (await lab.read()).outcome()
        assert (outcome.versions, outcome.answered) == (versions, answered)
        assert agrees(await lab.observe(), outcome)
    finally:
        lab.mesh.backends[bad].failing = False
        lab.mesh.registry.put("destinationrules", plain)


CONDITIONS: list[Obj] = [
    {"headers": {"x": {"exact": "a"}}},
    {"headers": {"x": {"prefix": "a"}}},
    {"headers": {"X": {"regex": "a+"}}},
    {"headers": {"x": {}}},
    {"withoutHeaders": {"x": {"exact": "a"}}},
    {"withoutHeaders": {"x": {"regex": ".*"}}},
    {"withoutHeaders": {"x": {}}},
    {"uri": {"exact": "/a"}},
    {"uri": {"prefix": "/a"}},
    {"uri": {"prefix": "/A"}, "ignoreUriCase": True},
    {"uri": {"regex": "/a[0-9]*"}},
    {"uri": {"prefix": "/"}},
    {"queryParams": {"q": {"exact": "1"}}},
    {"queryParams": {"q": {"regex": "1+"}}},
    {"queryParams": {"q": {}}},
    {"method": {"exact": "POST"}},
    {"scheme": {"exact": "http"}},
    {"authority": {"prefix": "name:"}},
    {"uri": {"prefix": "/a"}, "method": {"exact": "GET"}, "headers": {"x": {"exact": "a"}}},
]
ASKED = [
    Request(path, method, headers, query)
    for path, query in (("/", {}), ("/a", {}), ("/A1", {}), ("/", {"q": "1"}), ("/ab", {"q": "11"}))
    for method in ("GET", "POST")
    for headers in ({}, {"x": "a"}, {"x": "ab"}, {"x": ""})
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
async def test_each_request_takes_the_route_that_is_read(lab: Lab, condition: Obj) -> None:
    await lab.apply(virtual_service({"match": [condition], "route": to(v2=1)}, {"route": to(v1=1)}))
    found = await lab.read()
    for request in ASKED:
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        path = f"{request.path}?{query}" if query else request.path
        answer = await lab.client.ask(path, method=request.method, headers=request.headers)
        assert found.outcome(request).versions == {answer.body: 1.0}, request
