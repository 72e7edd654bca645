"""The API over HTTP, in one process: formats, watches, refusals, as clients see them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from control_plane import make_registry

from kata_lib import versions
from kata_lib.engines.embedded.api.discovery import AGGREGATED
from kata_lib.engines.embedded.api.server import make_app
from kata_lib.engines.embedded.registry.custom_resources import ensure_definitions
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.store import Obj

TOKEN = "secret"
JSON, PROTOBUF = "application/json", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
Client = TestClient[web.Request, web.Application]


async def two_lines(*asked: Any) -> AsyncIterator[bytes]:
    yield b"first\n"
    yield repr(asked).encode()


@pytest.fixture
def registry() -> Registry:
    registry = make_registry()
    ensure_definitions(registry)
    return registry


@pytest.fixture
def server(registry: Registry) -> TestServer:
    return TestServer(
        make_app(registry, token=TOKEN, logs=two_lines, reach=lambda uid, port: ("127.0.0.1", port))
    )


@pytest.fixture
async def client(server: TestServer) -> AsyncIterator[Client]:
    async with TestClient(server, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def config_map(name: str, **labels: str) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": labels},
        "data": {"n": "1"},
    }


def make(registry: Registry, name: str, **labels: str) -> Obj:
    return registry.create("configmaps", "default", config_map(name, **labels), manager="test")


async def refusal(response: ClientResponse) -> tuple[int, str, str]:
    status = await response.json()
    assert (status["kind"], status["code"]) == ("Status", response.status)
    return response.status, status["reason"], status["message"]


async def test_only_the_token_opens_it(client: Client, server: TestServer) -> None:
    wrong = await client.get(CONFIG_MAPS, headers={"Authorization": "Bearer other"})
    assert await refusal(wrong) == (401, "Unauthorized", "Unauthorized")
    async with TestClient(server) as anonymous:
        assert (await anonymous.get(CONFIG_MAPS)).status == 403
        assert await (await anonymous.get("/readyz")).text() == "ok"
        assert (await (await anonymous.get("/version")).json())["gitVersion"] == f"v{versions.KUBERNETES}"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v2/pods",
        "/api/v1/pods/a",
        "/api/v1/namespaces/default/nothing",
        "/apis/nothing",
        "/apis/apps/v1/pods",
        "/apis/apps/v2",
        "/openapi/v3/apis/nothing/v1",
        f"{PODS}/a/b/c",
    ],
)
async def test_what_is_not_served_is_not_found(client: Client, path: str) -> None:
    assert await refusal(await client.get(path)) == (
        404,
        "NotFound",
        "the server could not find the requested resource",
    )


@pytest.mark.parametrize("path", ["/version", "/api", "/apis", "/apis/apps", "/api/v1", "/apis/apps/v1"])
async def test_a_path_of_discovery_may_end_with_a_slash(client: Client, path: str) -> None:
    """The official clients write one."""
    with_slash, without = await client.get(path + "/"), await client.get(path)
    assert with_slash.status == 200
    assert await with_slash.json() == await without.json()


async def test_discovery_in_both_forms_tells_the_same(client: Client) -> None:
    aggregated = set()
    for root in ("/api", "/apis"):
        response = await client.get(root, headers={"Accept": AGGREGATED + ",application/json"})
        assert "APIGroupDiscoveryList" in response.headers["Content-Type"]
        for group in (await response.json())["items"]:
            for version in group["versions"]:
                assert version["resources"], "kubectl keeps no note of a version without any"
                for resource in version["resources"]:
                    aggregated.add(
                        (group["metadata"].get("name", ""), version["version"], resource["resource"])
                    )
    older = {("", "v1", r) for r in await names(client, "/api/v1")}
    for group in (await (await client.get("/apis")).json())["groups"]:
        for version in group["versions"]:
            found = await names(client, f"/apis/{version['groupVersion']}")
            older |= {(group["name"], version["version"], name) for name in found}
    assert aggregated == older
    assert ("networking.istio.io", "v1alpha3", "virtualservices") in older


async def names(client: Client, path: str) -> set[str]:
    listed = await (await client.get(path)).json()
    return {resource["name"] for resource in listed["resources"] if "/" not in resource["name"]}


async def test_every_openapi_document_that_the_index_names_is_there(client: Client) -> None:
    index = await (await client.get("/openapi/v3")).json()
    for document in index["paths"].values():
        response = await client.get(document["serverRelativeURL"])
        assert (await response.json())["openapi"].startswith("3.")
        assert "immutable" in response.headers["Cache-Control"]


@pytest.mark.parametrize(("accept", "other"), [(JSON, PROTOBUF), (PROTOBUF, JSON)])
async def test_the_older_openapi_document_is_not_sent_twice(
    client: Client, registry: Registry, accept: str, other: str
) -> None:
    first = await client.get("/openapi/v2", headers={"Accept": accept})
    assert len(await first.read()) > 100_000
    known = {"If-None-Match": first.headers["ETag"]}
    again = await client.get("/openapi/v2", headers={"Accept": accept, **known})
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", known["If-None-Match"])
    assert (await client.get("/openapi/v2", headers={"Accept": other, **known})).status == 200
    registry.store.delete("customresourcedefinitions", "", "httproutes.gateway.networking.k8s.io")
    assert (await client.get("/openapi/v2", headers={"Accept": accept, **known})).status == 200


async def test_create_read_replace_patch_delete(client: Client) -> None:
    created = await client.post(CONFIG_MAPS, json=config_map("a"))
    assert created.status == 201
    obj = await created.json()
    again = await client.post(CONFIG_MAPS, json=config_map("a"))
    assert await refusal(again) == (409, "AlreadyExists", 'configmaps "a" already exists')
    obj["data"]["n"] = "2"
    replaced = await (await client.put(f"{CONFIG_MAPS}/a", json=obj)).json()
    stale = await client.put(f"{CONFIG_MAPS}/a", json=obj | {"data": {}})
    assert (await refusal(stale))[:2] == (409, "Conflict")
    patched = await client.patch(
        f"{CONFIG_MAPS}/a",
        data=json.dumps({"data": {"n": None, "m": "3"}}),
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert (await patched.json())["data"] == {"m": "3"}
    assert (await patched.json())["metadata"]["resourceVersion"] != replaced["metadata"]["resourceVersion"]
    deleted = await (await client.delete(f"{CONFIG_MAPS}/a")).json()
    assert (deleted["status"], deleted["details"]["uid"]) == ("Success", obj["metadata"]["uid"])
    assert (await client.get(f"{CONFIG_MAPS}/a")).status == 404


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ("\\xff", "application/x-protobuf", 415),
        ('{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}', "application/json", 400),
        ('{"metadata": {"name": "a", "namespace": "other"}}', "application/json", 400),
        ('{"metadata": {}}', "application/json", 422),
        ('{"metadata": {"name": "a"}}' + " " * (3 * 1024 * 1024), "application/json", 413),
        ("not protobuf", "application/vnd.kubernetes.protobuf", 400),
        ("k8s\x00\x7f\x7f", "application/vnd.kubernetes.protobuf", 400),
        ("[" * 100_000, "application/json", 400),
    ],
)
async def test_bodies_that_are_refused(client: Client, body: str, content_type: str, code: int) -> None:
    response = await client.post(CONFIG_MAPS, data=body, headers={"Content-Type": content_type})
    assert (await refusal(response))[0] == code


async def test_yaml_is_taken_too(client: Client) -> None:
    response = await client.post(
        CONFIG_MAPS,
        data="metadata: {name: a}\ndata: {day: 2020-01-01, n: '1'}",
        headers={"Content-Type": "application/yaml"},
    )
    assert (await response.json())["data"] == {"day": "2020-01-01", "false": "1"}


async def test_an_unknown_field_is_a_warning(client: Client) -> None:
    response = await client.post(CONFIG_MAPS, json=config_map("a") | {"dtaa": {}})
    assert response.headers["Warning"] == '299 - "unknown field \\"dtaa\\""'


async def test_a_table_has_the_columns_of_kubectl(client: Client, registry: Registry) -> None:
    make(registry, "a")
    table = await (await client.get(CONFIG_MAPS, headers={"Accept": TABLE})).json()
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"][:2] == ["a", 1]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_lists_come_in_pages(client: Client, registry: Registry) -> None:
    for number in range(5):
        make(registry, f"c{number}")
    seen, query = list[str](), {"limit": "2"}
    while True:
        page = await (await client.get(CONFIG_MAPS, params=query)).json()
        seen += [item["metadata"]["name"] for item in page["items"]]
        if "continue" not in page["metadata"]:
            break
        query["continue"] = page["metadata"]["continue"]
    assert seen == [f"c{number}" for number in range(5)]
    broken = await client.get(CONFIG_MAPS, params={"limit": "2", "continue": "nonsense"})
    assert (await refusal(broken))[0] == 400


async def test_each_version_of_a_kind_shows_the_same_object(client: Client) -> None:
    path = "/apis/networking.istio.io/{}/namespaces/default/virtualservices"
    body = {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "VirtualService",
        "metadata": {"name": "name"},
        "spec": {"hosts": ["name"], "http": [{"route": [{"destination": {"host": "name"}}]}]},
    }
    made = await (await client.post(path.format("v1beta1"), json=body)).json()
    assert made["apiVersion"] == "networking.istio.io/v1beta1"
    read = await (await client.get(path.format("v1") + "/name")).json()
    assert read["apiVersion"] == "networking.istio.io/v1"
    assert read["metadata"]["uid"] == made["metadata"]["uid"]


async def test_the_custom_resource_definitions_are_there_to_read(client: Client) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    found = await (await client.get(f"{path}/virtualservices.networking.istio.io")).json()
    assert [version["name"] for version in found["spec"]["versions"]] == ["v1", "v1alpha3", "v1beta1"]
    answer = await client.put(f"{path}/virtualservices.networking.istio.io", json=found)
    assert (answer.status, await answer.json()) == (200, found)
    assert "stays as it is" in answer.headers["Warning"]
    refused = await client.delete(f"{path}/virtualservices.networking.istio.io")
    assert (await refusal(refused))[:2] == (405, "MethodNotAllowed")


async def test_delete_collection(client: Client, registry: Registry) -> None:
    make(registry, "a", team="blue")
    make(registry, "b", team="green")
    await client.delete(CONFIG_MAPS, params={"labelSelector": "team=blue"})
    assert [obj["metadata"]["name"] for obj in registry.list("configmaps")] == ["b"]


async def test_reviews_say_yes(client: Client) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    review = await (await client.post(path, json={"spec": {}})).json()
    assert review["status"]["allowed"]


@asynccontextmanager
async def watching(client: Client, **query: str) -> AsyncIterator[ClientResponse]:
    async with client.get(CONFIG_MAPS, params={"watch": "1", "timeoutSeconds": "5", **query}) as response:
        yield response


async def next_event(response: ClientResponse) -> tuple[str, Obj]:
    async with asyncio.timeout(3):
        event = json.loads(await response.content.readline())
    return event["type"], event["object"]


async def test_a_watch_starts_with_what_there_is_and_goes_on(client: Client, registry: Registry) -> None:
    make(registry, "a")
    async with watching(client) as response:
        assert (await next_event(response))[0] == "ADDED"
        registry.delete("configmaps", "default", "a")
        assert (await next_event(response))[0] == "DELETED"


async def test_a_watch_resumes_where_a_list_ended(client: Client, registry: Registry) -> None:
    make(registry, "a")
    version = (await (await client.get(CONFIG_MAPS)).json())["metadata"]["resourceVersion"]
    make(registry, "b")
    async with watching(client, resourceVersion=version) as response:
        type_, obj = await next_event(response)
    assert (type_, obj["metadata"]["name"]) == ("ADDED", "b")


async def test_what_leaves_a_selector_looks_deleted(client: Client, registry: Registry) -> None:
    make(registry, "a", team="blue")

    def paint(colour: str) -> None:
        registry.mutate(
            "configmaps",
            "default",
            "a",
            lambda obj: obj["metadata"]["labels"].update(team=colour),
            manager="test",
        )

    async with watching(client, labelSelector="team=blue") as response:
        seen = [(await next_event(response))[0]]
        for colour in ("green", "red", "blue"):
            paint(colour)
        seen += [(await next_event(response))[0] for _ in range(2)]
    assert seen == ["ADDED", "DELETED", "ADDED"]


async def test_a_version_that_was_compacted_is_too_old(client: Client, registry: Registry) -> None:
    make(registry, "a")
    registry.store.compact(registry.store.revision)
    async with watching(client, resourceVersion="1") as response:
        type_, status = await next_event(response)
        assert (type_, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
        assert await response.content.readline() == b""


async def test_initial_events_end_with_a_bookmark(client: Client, registry: Registry) -> None:
    make(registry, "a")
    query = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    async with watching(client, **query) as response:
        assert (await next_event(response))[0] == "ADDED"
        type_, bookmark = await next_event(response)
    assert type_ == "BOOKMARK"
    assert bookmark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    without = await client.get(CONFIG_MAPS, params={"watch": "1", "sendInitialEvents": "true"})
    assert (await refusal(without))[0] == 422


async def test_a_watch_ends_in_its_time(client: Client) -> None:
    async with watching(client, timeoutSeconds="1") as response, asyncio.timeout(3):
        assert await response.content.readline() == b""


async def test_a_watch_of_a_table_shows_its_columns_once(client: Client, registry: Registry) -> None:
    make(registry, "a")
    make(registry, "b")
    async with client.get(CONFIG_MAPS, params={"watch": "1"}, headers={"Accept": TABLE}) as response:
        tables = [(await next_event(response))[1] for _ in range(2)]
    assert [bool(table["columnDefinitions"]) for table in tables] == [True, False]


async def test_a_slow_watcher_is_told_that_it_missed_events(
    client: Client, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kata_lib.engines.embedded.api.watch.BACKLOG", 3)
    async with watching(client) as response:
        for number in range(10):
            make(registry, f"c{number}")
        lines = [json.loads(line) async for line in response.content]
    assert lines[-1]["type"] == "ERROR"
    assert lines[-1]["object"]["code"] == 410


def make_pod(registry: Registry, *containers: str, state: str = "running") -> None:
    specs = [{"name": name, "image": "kata/sentences:v1"} for name in containers]
    registry.create(
        "pods", "default", {"metadata": {"name": "a"}, "spec": {"containers": specs}}, manager="test"
    )
    statuses = [{"name": name, "state": {state: {}}, "ready": True, "restartCount": 0} for name in containers]

    def run(pod: Obj) -> None:
        pod["status"]["containerStatuses"] = statuses

    registry.mutate("pods", "default", "a", run, manager="kubelet", subresource="status")


async def test_a_log_is_streamed_as_it_was_asked_for(client: Client, registry: Registry) -> None:
    make_pod(registry, "name")
    log = await client.get(f"{PODS}/a/log", params={"tailLines": "5", "follow": "true", "limitBytes": "9"})
    assert await log.text() == "first\n('default', 'a', 'name', True, 5, None, False, 9)"


async def test_logs_that_cannot_be(client: Client, registry: Registry) -> None:
    make_pod(registry, "name", "istio-proxy", state="waiting")
    for query, words in (
        ({}, "a container name must be specified for pod a, choose one of: [name istio-proxy]"),
        ({"container": "other"}, "container other is not valid for pod a"),
        ({"container": "name"}, 'container "name" in pod "a" is waiting to start: ContainerCreating'),
        (
            {"container": "name", "previous": "true"},
            'previous terminated container "name" in pod "a" not found',
        ),
    ):
        response = await client.get(f"{PODS}/a/log", params=query)
        assert await refusal(response) == (400, "BadRequest", words)


async def test_what_there_is_not_is_refused_with_what_to_use_instead(
    client: Client, registry: Registry
) -> None:
    make_pod(registry, "name")
    assert "look at it in a terminal" in (await refusal(await client.post(f"{PODS}/a/exec")))[2]


async def test_a_pods_port_is_asked_through_the_api(client: Client, registry: Registry) -> None:
    async def statistics(request: web.Request) -> web.Response:
        return web.Response(text=f"counted {request.query_string}")

    make_pod(registry, "name")
    pod = web.Application()
    pod.router.add_get("/stats/prometheus", statistics)
    async with TestServer(pod) as listening:
        path = f"{PODS}/a:{listening.port}/proxy/stats/prometheus?all"
        assert await (await client.get(path)).text() == "counted all"
    assert (await refusal(await client.get(path)))[:2] == (503, "ServiceUnavailable")


async def test_the_scale_of_a_deployment(client: Client, registry: Registry) -> None:
    labels = {"app": "name"}
    container = {"name": "name", "image": "kata/sentences:v1"}
    spec = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    registry.create("deployments", "default", {"metadata": {"name": "a"}, "spec": spec}, manager="test")
    path = "/apis/apps/v1/namespaces/default/deployments/a/scale"
    scale = await (await client.get(path)).json()
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == (
        "Scale",
        {"replicas": 1},
        "app=name",
    )
    patched = await client.patch(
        path,
        data='{"spec": {"replicas": 3}}',
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert (await patched.json())["spec"] == {"replicas": 3}
    scale = await (await client.get(path)).json()
    scale["spec"]["replicas"] = 4
    assert (await (await client.put(path, json=scale)).json())["spec"] == {"replicas": 4}
    deployment = registry.get("deployments", "default", "a")
    assert (deployment["spec"]["replicas"], deployment["metadata"]["generation"]) == (4, 3)
