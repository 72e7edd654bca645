"""What no client should send: the answer has the real server's words or code, and nothing of it is kept."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from control_plane import make_registry

from kata_lib.cluster.documents import MAX_DEPTH
from kata_lib.engines.embedded.api.server import PROTOCOL, make_app
from kata_lib.engines.embedded.controllers import DefinitionController
from kata_lib.engines.embedded.registry.metadata import MAX_VALUES
from recorders.yaml_texts import KIND

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
THINGS = "/apis/yaml.example/v1/namespaces/default/things"
Client = TestClient[web.Request, web.Application]


async def no_log(*_: Any) -> AsyncIterator[bytes]:
    return
    yield b""


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    registry = make_registry()
    made = registry.create("customresourcedefinitions", None, KIND, manager="test")
    DefinitionController(registry).reconcile(made["metadata"]["name"])
    app = make_app(registry, token="t", logs=no_log, reach=lambda *_: ("127.0.0.1", 9))
    server = TestServer(app)
    await server.start_server(**PROTOCOL)
    async with TestClient(server, headers={"Authorization": "Bearer t"}) as client:
        yield client


def config_map(**fields: Any) -> bytes:
    metadata = {"name": "it", **fields.pop("metadata", {})}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **fields}).encode()


def thing(spec: str) -> bytes:
    head = '"apiVersion": "yaml.example/v1", "kind": "Thing", "metadata": {"name": "it"}'
    return f'{{{head}, "spec": {spec}}}'.encode()


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


UNREADABLE = "the object provided is unrecognized (must be of type ConfigMap): "
JSON_ERROR = f"{UNREADABLE}couldn't get version/kind; json parse error: "


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "unexpected end of JSON input (<empty>)"),
        (b"   ", "unexpected end of JSON input (202020)"),
        (b'{"a":', 'unexpected end of JSON input ({"a":)'),
        (b'{"a":1}{', "invalid character '{' after top-level value ({\"a\":1}{)"),
        (b'{"a":NaN}', "invalid character 'N' looking for beginning of value ({\"a\":NaN})"),
        (b"{a:1}", "invalid character 'a' looking for beginning of object key string ({a:1})"),
        (b"[1,]", "invalid character ']' looking for beginning of value (5b312c5d)"),
        (b"[1 2]", "invalid character '2' after array element (5b3120325d)"),
        (b'{"a" 1}', "invalid character '1' after object key ({\"a\" 1})"),
        (b'{"a":1 "b"}', 'invalid character \'"\' after object key:value pair ({"a":1 "b"})'),
        (b'{"a":"\x01"}', 'invalid character \'\\x01\' in string literal ({"a":"\x01"})'),
        (b'{"a":"\\q"}', 'invalid character \'q\' in string escape code ({"a":"\\q"})'),
        (gzip.compress(b"{}", mtime=0), "invalid character '\\x1f' looking for beginning of value (1f8b"),
        (b"[" * 100_000, "invalid character '[' exceeded max depth (5b5b"),
        (b'{"kind":5}', "json: cannot unmarshal number into Go struct field .kind of type string"),
        (b"[]", "json: cannot unmarshal array into Go value of type struct { APIVersion string"),
    ],
    ids=repr,
)
async def test_what_is_no_json_is_refused_in_the_real_words(client: Client, body: bytes, words: str) -> None:
    """Recorded from an API server; the depth is ours."""
    answer = await client.post(CONFIG_MAPS, data=body, headers={"Content-Type": "application/json"})
    said = await answer.json()
    assert answer.status == 400
    assert said["message"].startswith(JSON_ERROR + words)


@pytest.mark.parametrize(
    ("content_type", "before"),
    [
        ("application/apply-patch+yaml", "error decoding YAML: error converting YAML to JSON: yaml: "),
        ("application/merge-patch+json", "error decoding patch: "),
        ("application/json-patch+json", "error decoding patch: "),
    ],
)
async def test_an_unreadable_patch_is_refused_in_the_real_words(
    client: Client, content_type: str, before: str
) -> None:
    answer = await client.patch(
        f"{CONFIG_MAPS}/it?fieldManager=a", data=b"[" * 100_000, headers={"Content-Type": content_type}
    )
    assert answer.status == 400
    assert (await answer.json())["message"].startswith(before)
    assert "exceeded max depth" in (await answer.json())["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (thing(nested(MAX_DEPTH)), 400),
        (thing("NaN"), 400),
        (thing("1e999"), 400),
        (thing("[" + "1," * MAX_VALUES + "1]"), 413),
        (config_map(metadata={"labels": {f"l{n}": "x" for n in range(100_000)}}), 413),
        (config_map(data={"a": "x" * 2_000_000}), 422),
        (config_map(data={"a": "x" * 4_000_000}), 413),
        (config_map(metadata={"name": "\udc80"}), 422),
    ],
    ids=["nested", "NaN", "1e999", "many values", "many labels", "2 MB", "4 MB", "half a surrogate"],
)
async def test_nothing_is_kept_of_what_is_refused(client: Client, body: bytes, code: int) -> None:
    path = THINGS if b"Thing" in body else CONFIG_MAPS
    answer = await client.post(path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == code
    listed = await client.get(path)
    assert (await listed.json())["items"] == []


async def test_what_is_odd_and_taken_is_listed_as_it_is_kept(client: Client) -> None:
    taken = {
        f"{THINGS}": thing(nested(MAX_DEPTH - 2)),
        f"{CONFIG_MAPS}": rb'{"metadata": {"name": "it"}, "data": {"a": "\ud800\u0000"}, "z\u0001\ud800": 1}',
    }
    for path, body in taken.items():
        answer = await client.post(path, data=body, headers={"Content-Type": "application/json"})
        assert answer.status == 201
        (listed,) = (await (await client.get(path)).json())["items"]
        assert listed["metadata"]["name"] == "it"
    assert listed["data"] == {"a": "\N{REPLACEMENT CHARACTER}\0"}


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "words"),
    [
        (
            "POST",
            CONFIG_MAPS,
            b'{"metadata":{"generation":%s}}' % (b"9" * 10_000),
            400,
            "cannot unmarshal number",
        ),
        ("DELETE", f"{CONFIG_MAPS}/it", b'{"preconditions":5}', 400, "DeleteOptions.preconditions of type"),
        (
            "DELETE",
            f"{CONFIG_MAPS}/it",
            b'{"preconditions":{"uid":5}}',
            400,
            "preconditions.uid of type types.UID",
        ),
        (
            "DELETE",
            f"{CONFIG_MAPS}/it",
            b'{"gracePeriodSeconds":1.5}',
            400,
            "number 1.5 into Go struct field",
        ),
        (
            "DELETE",
            f"{CONFIG_MAPS}/it",
            b'{"gracePeriodSeconds":1e30}',
            400,
            "gracePeriodSeconds of type int64",
        ),
        ("DELETE", f"{CONFIG_MAPS}/it", b'{"propagationPolicy":[]}', 400, "type v1.DeletionPropagation"),
        ("DELETE", f"{CONFIG_MAPS}/it", b'{"dryRun":"All"}', 400, "DeleteOptions.dryRun of type []string"),
        (
            "DELETE",
            f"{CONFIG_MAPS}/it",
            b'{"kind":"Pod","apiVersion":"v1"}',
            400,
            'no kind "Pod" is registered',
        ),
        (
            "DELETE",
            f"{CONFIG_MAPS}/it",
            b'{"propagationPolicy":"Orphan","orphanDependents":true}',
            422,
            "cannot be both set",
        ),
        ("DELETE", f"{CONFIG_MAPS}/it?gracePeriodSeconds={'9' * 20}", b"", 400, "value out of range"),
        ("DELETE", "/api/v1/configmaps", b"", 405, "does not allow this method"),
        ("POST", "/api/v1/pods", b"{}", 405, "does not allow this method"),
        ("POST", "/apis/apps/v1", b"{}", 405, "does not allow this method"),
        (
            "PUT",
            f"{CONFIG_MAPS}/it",
            b'{"data":{}}',
            400,
            "(it based on URL) was undeterminable: name must be",
        ),
        ("GET", f"{CONFIG_MAPS}?resourceVersionMatch=Exact", b"", 422, "forbidden unless resourceVersion is"),
        (
            "GET",
            f"{CONFIG_MAPS}?resourceVersionMatch=x&resourceVersion=1",
            b"",
            422,
            'Unsupported value: "x"',
        ),
        ("GET", f"{CONFIG_MAPS}?watch=1&resourceVersionMatch=Exact", b"", 422, "forbidden for watch unless"),
        ("GET", f"{CONFIG_MAPS}?sendInitialEvents=true", b"", 422, "sendInitialEvents is forbidden for list"),
        ("GET", f"{CONFIG_MAPS}?labelSelector=a>{'9' * 19}", b"", 400, "the value must be an integer"),
        (
            "GET",
            f"{CONFIG_MAPS}?fieldSelector=metadata.name=a%5Cb",
            b"",
            400,
            r"invalid escape sequence: \b",
        ),
        ("GET", "/api/v1/namespaces/default/pods/no/exec?command=a", b"", 404, 'pods "no" not found'),
    ],
)
async def test_odd_requests_get_the_real_words(
    client: Client, method: str, path: str, body: bytes, code: int, words: str
) -> None:
    """Each as an API server 1.36 answered it."""
    await client.post(CONFIG_MAPS, data=config_map(), headers={"Content-Type": "application/json"})
    answer = await client.request(method, path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == code
    assert words in (await answer.json())["message"]


async def test_an_escaped_comma_is_part_of_a_fields_value(client: Client) -> None:
    await client.post(CONFIG_MAPS, data=config_map(), headers={"Content-Type": "application/json"})
    for selector, count in (
        (r"metadata.name!=a\,b", 1),
        (r"metadata.name=it,metadata.name!=\=", 1),
        (r"metadata.name=\\", 0),
    ):
        answer = await client.get(CONFIG_MAPS, params={"fieldSelector": selector})
        assert len((await answer.json())["items"]) == count


@pytest.mark.parametrize("fields", ['{"f:data": 5}', '{"f:data": {"f:a": [1]}}'])
async def test_managed_fields_that_are_none_are_left_out(client: Client, fields: str) -> None:
    entry = f'{{"manager": "a", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {fields}}}'
    body = f'{{"metadata": {{"name": "it", "managedFields": [{entry}]}}}}'
    answer = await client.post(CONFIG_MAPS, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 201


@pytest.mark.parametrize("quantity", ["1e999999999", "9" * 400, "0." + "1" * 50, "1e99"])
async def test_a_quantity_that_nothing_holds_is_refused(client: Client, quantity: str) -> None:
    """A real API server computes on 1e999999999 until the client gives up."""
    container = {"name": "main", "image": "a", "resources": {"limits": {"memory": quantity}}}
    pod = {"metadata": {"name": "it"}, "spec": {"containers": [container]}}
    answer = await client.post("/api/v1/namespaces/default/pods", json=pod)
    assert answer.status == 400
    assert "quantities must match" in await answer.text()


async def test_copies_in_a_patch_are_bounded(client: Client) -> None:
    await client.post(
        THINGS, data=thing('{"a": "%s"}' % ("x" * 1000)), headers={"Content-Type": "application/json"}
    )
    doubled = [{"op": "copy", "from": "/spec", "path": f"/spec/{'bc'[n % 2]}"} for n in range(80)]
    answer = await client.patch(
        f"{THINGS}/it", data=json.dumps(doubled), headers={"Content-Type": "application/json-patch+json"}
    )
    assert answer.status == 422


async def test_a_patch_has_ten_thousand_operations_at_most(client: Client) -> None:
    await client.post(THINGS, data=thing("{}"), headers={"Content-Type": "application/json"})
    many = [{"op": "test", "path": "/kind", "value": "Thing"}] * 10_001
    answer = await client.patch(
        f"{THINGS}/it", data=json.dumps(many), headers={"Content-Type": "application/json-patch+json"}
    )
    assert answer.status == 413
    assert "The allowed maximum operations in a JSON patch is 10000, got 10001" in await answer.text()


@pytest.mark.parametrize("text", ["inf", "NaN", "1e400", "99999999999999999999", "1h"])
@pytest.mark.parametrize("parameter", ["limit", "timeoutSeconds"])
async def test_a_number_that_is_none_is_refused(client: Client, parameter: str, text: str) -> None:
    answer = await client.get(f"{CONFIG_MAPS}?{parameter}={text}")
    assert answer.status == 400
    assert f'parsing "{text}"' in (await answer.json())["message"]


async def test_a_long_name_or_header_is_answered(client: Client) -> None:
    answer = await client.get(f"{CONFIG_MAPS}/{'x' * 10_000}")
    assert answer.status == 404
    assert (await client.get(CONFIG_MAPS, headers={"X-Long": "x" * 100_000})).status == 200


async def test_a_version_is_the_servers_to_give(client: Client) -> None:
    created = await client.post(
        CONFIG_MAPS,
        data=config_map(metadata={"resourceVersion": "7"}),
        headers={"Content-Type": "application/json"},
    )
    refused = await created.json()
    assert (refused["code"], refused["message"]) == (
        500,
        "resourceVersion should not be set on objects to be created",
    )
    assert "reason" not in refused
    assert (await client.get(f"{CONFIG_MAPS}/it")).status == 404


async def test_a_list_from_the_future_is_refused_as_clients_know_it(client: Client) -> None:
    refused = await (await client.get(f"{CONFIG_MAPS}?resourceVersion=9999999999")).json()
    assert (refused["code"], refused["reason"]) == (504, "Timeout")
    assert refused["message"].startswith("Timeout: Too large resource version: 9999999999, current: ")
    assert refused["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


@pytest.mark.parametrize(
    ("path", "code"), [("/healthz", 200), ("/readyz/ping", 200), ("/livez/", 200), ("/healthz/x", 404)]
)
async def test_only_checks_that_there_are_are_healthy(client: Client, path: str, code: int) -> None:
    assert (await client.get(path)).status == code


@pytest.mark.parametrize(("field", "value"), [("op", 5), ("path", 5), ("from", [])])
async def test_an_operation_is_made_of_texts(client: Client, field: str, value: Any) -> None:
    await client.post(CONFIG_MAPS, data=config_map(), headers={"Content-Type": "application/json"})
    operation = {"op": "copy", "path": "/data", "from": "/data", field: value}
    headers = {"Content-Type": "application/json-patch+json"}
    answer = await client.patch(f"{CONFIG_MAPS}/it", data=json.dumps([operation]), headers=headers)
    refused = await answer.json()
    kind = "array" if value == [] else "number"
    assert (refused["code"], refused["message"]) == (
        400,
        f"error decoding patch: json: cannot unmarshal {kind} into Go struct field"
        f" jsonPatchOp.{field} of type string",
    )


@pytest.mark.parametrize("metadata", ["x", [], 5])
async def test_another_kind_is_refused_whatever_its_metadata_are(client: Client, metadata: Any) -> None:
    body = {"apiVersion": "yaml.example/v1", "kind": "Other", "metadata": metadata}
    answer = await client.post(THINGS, data=json.dumps(body), headers={"Content-Type": "application/json"})
    refused = await answer.json()
    assert refused["code"] == 422
    assert "must be Thing" in refused["message"]


@pytest.mark.parametrize("metadata", ["x", [], 5])
async def test_a_kind_that_is_not_supported_is_refused_whatever_its_metadata_are(
    client: Client, metadata: Any
) -> None:
    path = "/apis/security.istio.io/v1/namespaces/default/peerauthentications"
    body = {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": metadata}
    answer = await client.post(path, data=json.dumps(body), headers={"Content-Type": "application/json"})
    refused = await answer.json()
    assert refused["code"] == 403
    assert "PeerAuthentication" in refused["message"]
