"""YAML as the real kubectl reads it, recorded text by text."""

import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from control_plane import make_registry
from hypothesis import given, settings
from hypothesis import strategies as st

from kata_lib.cluster.documents import MAX_DEPTH, Unreadable, documents, read_json, read_yaml
from kata_lib.cluster.manifests import parse
from kata_lib.engines.embedded.api.server import make_app
from kata_lib.engines.embedded.controllers import DefinitionController
from kata_lib.errors import ManifestError
from recorders.yaml_texts import KIND

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "reference/yaml.json").read_text())
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
"""A hundred million strings in half a kilobyte."""


def exact(value: Any) -> str:
    """Return a value so that 1 and 1.0 differ, and numbers beyond 64 bits are as near as a float is."""
    parsed = json.loads(json.dumps(value), parse_int=lambda text: _number(int(text)))
    return json.dumps(parsed, sort_keys=True)


def _number(whole: int) -> int | float:
    return whole if -(2**63) <= whole < 2**63 else float(whole)


@pytest.mark.parametrize("case", RECORDED, ids=range(len(RECORDED)))
def test_a_text_says_what_it_says_to_kubectl(case: dict[str, Any]) -> None:
    if words := case.get("refused"):
        with pytest.raises(ManifestError) as refused:
            parse(case["text"], "a.yaml")
        said = str(refused.value)
        assert words.removeprefix("error: error parsing STDIN: ") in said
        assert "\n" not in said
    else:
        assert exact(parse(case["text"], "a.yaml")) == exact(case["objects"])


def test_enough_is_recorded() -> None:
    assert len(RECORDED) > 400
    assert sum("refused" in case for case in RECORDED) > 80


@pytest.fixture
async def things() -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """A server of the recorded texts' kind."""
    registry = make_registry()
    made = registry.create("customresourcedefinitions", None, KIND, manager="test")
    DefinitionController(registry).reconcile(made["metadata"]["name"])
    app = make_app(registry, token="t", logs=lambda *_: _nothing(), reach=lambda *_: ("127.0.0.1", 9))
    async with TestClient(TestServer(app), headers={"Authorization": "Bearer t"}) as client:
        yield client


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


ONE_DOCUMENT = [
    case
    for case in RECORDED
    if len(case["objects"]) < 2 and not any(word in case["text"] for word in ("---", "List", '"apiVersion"'))
]


@pytest.mark.parametrize(
    ("method", "name", "content_type"),
    [("POST", "", "application/yaml"), ("PATCH", "/it", "application/apply-patch+yaml")],
)
async def test_a_body_says_what_it_says_to_kubectl(
    things: TestClient[web.Request, web.Application], method: str, name: str, content_type: str
) -> None:
    url = f"/apis/yaml.example/v1/namespaces/default/things{name}?dryRun=All&fieldManager=a"
    headers = {"Content-Type": content_type}
    for case in ONE_DOCUMENT[::4]:  # a request takes ten times as long as reading
        answer = await things.request(method, url, data=case["text"].encode(), headers=headers)
        said = await answer.json()
        if words := case.get("refused"):
            assert answer.status == 400
            assert words.rpartition("error converting YAML to JSON: ")[2] in said["message"]
        else:
            assert exact(said.get("spec")) == exact(case["objects"][0].get("spec"))


def test_a_bomb_of_aliases_is_refused_before_it_is_unfolded() -> None:
    began = time.process_time()
    with pytest.raises(Unreadable, match="document contains excessive aliasing"):
        read_yaml(BOMB.encode())
    assert time.process_time() - began < 1  # unfolded it would take minutes


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000, "- " * 100_000])
def test_what_is_nested_too_deeply_is_refused(deep: str) -> None:
    with pytest.raises(Unreadable, match="exceeded max depth"):
        read_yaml(deep.encode())
    with pytest.raises(Unreadable):
        read_json(deep.encode())


def test_what_is_nested_as_deeply_as_may_be_is_read() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read_json(deep.encode()) == read_yaml(deep.encode())


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=8,
)


@settings(max_examples=30)
@given(JSON_VALUES)
def test_json_is_read_as_what_was_written(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value
    assert read_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(
    st.binary(max_size=40)
    | st.text(alphabet="ab:-#{}[]\"'|>&*!%@`, \n\t?~\\0189._<", max_size=30).map(str.encode)
)
def test_whatever_a_file_holds_is_json_or_unreadable(raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        json.dumps(list(documents(raw)), allow_nan=False)
