"""Regular expressions, which Envoy reads as RE2: what Go, in whose words Istio speaks, says of others."""

import re
from collections.abc import Iterator

_LONGEST = 1024
_NOT_IN_RE2 = re.compile(r"\\.|(\(\?(?:[=!>(#]|<[=!]|P=))")
_BACK_REFERENCE = re.compile(r"\\(?:([1-9])|.)")


def expression(name: str, text: str) -> Iterator[str]:
    """Return what is wrong with an expression that stands in the field `name`."""
    if not text:
        yield f'"{name}": regex string match should not be empty'
        return
    if len(text) > _LONGEST:
        yield f'"{name}": regex is too large, max length allowed is {_LONGEST}'
        return
    try:
        re.compile(text)
        wrong = _only_in_python(text)
    except re.error as error:
        wrong = _in_words_of_re2(error)
    if wrong:
        yield (
            f'"{name}": error parsing regexp: {wrong}; '
            "Istio uses RE2 style regex-based match (https://github.com/google/re2/wiki/Syntax)"
        )


def _only_in_python(expression: str) -> str | None:
    for found in _NOT_IN_RE2.finditer(expression):
        if found[1]:
            return f"invalid or unsupported Perl syntax: `{found[1]}`"
    for found in _BACK_REFERENCE.finditer(expression):
        if found[1]:
            return f"invalid escape sequence: `{found[0]}`"
    return None


def _in_words_of_re2(error: re.error) -> str:
    expression = str(error.pattern)
    rest = expression[error.pos or 0 :]
    match error.msg:
        case "unterminated character set":
            return f"missing closing ]: `{rest}`"
        case "missing >, unterminated name":
            return f"invalid named capture: `{expression}`"
        case "missing ), unterminated subpattern":
            return f"missing closing ): `{expression}`"
        case "nothing to repeat":
            return f"missing argument to repetition operator: `{rest[:1]}`"
    return f"{error.msg}: `{expression}`"
