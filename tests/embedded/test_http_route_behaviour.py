"""HTTPRoutes, asked through a real sidecar: what the Gateway API's conformance suite expects of a mesh.

Asked and expected as in sigs.k8s.io/gateway-api/conformance, tests/mesh. Routes and requests are ours:
`name` is the Service of all versions, v1 and v2 are those of one.
"""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from embedded.mesh_harness import LIMIT, Client, Mesh, running_mesh
from kata_lib.engines.embedded.mesh.translate.gateway_api import KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

Obj = dict[str, Any]
PORTS = [
    {"name": "http", "port": 80, "targetPort": 5000},
    {"name": "http-alt", "port": 8080, "targetPort": 5000},
]


class Lab:
    """One sidecar of `sentences`, and the routes of one test."""

    def __init__(self, mesh: Mesh, client: Client) -> None:
        self.mesh = mesh
        self.ask = client.ask

    async def apply(
        self, *rules: Obj, service: str = "name", namespace: str = "default", **port: int
    ) -> None:
        """Let one HTTPRoute stand."""
        if self.mesh.registry.list(KEY):
            self.mesh.registry.delete(KEY, "route")
        reference = {"group": "", "kind": "Service", "name": service, "namespace": "default", **port}
        metadata = {"name": "route", "namespace": namespace, "generation": 1}
        spec = {"parentRefs": [reference], "rules": list(rules)}
        self.mesh.registry.put(KEY, {"kind": "HTTPRoute", "metadata": metadata, "spec": spec})
        await self.mesh.pilot.settled(LIMIT)

    def asked(self, version: str) -> Any:
        """Return the last request that a version has seen."""
        return self.mesh.backends[version].asked[-1]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lab() -> AsyncIterator[Lab]:
    async with running_mesh() as mesh:
        mesh.registry.delete("virtualservices", "name")
        for name, versions in {"name": ("v1", "v2"), "v1": ("v1",), "v2": ("v2",)}.items():
            selector = {"app": "name"}
            spec = {"clusterIP": mesh.cluster_ip, "selector": selector, "ports": PORTS}
            mesh.registry.put("services", {"metadata": {"name": name}, "spec": spec})
            pods = [{"uid": mesh.pods[version]["metadata"]["uid"]} for version in versions]
            slice_ = {
                "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
                "ports": [{"name": port["name"], "port": 5000} for port in PORTS],
                "endpoints": [{"addresses": ["x"], "targetRef": pod} for pod in pods],
            }
            mesh.registry.put("endpointslices", slice_)
        yield Lab(mesh, await mesh.sidecar())


def to(*versions: str, **more: Any) -> Obj:
    return {"backendRefs": [{"name": version, "port": 8080} for version in versions], **more}


def at(path: str, kind: str = "PathPrefix", **more: Any) -> list[Obj]:
    return [{"path": {"type": kind, "value": path}, **more}]


def header(name: str, value: str) -> list[Obj]:
    return [{"headers": [{"name": name, "value": value}]}]


SET = {"set": [{"name": "X-Set", "value": "new"}]}
MARKED: Obj = {"type": "ResponseHeaderModifier", "responseHeaderModifier": SET}


async def test_a_route_splits_by_exact_path_and_nothing_else_passes(lab: Lab) -> None:
    await lab.apply(to("v1", matches=at("/v1", "Exact")), to("v2", matches=at("/v2", "Exact")))
    assert [(await lab.ask(f"/{v}", host="name")).body for v in ("v1", "v2")] == ["v1", "v2"]
    assert (await lab.ask("/v1/more", host="name")).status == 404


async def test_a_port_of_the_parent_limits_a_route_and_none_does_not(lab: Lab) -> None:
    await lab.apply(to("v1", filters=[MARKED]), service="v1", port=80)
    assert (await lab.ask(host="v1")).headers["x-set"] == "new"
    assert "x-set" not in (await lab.ask(host="v1:8080")).headers
    await lab.apply(to("v1", filters=[MARKED]), service="v1")
    assert (await lab.ask(host="v1:8080")).headers["x-set"] == "new"


async def test_a_route_of_another_namespace_is_not_for_callers_of_this_one(lab: Lab) -> None:
    await lab.apply(to("v1", filters=[MARKED]), service="v1", namespace="consumers")
    answer = await lab.ask(host="v1")
    assert (answer.status, "x-set" in answer.headers) == (200, False)


async def test_weights_are_shares(lab: Lab) -> None:
    backends = [{"name": "v1", "port": 80, "weight": 70}, {"name": "v2", "port": 80, "weight": 30}]
    await lab.apply({"backendRefs": backends})
    counted = Counter([(await lab.ask(host="name")).body for _ in range(500)])
    # six standard deviations of 500 draws at 0.3: a false alarm in five hundred million
    assert abs(counted["v2"] - 150) < 62


async def test_a_backend_that_is_not_there_answers_500_for_its_share(lab: Lab) -> None:
    await lab.apply(to("v1", "nowhere"))
    counted = Counter([(await lab.ask(host="name")).status for _ in range(100)])
    assert set(counted) == {200, 500}
    await lab.apply({"backendRefs": [{"name": "v1", "port": 80, "weight": 0}]})
    assert (await lab.ask(host="name")).status == 500


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/", {}, "v1"),
        ("/example", {}, "v1"),
        ("/", {"version": "one"}, "v1"),
        ("/v2", {}, "v2"),
        ("/v2/example", {}, "v2"),
        ("/", {"version": "two"}, "v2"),
        ("/v2example", {}, "v1"),  # no prefix by segments
        ("/foo/v2/example", {}, "v1"),
    ],
)
async def test_the_narrower_match_wins(lab: Lab, path: str, headers: dict[str, str], body: str) -> None:
    one = to("v1", matches=[*at("/"), *header("version", "one")])
    await lab.apply(one, to("v2", matches=[*at("/v2"), *header("version", "two")]))
    assert (await lab.ask(path, host="name", headers=headers)).body == body


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/?animal=whale", "v1"),
        ("/?animal=dolphin", "v2"),
        ("/?animal=dolphin&color=blue", "v2"),
        ("/path?animal=hydra", "v1"),  # the longer path before the parameter
        ("/?animal=hydra", "v2"),
        ("/?animal=shark", None),
    ],
)
async def test_query_parameters(lab: Lab, path: str, body: str | None) -> None:
    def animal(name: str) -> list[Obj]:
        return [{"queryParams": [{"name": "animal", "value": name}]}]

    await lab.apply(
        to("v1", matches=animal("whale")),
        to("v2", matches=[*animal("dolphin"), *animal("hydra")]),
        to("v1", matches=at("/path")),
    )
    answer = await lab.ask(path, host="name")
    assert answer.body == body if body else answer.status == 404


@pytest.mark.parametrize(
    ("redirect", "status", "location"),
    [
        ({"statusCode": 303}, 303, "http://name/a/b"),
        ({"statusCode": 307}, 307, "http://name/a/b"),
        ({"statusCode": 308}, 308, "http://name/a/b"),
        ({"hostname": "example.org"}, 302, "http://example.org/a/b"),
        ({"hostname": "example.org", "statusCode": 301}, 301, "http://example.org/a/b"),
        ({"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/new"}}, 302, "http://name/new/b"),
        ({"path": {"type": "ReplaceFullPath", "replaceFullPath": "/new"}}, 302, "http://name/new"),
        ({"port": 8083}, 302, "http://name:8083/a/b"),
        ({"scheme": "https"}, 302, "https://name/a/b"),
        ({"scheme": "https", "hostname": "example.org"}, 302, "https://example.org/a/b"),
    ],
)
async def test_redirects(lab: Lab, redirect: Obj, status: int, location: str) -> None:
    redirect = {"statusCode": 302, **redirect}  # the API server's default
    given = [{"type": "RequestRedirect", "requestRedirect": redirect}]
    await lab.apply({"matches": at("/a"), "filters": given}, port=80)
    answer = await lab.ask("/a/b", host="name")
    assert (answer.status, answer.headers["location"]) == (status, location)


@pytest.mark.parametrize(
    ("path", "asked", "seen"),
    [
        ({"type": "ReplacePrefixMatch", "replacePrefixMatch": "/one"}, "/a/two", "/one/two"),
        ({"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}, "/a/two", "/two"),
        ({"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}, "/a", "/"),
        ({"type": "ReplaceFullPath", "replaceFullPath": "/one"}, "/a/two", "/one"),
    ],
)
async def test_rewritten_paths(lab: Lab, path: Obj, asked: str, seen: str) -> None:
    given = [{"type": "URLRewrite", "urlRewrite": {"path": path}}]
    await lab.apply(to("v1", matches=at("/a"), filters=given))
    assert (await lab.ask(asked, host="name")).status == 200
    assert lab.asked("v1").path == seen


@pytest.mark.parametrize("place", ["rule", "backend"])
async def test_request_headers_of_a_rule_and_of_its_only_backend(lab: Lab, place: str) -> None:
    operations = {**SET, "add": [{"name": "X-Add", "value": "more"}], "remove": ["X-Remove"]}
    filters = [{"type": "RequestHeaderModifier", "requestHeaderModifier": operations}]
    rule = to("v1")
    (rule if place == "rule" else rule["backendRefs"][0])["filters"] = filters
    await lab.apply(rule)
    await lab.ask(
        host="name", headers={"x-set": "old", "X-ADD": "one", "x-remove": "gone", "x-kept": "as it is"}
    )
    seen = lab.asked("v1").headers
    assert {name: seen.get(name) for name in ("x-set", "x-add", "x-remove", "x-kept")} == {
        "x-set": "new",
        "x-add": "one,more",
        "x-remove": None,
        "x-kept": "as it is",
    }
