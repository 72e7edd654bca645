"""Patterns in schemas: Python's expressions where they understand one, else those of the rules' evaluator.

A real server takes RE2's. Nearly every pattern means the same in both; what only RE2 has (`\\p{L}`) loads the
evaluator, as a rule does.
"""

import re
from functools import cache

from kata_lib.engines.embedded.registry.validation import rules


def problem(pattern: str) -> str:
    """Return why a text is no pattern, "" where it is one."""
    compiled = _compiled(pattern)
    if not isinstance(compiled, str):
        return ""
    return compiled if rules.matches("", pattern) is None else ""


def fits(pattern: str, text: str) -> bool:
    """Return whether the pattern is found in a text."""
    compiled = _compiled(pattern)
    if isinstance(compiled, str):
        return bool(rules.matches(text, pattern))
    return compiled.search(text) is not None


@cache
def _compiled(pattern: str) -> "re.Pattern[str] | str":
    """Return the expression, or in Go's words, as far as they are known, what is wrong with it."""
    try:
        return re.compile(pattern)
    except re.error as error:
        if str(error).startswith("missing ), unterminated subpattern"):
            return f"error parsing regexp: missing closing ): `{pattern}`"
        return f"error parsing regexp: {error}: `{pattern}`"
