"""The text form of label selectors: "app=name,version in (v1,v2),!canary" to its requirements.

After k8s.io/apimachinery/pkg/labels, whose words on mistakes these are.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from kata_lib.engines.embedded.registry.status import StatusError, bad_request

_TOKEN = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)")
_SYMBOLS = frozenset({"==", "!=", "=", "!", "<", ">", "(", ")", ","})
_OPERATORS = {
    "=": "In",
    "==": "In",
    "!=": "NotIn",
    "in": "In",
    "notin": "NotIn",
    ">": "Gt",
    "<": "Lt",
}
_END = ""


@dataclass(frozen=True)
class Requirement:
    """What one label must be: `operator` is In, NotIn, Exists, DoesNotExist, Gt or Lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


def parse(text: str) -> list[Requirement]:
    """Return the requirements of a selector; raise StatusError 400 where the text is none."""
    return list(_Parser(text).requirements())


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = deque(match[1] for match in _TOKEN.finditer(text.strip()))

    def requirements(self) -> Iterator[Requirement]:
        if self._next == _END:
            return
        if not (self._at_identifier or self._next == "!"):
            raise bad_request(f"found '{self._next}', expected: !, identifier, or 'end of string'")
        while True:
            yield self._requirement()
            found = self._take()
            if found == _END:
                return
            if found != ",":
                raise bad_request(f"found '{found}', expected: ',' or 'end of string'")
            if not (self._at_identifier or self._next == "!"):
                raise bad_request(f"found '{self._next}', expected: identifier after ','")

    @property
    def _next(self) -> str:
        return self._tokens[0] if self._tokens else _END

    @property
    def _at_identifier(self) -> bool:
        return self._next != _END and self._next not in _SYMBOLS

    def _take(self) -> str:
        return self._tokens.popleft() if self._tokens else _END

    def _requirement(self) -> Requirement:
        absent = self._next == "!"
        if absent:
            self._take()
        key = self._identifier()
        if absent:
            return Requirement(key, "DoesNotExist")
        if self._next in (_END, ","):
            return Requirement(key, "Exists")
        spelled = self._take()
        if spelled not in _OPERATORS:
            raise _unparsed(f"found '{spelled}', expected: in, notin, =, ==, !=, gt, lt")
        values = self._list() if spelled in ("in", "notin") else (self._value(),)
        return Requirement(key, _OPERATORS[spelled], values)

    def _identifier(self) -> str:
        if not self._at_identifier:
            raise _unparsed(f"found '{self._next}', expected: identifier")
        return self._take()

    def _value(self) -> str:
        return "" if self._next in (_END, ",") else self._identifier()

    def _list(self) -> tuple[str, ...]:
        if (found := self._take()) != "(":
            raise _unparsed(f"found '{found}' expected: '('")
        values = [self._item()]
        while self._next == ",":
            self._take()
            values.append(self._item())
        if (found := self._take()) != ")":
            raise _unparsed(f"found '{found}', expected: ',' or ')'")
        return tuple(values)

    def _item(self) -> str:
        return self._take() if self._at_identifier else ""


def _unparsed(why: str) -> StatusError:
    return bad_request(f"unable to parse requirement: {why}")
