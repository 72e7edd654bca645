"""What the Gateway API's conformance suite asks a mesh, read from its own Go files: literals as values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[A-Za-z_][\w.]*|\d+|\S')
_COMMENT = re.compile(r"^\s*//.*$|\s//[^\"\n]*$", re.MULTILINE)
_CASES = re.compile(r"(\w*?)[cC]ases := (?=\[\]http\.ExpectedResponse)")
_ALONE = re.compile(r"(?<!\])(?=http\.ExpectedResponse\{)")
_TESTS = "suite.ConformanceTest{"


@dataclass(frozen=True)
class Unknown:
    """A value that only running Go knows: a variable's, or what a function returns; name: of either."""

    name: str


@dataclass(frozen=True)
class GoTest:
    """One of the suite's tests: its manifests' files, and what it asks; `caller` is "consumer" or ""."""

    name: str
    manifests: tuple[str, ...]
    cases: tuple[tuple[str, dict[str, Any]], ...]


def read(folder: Path) -> Iterator[GoTest]:
    """Yield the tests of a folder of Go files, each with its cases, or those of the test that it repeats."""
    for file in sorted(folder.glob("*.go")):
        parts = _COMMENT.sub("", file.read_text()).split(_TESTS)[1:]
        everything = [(caller, case) for part in parts for caller, case in _cases(part)]
        for part in parts:
            own = list(_cases(part)) or everything
            manifests = re.search(r"Manifests:\s*(\[\]string\{.*?\})", part, re.DOTALL)
            name = re.search(r'ShortName:\s*"(\w+)"', part)
            assert name, f"{file}: a test without a name"
            yield GoTest(name[1], tuple(value(manifests[1])) if manifests else (), tuple(own))


def _cases(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for found in _CASES.finditer(text):
        for case in value(text[found.end() :]):
            yield found[1].removeprefix("test"), case
    for found in _ALONE.finditer(text):
        yield "", value(text[found.end() :])


def value(text: str) -> Any:
    """Return the Go literal with which a text begins: structs and maps are dicts, slices lists."""
    return _Reader(_TOKEN.findall(text)).value()


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def value(self) -> Any:
        found = self._one()
        while self._next() == "+":
            self._take()
            self._one()
        return found

    def _one(self) -> Any:
        token = self._take()
        if token[0] == '"':
            return token[1:-1]
        if token.isdigit():
            return int(token)
        if token == "&":
            return self._one()
        if token == "{":
            return self._elements()
        if token in ("[", "map"):
            self._until("{")
            return self._elements()
        if self._next() == "{":
            self._take()
            return self._elements()
        if self._next() == "(":
            self._until(")")
            return Unknown(token)
        return {"true": True, "false": False}.get(token, Unknown(token))

    def _elements(self) -> Any:
        named, plain = dict[str, Any](), list[Any]()
        while self._next() != "}":
            first = self._take_key()
            if first is None:
                plain.append(self.value())
            else:
                named[first] = self.value()
            if self._next() == ",":
                self._take()
        self._take()
        return named if named else plain

    def _take_key(self) -> str | None:
        """Return the key before a colon, None where the element has none."""
        if self._tokens[self._at + 1] != ":":
            return None
        key = self._take().strip('"')
        self._take()
        return key

    def _until(self, last: str) -> None:
        while self._take() != last:
            pass

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]
