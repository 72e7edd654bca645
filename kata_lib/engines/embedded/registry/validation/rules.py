"""A custom resource against the CEL rules of its schema, in the words of the API server.

The evaluator is loaded when a value meets a rule for the first time: many a cluster goes without.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from kata_lib.engines.embedded.registry.schemas import Rule, Schema
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import causes, rule_functions
from kata_lib.engines.embedded.store import Obj

ABSENT: Any = object()

_RESERVED = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function"),
        *("if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)
_ESCAPED = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))

# What the evaluator says of a value that a rule cannot be applied to, and what the API server's says.
_WORDS = (
    (
        r"String to (Duration|Timestamp) conversion failed",
        r"type conversion error from 'string' to 'google.protobuf.\1'",
    ),
    (r"cannot convert (\w+) to (\w+)", r"type conversion error from '\1' to '\2'"),
    (r'Key not found in map : "(.*)"', r"no such key: \1"),
    (r"Index error: index=(-?\d+) size=\d+", r"index out of bounds: \1"),
    (r"divide by zero", "division by zero"),
    (r"No matching overloads found.*", "no such overload"),
)


_UNCHANGED = "self == oldSelf"
"""The commonest rule, which a status that is written meets: it holds without the evaluator's 13 MB."""
_FUNCTIONS = "\n(The embedded engine has CEL's own functions, and some of Kubernetes'.)"


def check(schema: Schema, obj: Obj, old: Obj | None = None) -> Iterator[Cause]:
    """Return which rules a custom resource breaks; `old` is the state that it is to replace, if any."""
    return _value(schema, obj, ABSENT if old is None else old, "")


@cache
def has_rules(schema: Schema) -> bool:
    """Return whether there is a rule for a value with this schema, or for something inside it."""
    inner = [*schema.properties.values(), *filter(None, (schema.items, schema.values))]
    return bool(schema.rules) or any(map(has_rules, inner))


def matches(text: str, pattern: str) -> bool | None:
    """Return whether a pattern is found in a text, by the evaluator's RE2; None for what is no pattern."""
    found, error = _evaluated("self.matches(oldSelf)", {"self": text, "oldSelf": pattern})
    return None if error else bool(found)


def problem(text: str) -> str:
    """Return why an expression cannot be a rule, "" where it can."""
    try:
        _compiled(text)
    except RuntimeError as error:
        _, _, said = str(error).partition(": ")
        said = said.removesuffix(" [INVALID_ARGUMENT]")
        unknown = "undeclared reference" in said
        return f"compilation failed: {said}{_FUNCTIONS if unknown else ''}"
    return ""


def _value(schema: Schema, value: Any, old: Any, path: str) -> Iterator[Cause]:
    if value is None or not has_rules(schema):
        return
    for rule in schema.rules:
        yield from _broken(rule, schema, value, old, path)
    if isinstance(value, dict):
        for name, item in value.items():
            if child := schema.child(name):
                before = old.get(name, ABSENT) if isinstance(old, dict) else ABSENT
                yield from _value(child, item, before, _below(path, name, schema))
    elif isinstance(value, list) and schema.items:
        for position, item in enumerate(value):
            yield from _value(schema.items, item, _counterpart(schema, item, old), f"{path}[{position}]")


def _below(path: str, name: str, schema: Schema) -> str:
    if name not in schema.properties:
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name


def _counterpart(schema: Schema, item: Any, old: Any) -> Any:
    """Return the item of the old list that has the same keys; other lists' items have no past."""
    if schema.list_type != "map" or not isinstance(old, list) or not isinstance(item, dict):
        return ABSENT
    wanted = [item.get(key) for key in schema.keys]
    return next((other for other in old if [other.get(key) for key in schema.keys] == wanted), ABSENT)


def _broken(rule: Rule, schema: Schema, value: Any, old: Any, path: str) -> Iterator[Cause]:
    if re.search(r"\boldSelf\b", rule.text) and old is ABSENT:
        return
    if rule.text == _UNCHANGED and value == old:
        return
    data = {"self": _converted(schema, value)}
    if old is not ABSENT:
        data["oldSelf"] = _converted(schema, old)
    holds, error = _evaluated(rule.text, data)
    if error:
        yield causes.invalid(
            path, schema.type or "object", f"{error} evaluating rule: {rule.message or rule.text}"
        )
    elif holds is not True:
        words = _message(rule, data)
        place = f"{path}{rule.field_path}"
        shown = causes.OMITTED if isinstance(value, dict | list) else value
        match rule.reason:
            case "FieldValueForbidden":
                yield causes.forbidden(place, words)
            case "FieldValueRequired":
                yield causes.required(place, words)
            case "FieldValueDuplicate":
                yield causes.duplicate(place, shown)
            case _:
                yield causes.invalid(place, shown, words)


def _message(rule: Rule, data: dict[str, Any]) -> str:
    if rule.message_expression:
        made, _ = _evaluated(rule.message_expression, data)
        if isinstance(made, str) and made.strip() and "\n" not in made:
            return made
    return rule.message or f"failed rule: {rule.text}"


def _converted(schema: Schema, value: Any) -> Any:
    """Return a value in the evaluator's types, its fields under the names that rules know them by.

    A string in the format of a time or a duration stays a string: the evaluator takes no other from outside.
    """
    if isinstance(value, dict):
        return {
            _escaped(name) if name in schema.properties else name: _converted(
                schema.child(name) or schema, item
            )
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_converted(schema.items or schema, item) for item in value]
    if schema.type == "number":
        return float(value)
    return value


def _escaped(name: str) -> str:
    if name in _RESERVED:
        return f"__{name}__"
    for text, escape in _ESCAPED:
        name = name.replace(text, escape)
    return name


def _evaluated(text: str, data: dict[str, Any]) -> tuple[Any, str]:
    """Return an expression's value, or the reason why there is none."""
    result = _compiled(text).eval(data=data)
    value = result.plain_value()
    return (None, _in_words(str(value))) if result.type().name() == "ERROR" else (value, "")


@cache
def _compiled(text: str) -> Any:
    return _environment().compile(text)


@cache
def _environment() -> Any:
    from cel_expr_python import cel  # 6 ms and 9 MB, which only a cluster whose resources meet a rule pays
    from cel_expr_python.ext import ext_optional, ext_strings

    variables = {"self": cel.Type.DYN, "oldSelf": cel.Type.DYN}
    extensions = [ext_strings.ExtStrings(), ext_optional.ExtOptional()]
    return cel.NewEnv(variables=variables, extensions=extensions, functions=rule_functions.declarations(cel))


def _in_words(error: str) -> str:
    _, _, said = error.partition(": ")
    for pattern, words in _WORDS:
        if match := re.fullmatch(pattern, said):
            return match.expand(words)
    return said
