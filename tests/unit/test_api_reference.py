"""The API answers here as it was recorded on a real API server: objects, refusals, every word."""

import json
from collections.abc import AsyncIterator, Container
from typing import Any

import pytest
import recording
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from kata_lib.engines.embedded.api.server import make_app
from kata_lib.engines.embedded.controllers import DefinitionController
from kata_lib.engines.embedded.kubelet.admission import refuse_pod
from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.table import RESOURCES
from kata_lib.engines.embedded.store import Store

TOKEN = "secret"
Client = TestClient[web.Request, web.Application]


class Addresses:
    service_range = "10.96.0.0/16"

    def holds_service(self, address: str) -> bool:
        return address.startswith("10.96.")

    def allocate_service(self, in_use: Container[str] = ()) -> str:
        return next(f"10.96.0.{n}" for n in range(1, 255) if f"10.96.0.{n}" not in in_use)


async def no_log(*asked: Any) -> AsyncIterator[bytes]:
    for piece in ():
        yield piece


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of the API server, whose part that establishes definitions runs as well."""
    registry = Registry(Store(":memory:"), addresses=Addresses(), admission=[refuse, refuse_pod])
    namespace = {"metadata": {"name": recording.NAMESPACE}}
    registry.create("namespaces", None, namespace, manager="test")
    account = {"metadata": {"name": "default"}}
    registry.create("serviceaccounts", recording.NAMESPACE, account, manager="test")
    app = make_app(registry, token=TOKEN, logs=no_log, reach=lambda uid, port: ("127.0.0.1", port))
    definitions = DefinitionController(registry)
    definitions.start()
    async with TestClient(TestServer(app), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client
    definitions.stop()


async def ask(client: Client, asked: dict[str, Any]) -> dict[str, Any]:
    data = json.dumps(asked["body"]) if "body" in asked else None
    headers = {
        "Content-Type": asked.get("type", "application/json"),
        "Accept": asked.get("accept", "application/json"),
        "User-Agent": recording.AGENT,
    }
    async with client.request(asked["method"], asked["path"], data=data, headers=headers) as response:
        warnings = response.headers.getall("Warning", [])
        return recording.answer_of(response.status, warnings, await response.text())


@pytest.mark.parametrize("name", [path.stem for path in sorted(recording.EXCHANGES.glob("*.json"))])
async def test_the_api_answers_as_recorded(client: Client, name: str) -> None:
    expected = recording.exchanges(name)
    answered = [{**asked, "answer": await ask(client, asked)} for asked in expected]
    assert answered == [_as_here(exchange) for exchange in expected]


def _as_here(exchange: dict[str, Any]) -> dict[str, Any]:
    """Return what a recorded exchange is here: what this engine has not, it refuses by name, or it warns."""
    plural = exchange["path"].partition("?")[0].rpartition("/")[2]
    if exchange["answer"]["code"] == 201 and plural in RESOURCES and (inert := RESOURCES[plural].inert):
        return {**exchange, "answer": {**exchange["answer"], "warnings": [f'299 - "{inert}"']}}
    if "unsupported" not in exchange:
        return exchange
    why = "not supported by the embedded engine; a cluster that runs Istio itself has it"
    message = f'admission webhook "embedded.kata" denied the request: {exchange["unsupported"]}: {why}'
    return {**exchange, "answer": {"code": 400, "status": "Failure", "message": message}}


@pytest.mark.parametrize(
    "resource", [kind for kind in RESOURCES.values() if kind.unsupported], ids=lambda kind: kind.kind
)
async def test_a_kind_that_is_not_served_is_refused_by_name(client: Client, resource: Resource) -> None:
    root = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
    scope = f"/namespaces/{recording.NAMESPACE}" if resource.namespaced else ""
    path = f"{root}{scope}/{resource.plural}"
    body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": "a"}}
    created = await ask(client, {"method": "POST", "path": path, "body": body})
    applied = await ask(
        client,
        {
            "method": "PATCH",
            "path": f"{path}/a?fieldManager=test",
            "type": "application/apply-patch+yaml",
            "body": body,
        },
    )
    why = f"the embedded engine does not support {resource.kind}; a cluster that runs it does"
    for answer in (created, applied):
        assert (answer["code"], answer["reason"]) == (403, "Forbidden")
        assert answer["message"].endswith(why)
    listed = await ask(client, {"method": "GET", "path": path})
    assert listed["object"]["items"] == []
