"""Which rule comes first: https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule (matches)."""

from collections.abc import Mapping
from typing import Any

_RANKS = ("exact", "prefix", "regex")


def precedence(rule: Mapping[str, Any]) -> tuple[int, ...]:
    """Return a key by which rules of one match each are sorted: the narrower path, then who asks for more."""
    match = rule["match"][0]
    ((how, path),) = match["uri"].items()
    asked = "method" not in match, -len(match.get("headers", ())), -len(match.get("queryParams", ()))
    return _RANKS.index(how), -len(path), *map(int, asked)
