"""Random requests of what the server declares: each is answered, by no 5xx, and nothing of it stays."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from api_requests import Asked, Requests, shown
from control_plane import deployment, make_registry, service
from yarl import URL

from kata_lib.engines.embedded.api.server import PROTOCOL, make_app
from kata_lib.engines.embedded.controllers import (
    Controller,
    DefinitionController,
    DeploymentController,
    EndpointSliceController,
    GarbageCollector,
    NamespaceController,
    ReplicaSetController,
)
from kata_lib.engines.embedded.registry.registry import Registry
from recorders.yaml_texts import KIND

GROUPS = (
    "api/v1",
    "apis/apps/v1",
    "apis/batch/v1",
    "apis/networking.istio.io/v1",
    "apis/yaml.example/v1",
    "apis/apiextensions.k8s.io/v1",
)
ANSWER_SECONDS = 30.0
REAL_500 = "failed to create typed patch object"
"""A real API server answers so with 500 where what is applied does not fit its schema."""

SOME, MANY = 300, 10_000
KEPT_OBJECTS = 20_000
"""Python objects that may stay when 10,000 requests and all that they made are gone."""

Client = TestClient[web.Request, web.Application]


async def no_log(*_: Any) -> AsyncIterator[bytes]:
    return
    yield b""


async def ask(client: Client, asked: Asked) -> str:
    """Send a request and return what a 5xx says, nothing of any other answer."""
    path = quote(asked.path, safe="/%", errors="surrogatepass")
    query = urlencode(asked.query, errors="surrogatepass")
    async with asyncio.timeout(ANSWER_SECONDS):
        answer = await client.request(
            asked.method, URL(f"{path}?{query}", encoded=True), data=asked.body, headers=asked.headers
        )
        said = await answer.text()
    return said if answer.status >= 500 and REAL_500 not in said else ""


async def answered(count: int, seed: int) -> tuple[list[str], Registry]:
    """Send so many requests; return those that were answered by a 5xx, and the registry they left."""
    registry = make_registry()
    controllers: list[Controller[Any]] = [
        DefinitionController(registry),
        DeploymentController(registry),
        ReplicaSetController(registry),
        EndpointSliceController(registry),
        GarbageCollector(registry),
        NamespaceController(registry, "a certificate"),
    ]
    for controller in controllers:
        controller.start()
    registry.create("customresourcedefinitions", None, KIND, manager="test")
    registry.create("deployments", "default", deployment("it"), manager="test")
    registry.create("services", "default", service("it"), manager="test")
    server = TestServer(make_app(registry, token="t", logs=no_log, reach=lambda *_: ("127.0.0.1", 9)))
    await server.start_server(**PROTOCOL)
    failed = []
    async with TestClient(server, headers={"Authorization": "Bearer t"}) as client:
        documents = [await (await client.get(f"/openapi/v3/{group}")).json() for group in GROUPS]
        made = iter(Requests(documents, random.Random(seed)))
        for _ in range(count):
            asked = next(made)
            if said := await ask(client, asked):
                failed.append(f"{shown(asked)}: {said}")
    for controller in controllers:
        controller.stop()
    return failed, registry


async def test_no_request_is_answered_by_an_error_of_the_server() -> None:
    failed, registry = await answered(SOME, seed=20)
    assert failed == []
    for row in registry.resources:
        if not row.unsupported:
            registry.list(row.key)


@pytest.mark.long
async def test_of_ten_thousand_requests_none_is_an_error_and_nothing_stays() -> None:
    await answered(SOME, seed=0)  # what is loaded once
    gc.collect()
    before = len(gc.get_objects())
    failed, _ = await answered(MANY, seed=21)
    assert failed == []
    gc.collect()
    assert len(gc.get_objects()) - before < KEPT_OBJECTS
