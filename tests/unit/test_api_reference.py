"""The API answers here as it was recorded on a real API server: objects, refusals, every word."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import recording
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from control_plane import make_registry

from kata_lib.engines.embedded.addresses import PortPlan
from kata_lib.engines.embedded.api.server import make_app
from kata_lib.engines.embedded.controllers import DefinitionController
from kata_lib.engines.embedded.kubelet.admission import refuse_pod
from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.engines.embedded.registry.custom_resources import ensure_definitions
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.table import RESOURCES
from kata_lib.engines.embedded.state import State

TOKEN = "secret"
Client = TestClient[web.Request, web.Application]


class RecordedRange(PortPlan):
    """The addresses of Services that the recorded cluster had."""

    service_range = "10.96.0.0/16"

    def holds_service(self, address: str) -> bool:
        return address.startswith("10.96.")


async def no_log(*asked: Any) -> AsyncIterator[bytes]:
    return
    yield b""


@asynccontextmanager
async def api_server() -> AsyncIterator[Client]:
    """Yield a client of an API server, whose part that establishes definitions runs as well."""
    plan = RecordedRange(State(Path("unused")), {"kind": "ports", "server": 20000})
    registry = make_registry(recording.NAMESPACE, addresses=plan, admission=[refuse, refuse_pod])
    ensure_definitions(registry)
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


@cache
def answers(name: str) -> list[dict[str, Any]]:
    """Return what is answered here to the requests of one file, sent one after the other."""

    async def send() -> list[dict[str, Any]]:
        async with api_server() as client:
            return [await ask(client, asked) for asked in recording.exchanges(name)]

    return asyncio.run(send())


RECORDED = [
    (file.stem, place, exchange)
    for file in sorted(recording.EXCHANGES.glob("*.json"))
    for place, exchange in enumerate(recording.exchanges(file.stem))
]
REQUESTS = [
    f"{name} {place}: {exchange['method']} {exchange['path'].partition('?')[0].rpartition('/')[2]}"
    for name, place, exchange in RECORDED
]


@pytest.mark.parametrize(("name", "place", "exchange"), RECORDED, ids=REQUESTS)
def test_the_api_answers_as_recorded(name: str, place: int, exchange: dict[str, Any]) -> None:
    assert answers(name)[place] == _as_here(exchange)["answer"]


def _as_here(exchange: dict[str, Any]) -> dict[str, Any]:
    """Return what a recorded exchange is here: what this engine has not, it refuses by name, or it warns."""
    path, answer = exchange["path"].partition("?")[0], exchange["answer"]
    if answer["code"] == 201 and path.startswith("/apis/") and (why := _without_effect(path, answer)):
        warnings = [*answer.get("warnings", ()), f'299 - "{why}"']
        return {**exchange, "answer": {**answer, "warnings": warnings}}
    if "unsupported" not in exchange:
        return exchange
    why = "not supported by the embedded engine; a cluster that runs Istio itself has it"
    message = f'admission webhook "embedded.kata" denied the request: {exchange["unsupported"]}: {why}'
    return {**exchange, "answer": {"code": 400, "status": "Failure", "message": message}}


def _without_effect(path: str, answer: dict[str, Any]) -> str:
    """Return the warning that this engine adds where an object is kept on which nobody acts."""
    _, _, group, _, *place = path.split("/")
    plural = place[2] if place[0] == "namespaces" and len(place) > 2 else place[0]
    if group == "example.com":
        kind = answer["object"]["kind"]
        return f"this {kind} is kept and nothing comes of it: no controller watches {plural}.{group}"
    return RESOURCES[plural].inert if plural in RESOURCES else ""


@pytest.mark.parametrize(
    "resource", [kind for kind in RESOURCES.values() if kind.unsupported], ids=lambda kind: kind.kind
)
async def test_a_kind_that_is_not_served_is_refused_by_name(resource: Resource) -> None:
    root = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
    scope = f"/namespaces/{recording.NAMESPACE}" if resource.namespaced else ""
    path = f"{root}{scope}/{resource.plural}"
    body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": "a"}}
    async with api_server() as client:
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
        listed = await ask(client, {"method": "GET", "path": path})
    why = f"the embedded engine does not support {resource.kind}; a cluster that runs it does"
    for answer in (created, applied):
        assert (answer["code"], answer["reason"]) == (403, "Forbidden")
        assert answer["message"].endswith(why)
    assert listed["object"]["items"] == []
