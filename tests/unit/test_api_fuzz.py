"""Random requests of what the server declares: each is answered, by no 5xx, and nothing of it stays."""

import asyncio
import gc
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import psutil
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

ANSWER_SECONDS = 30.0
REAL_500 = ("failed to create typed patch object", "does not contain declared merge key")
"""A real API server answers so with 500 where a patch does not fit the kind's schema."""

SOME, MANY = 300, 10_000
KEPT_OBJECTS = 20_000
"""Python objects that may stay when 10,000 requests and all that they made are gone."""

Client = TestClient[web.Request, web.Application]


async def no_log(*_: Any) -> AsyncIterator[bytes]:
    return
    yield b""


@dataclass
class Answers:
    """How many requests were answered by which status, the slowest (s), and each 5xx with its request."""

    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    failed: list[str] = field(default_factory=list)


async def ask(client: Client, asked: Asked, answers: Answers) -> None:
    """Send a request and note how it is answered."""
    path = quote(asked.path, safe="/%", errors="surrogatepass")
    query = urlencode(asked.query, errors="surrogatepass")
    began = time.monotonic()
    async with asyncio.timeout(ANSWER_SECONDS):
        answer = await client.request(
            asked.method, URL(f"{path}?{query}", encoded=True), data=asked.body, headers=asked.headers
        )
        said = await answer.text()
    if asked.query.get("watch") is None:
        answers.slowest = max(answers.slowest, time.monotonic() - began)
    answers.statuses[answer.status] += 1
    if is_failure(answer.status, said):
        answers.failed.append(f"{shown(asked)}: {said}")


def is_failure(status: int, said: str) -> bool:
    """Return whether an answer tells of a failure of this server that a real one has not."""
    return status >= 500 and not any(words in said for words in REAL_500)


async def answered(count: int, seed: int) -> tuple[Answers, Registry]:
    """Send so many requests; return how they were answered, and the registry they left."""
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
    answers = Answers()
    async with TestClient(server, headers={"Authorization": "Bearer t"}) as client:
        index = await (await client.get("/openapi/v3")).json()
        documents = [await (await client.get(f"/openapi/v3/{group}")).json() for group in index["paths"]]
        made = iter(Requests(documents, random.Random(seed)))
        for _ in range(count):
            await ask(client, next(made), answers)
    for controller in controllers:
        controller.stop()
    return answers, registry


async def test_no_request_is_answered_by_an_error_of_the_server() -> None:
    answers, registry = await answered(SOME, seed=20)
    assert answers.failed == []
    for row in registry.resources:
        if not row.unsupported:
            registry.list(row.key)


@pytest.mark.long
async def test_of_ten_thousand_requests_none_is_an_error_and_nothing_stays() -> None:
    await answered(SOME, seed=0)  # what is loaded once
    gc.collect()
    process = psutil.Process()
    before, memory = len(gc.get_objects()), process.memory_info().rss
    answers, registry = await answered(MANY, seed=21)
    del registry
    gc.collect()
    print(
        f"{dict(sorted(answers.statuses.items()))}; slowest {answers.slowest:.2f} s;"
        f" objects {before} -> {len(gc.get_objects())};"
        f" memory {memory / 1e6:.0f} -> {process.memory_info().rss / 1e6:.0f} MB"
    )
    assert answers.failed == []
    assert len(gc.get_objects()) - before < KEPT_OBJECTS
