"""Requests that nobody thought of, made at random from the server's own OpenAPI documents."""

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

ODD_TEXTS = (
    *("", " ", "a", "it", "A_B", "..", "a/b", "%00", "../..", "*", "true", "null", "kube-system", "default"),
    *("\0", "\x01", "\x7f", "\u0085", "\u00e9", "\ud800", "\u2028", "\U0001f600", "x" * 300, "x" * 5000),
    *("0", "-1", "1e9", "NaN", "inf", "99999999999999999999", "a=b", "a in (b", "!a", "metadata.name=it"),
    *("Exact", "NotOlderThan", "All", "Strict", "Orphan", "Foreground", "$ref"),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 65536, 2**31, 2**63, 2**64, 1.5, -0.0, 1e308),
    *([], {}, [[]], {"": None}, [None]),
    *ODD_TEXTS,
)
ODD_BODIES = (
    *(
        b"",
        b" ",
        b"null",
        b"5",
        b"[]",
        b"{}",
        b"{",
        b"[[",
        b'{"a":',
        b"NaN",
        b"a: b: c",
        b"- a",
        b"a: &a [*a]",
    ),
    *(b"\xff\xfe", b"\x1f\x8b\x08", b"k8s\x00\x0a\x05", b"[" * 5000, b'{"a":' * 5000, b'"' * 100),
    *(b'{"metadata": 5}', b'{"metadata": null, "spec": null}'),
)
CONTENT_TYPES = (
    "application/json",
    "application/yaml",
    "application/apply-patch+yaml",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
    "application/vnd.kubernetes.protobuf",
    "application/json; charset=utf-16",
    "text/plain",
    "",
)
ACCEPTED = (
    "application/json",
    "*/*",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/yaml",
    "a",
    "",
)
DEEPEST = 6


@dataclass(frozen=True)
class Asked:
    """One request: what a test needs to send it, and to show it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes | None


@dataclass
class Requests:
    """Makes requests of what the documents declare: mostly as they say, and here and there not."""

    documents: list[Json]
    chance: random.Random

    def __post_init__(self) -> None:
        self._operations = [
            (document, path, method, operation)
            for document in self.documents
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def __iter__(self) -> Iterator[Asked]:
        while True:
            yield self._request(*self.chance.choice(self._operations))

    def _request(self, document: Json, path: str, method: str, operation: Json) -> Asked:
        declared = operation.get("parameters", [])
        filled = path.replace("{namespace}", self._one_of("default")).replace("{name}", self._one_of("it"))
        query = {
            parameter["name"]: self._parameter(parameter["schema"])
            for parameter in declared
            if parameter["in"] == "query" and self._rarely(0.2)
        }
        if "watch" in query:
            query["timeoutSeconds"] = "1"
        contents = operation.get("requestBody", {}).get("content", {})
        headers = {"Accept": self.chance.choice(ACCEPTED)}
        body = None
        if contents or self._rarely(0.05):
            kind = (
                self._one_of(*contents, odd=CONTENT_TYPES) if contents else self.chance.choice(CONTENT_TYPES)
            )
            headers["Content-Type"] = kind
            body = self._body(document, operation, kind, contents.get(kind, {}).get("schema", {}), filled)
        return Asked(
            self._one_of(method.upper(), odd=("GET", "PUT", "PATCH", "DELETE", "POST")),
            filled,
            query,
            headers,
            body,
        )

    def _body(self, document: Json, operation: Json, kind: str, schema: Json, path: str) -> bytes:
        if self._rarely(0.08):
            return self.chance.choice(ODD_BODIES)
        if "json-patch" in kind:
            return _encoded([self._operation() for _ in range(self.chance.randint(0, 4))])
        named = operation.get("x-kubernetes-group-version-kind", {})
        made = self._value(document, _of_kind(document, named) if "patch" in kind else schema, 0)
        if isinstance(made, dict) and not self._rarely(0.05):
            self._give_name(made, named, path.rpartition("/")[2])
        return _encoded(made)

    def _give_name(self, made: Json, named: Json, name: str) -> None:
        """Make an object one of the path's: most others are refused before anything is looked at."""
        version = "/".join(filter(None, (named.get("group"), named.get("version"))))
        made |= {"kind": named.get("kind", ""), "apiVersion": version}
        if self._rarely(0.05):
            return
        found = made.get("metadata")
        others = ("namespace", "resourceVersion", "uid", "generateName")
        metadata = found if isinstance(found, dict) else {}
        made["metadata"] = {key: of for key, of in metadata.items() if key not in others} | {"name": name}

    def _operation(self) -> Json:
        steps = (
            "metadata",
            "spec",
            "labels",
            "a",
            "0",
            "-",
            "",
            "~1",
            "template",
            "replicas",
            "containers",
            "status",
        )
        pointer = "".join(f"/{self.chance.choice(steps)}" for _ in range(self.chance.randint(0, 4)))
        return {
            "op": self._one_of("add", "replace", "remove", "test", "copy", "move", odd=("", "x")),
            "path": pointer,
            "from": "/metadata",
            "value": self.chance.choice(ODD_VALUES),
        }

    def _parameter(self, schema: Json) -> str:
        usual = {"integer": ("0", "1", "100"), "boolean": ("true", "false")}.get(
            schema["type"], ("a", "app=name")
        )
        return self._one_of(*usual, odd=ODD_TEXTS)

    def _value(self, document: Json, schema: Json, depth: int) -> Any:
        if self._rarely(0.03):
            return self.chance.choice(ODD_VALUES)
        for reference in (schema, *schema.get("allOf", ())):
            if "$ref" in reference:
                return self._value(
                    document, document["components"]["schemas"][reference["$ref"].rpartition("/")[2]], depth
                )
        if "oneOf" in schema or "anyOf" in schema:
            return self._value(document, self.chance.choice(schema.get("oneOf") or schema["anyOf"]), depth)
        match schema.get("type"):
            case "object":
                return self._object(document, schema, depth)
            case "array":
                count = self.chance.randint(0, 2) if depth < DEEPEST else 0
                return [self._value(document, schema.get("items", {}), depth + 1) for _ in range(count)]
            case "integer" | "number":
                return self.chance.choice((0, 1, 2, 80, 5000))
            case "boolean":
                return self._rarely(0.5)
        return self.chance.choice(
            schema.get("enum") or ("a", "it", "1", "name", "http", "TCP", "2026-01-01T00:00:00Z")
        )

    def _object(self, document: Json, schema: Json, depth: int) -> Json:
        if depth > DEEPEST:
            return {}
        fields = schema.get("properties", {})
        required = schema.get("required", ())
        made = {
            name: self._value(document, inner, depth + 1)
            for name, inner in fields.items()
            if name != "status" and (name in required or self._rarely(0.5 if depth < 2 else 0.25))
        }
        if isinstance(of := schema.get("additionalProperties"), dict):
            made |= {self._one_of("app", "version"): self._value(document, of, depth + 1) for _ in range(2)}
        if self._rarely(0.03):
            made[self.chance.choice(ODD_TEXTS)] = self.chance.choice(ODD_VALUES)
        return made

    def _one_of(self, *usual: str, odd: tuple[str, ...] = ODD_TEXTS) -> str:
        return self.chance.choice(odd if self._rarely(0.08) else usual)

    def _rarely(self, share: float) -> bool:
        return self.chance.random() < share


def _of_kind(document: Json, named: Json) -> Json:
    """Return the definition of a kind, {} where the document has none."""
    for component in document["components"]["schemas"].values():
        if named in component.get("x-kubernetes-group-version-kind", ()):
            return dict(component)
    return {}


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def shown(asked: Asked) -> str:
    """Return a request so that it can be sent again."""
    body = base64.b64encode(asked.body or b"").decode()
    return f"{asked.method} {asked.path!r} {asked.query} {asked.headers} {body}"
