"""The Gateway API's own conformance suite for meshes: its manifests applied, and asked what it asks.

Manifests and cases are read from its Go module, sigs.k8s.io/gateway-api/conformance, where that is there. The
suite's echo application is a program of these tests. In a mesh the suite itself compares neither the path
that arrives nor where a redirect leads; here both are compared. What it asks is asked of routes of our own in
test_http_route_behaviour.py.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from requirements import CONFORMANCE

from embedded.engine_cluster import Cluster, quiet, until
from embedded.go_cases import GoTest, Unknown, read
from embedded.mesh_harness import Client, Message
from kata_lib.cluster.cluster import Cluster as Namespace
from kata_lib.course.application import APPLICATION
from kata_lib.engines.embedded import EmbeddedEngine
from kata_lib.engines.embedded.images import Image, Images
from kata_lib.engines.embedded.mesh.injection import PROXY_HTTP_PORT
from kata_lib.mesh.gateways import GATEWAY_API
from kata_lib.mesh.synced import SYNCED

pytestmark = [pytest.mark.needs("conformance"), pytest.mark.long]

OTHERS = {
    "MeshGRPCRouteWeight": "GRPCRoutes are no HTTPRoutes",
    "MeshFrontendHostname": "Istio matches a Service by the name that is asked, not by its address",
}
"""Tests of what Istio's meshes do not claim, or of other kinds."""
OTHER_PATH = "/unnamed"
"""A path for which a case of the suite names another than its manifest makes; the suite compares none."""
POD_ADDRESS = Unknown("http.Ipv6SafeHost")
"""What the suite asks by a pod's address is not asked: through a sidecar here requests go by name."""
TESTS = [test for test in read(CONFORMANCE / "tests" / "mesh") if test.name not in OTHERS]
PRODUCER, CONSUMER = "gateway-conformance-mesh", "gateway-conformance-mesh-consumer"
PORT = 8080
SHARES, DRAWN = {"echo-v1": 0.7, "echo-v2": 0.3}, 500


class Suite:
    """A cluster with the suite's base manifests: its applications, each with a sidecar."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.namespaces = {name: Namespace.at(cluster.location).within(name) for name in (PRODUCER, CONSUMER)}

    def pod(self, namespace: str, version: str) -> dict[str, Any]:
        (pod,) = self.namespaces[namespace].pods(f"app=echo,version={version}")
        return pod

    def ask(self, caller: str, host: str, path: str, method: str, headers: dict[str, str]) -> Message:
        """Ask as the suite's client does: from the first version's pod, through its sidecar."""
        address = self.pod(CONSUMER if caller == "consumer" else PRODUCER, "v1")["status"]["podIP"]
        client = Client((address, PROXY_HTTP_PORT))
        return asyncio.run(client.ask(path, host=host, method=method, headers=headers))

    def settle(self) -> None:
        """Wait until every route is judged, and every sidecar has it."""
        until(lambda: all(map(_judged, self.routes())))
        for name, namespace in self.namespaces.items():
            pod = self.pod(name, "v1")["metadata"]["name"]
            until(partial(_acknowledged, namespace, pod))

    def routes(self) -> list[dict[str, Any]]:
        return [route for n in self.namespaces.values() for route in n.objects(GATEWAY_API, "HTTPRoute")]


def _acknowledged(namespace: Namespace, pod: str) -> bool:
    return not namespace.ask_agent(pod, SYNCED).strip()


def _judged(route: dict[str, Any]) -> bool:
    parents = route.get("status", {}).get("parents", [])
    said = {condition["type"]: condition["status"] for one in parents for condition in one["conditions"]}
    return said == {"Accepted": "True", "ResolvedRefs": "True"}


@pytest.fixture(scope="module")
def suite(_home: Path) -> Iterator[Suite]:
    engine = EmbeddedEngine("conformance", APPLICATION)
    cluster = Cluster(engine, engine.start(quiet))
    try:
        echo = str(Path(__file__).with_name("echo.py"))
        name = "registry.k8s.io/gateway-api/echo-advanced"
        Images(engine.state.images).add([name], Image((sys.executable, echo), PORT))
        for namespace in (PRODUCER, CONSUMER):
            cluster.kubectl("create", "namespace", namespace)
            cluster.kubectl("label", "namespace", namespace, "istio-injection=enabled")
        base = CONFORMANCE / "mesh" / "manifests.yaml"
        cluster.kubectl("apply", f"--filename={base}")
        for namespace in (PRODUCER, CONSUMER):
            wait = ("wait", "--for=condition=Available", "deployment", "--all", "--timeout=50s")
            cluster.kubectl(*wait, f"--namespace={namespace}")
        yield Suite(cluster)
    finally:
        engine.stop()


@pytest.fixture(params=TESTS, ids=lambda test: test.name)
def asked(suite: Suite, request: pytest.FixtureRequest) -> Iterator[GoTest]:
    """One of the suite's tests, with its manifests applied."""
    test: GoTest = request.param
    files = [f"--filename={CONFORMANCE / manifest}" for manifest in test.manifests]
    if files:
        suite.cluster.kubectl("apply", *files)
        suite.settle()
    yield test
    if files:
        suite.cluster.kubectl("delete", *files)
        suite.settle()


def test_the_mesh_answers_as_the_suite_expects(suite: Suite, asked: GoTest) -> None:
    for caller, case in asked.cases:
        given = case["Request"]
        host = given.get("Host", "echo")
        if host == POD_ADDRESS:
            continue
        if isinstance(host, Unknown):
            host = "echo"
        path = given.get("Path", "/")
        headers = given.get("Headers") or {}
        answer = suite.ask(caller, host, path, given.get("Method", "GET"), headers)
        expect(case, answer, host, path)
    if asked.name == "MeshHTTPRouteWeight":
        drawn = Counter(_backend(suite.ask("", "echo", "/", "GET", {})) for _ in range(DRAWN))
        # six standard deviations of 500 draws at 0.3: a false alarm in five hundred million
        assert abs(drawn["echo-v2"] - DRAWN * SHARES["echo-v2"]) < 62


def expect(case: dict[str, Any], answer: Message, host: str, path: str) -> None:
    """Compare an answer with what the suite expects of it."""
    response = case.get("Response") or {}
    status = response.get("StatusCode", 200)
    assert answer.status in response.get("StatusCodes", [status]), case
    for name, value in (response.get("Headers") or {}).items():
        assert answer.headers.get(name.lower()) == value, case
    assert not {name.lower() for name in response.get("AbsentHeaders", ())} & answer.headers.keys(), case
    if "Backend" in case:
        assert _backend(answer) == case["Backend"], case
    if "ExpectedRequest" in case:
        _arrived(case["ExpectedRequest"], json.loads(answer.body), path)
    if "RedirectRequest" in case:
        _redirected(case["RedirectRequest"], answer.headers["location"], host, path)


def _backend(answer: Message) -> str:
    return str(json.loads(answer.body)["pod"])[: len("echo-v1")]


def _arrived(expected: dict[str, Any], seen: dict[str, Any], asked: str) -> None:
    request = expected.get("Request") or {}
    if "Path" in request and asked != OTHER_PATH:
        assert seen["path"] == request["Path"]
    for name, value in (request.get("Headers") or {}).items():
        assert seen["headers"].get(name.lower()) == value
    absent = {name.lower() for name in expected.get("AbsentHeaders", ())}
    assert not absent & seen["headers"].keys()


def _redirected(expected: dict[str, Any], location: str, host: str, path: str) -> None:
    to = urlsplit(location)
    assert to.hostname == expected.get("Host", host), location
    assert to.scheme == expected.get("Scheme", "http"), location
    assert to.path == expected.get("Path", path), location
    assert str(to.port or "") == expected.get("Port", ""), location
