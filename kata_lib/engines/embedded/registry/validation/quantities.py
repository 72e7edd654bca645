"""Quantities such as 100m and 64Mi, and the rules of what a container asks for."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import invalid

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(m|u|n|k|[KMGTPE]i?)?)")
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = "KMGTPE"


def amount(text: str) -> Decimal:
    """Return a quantity as a number, 0.1 for "100m". Raises ValueError for what is none."""
    match = _FORM.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no quantity")
    number, exponent, suffix = match.groups()
    if exponent:
        return Decimal(number + exponent)
    if suffix and suffix.endswith("i"):
        return Decimal(number) * Decimal(1024) ** (_BINARY.index(suffix[0]) + 1)
    return Decimal(number).scaleb(_POWERS.get(suffix or "", 0))


def resources(path: str, found: Mapping[str, Any]) -> Iterator[Cause]:
    """Return what is wrong with a container's requests and limits."""
    amounts: dict[tuple[str, str], Decimal] = {}
    for field in ("limits", "requests"):
        for name, text in found.get(field, {}).items():
            try:
                value = amount(text)
            except ValueError:
                yield invalid(f"{path}.{field}[{name}]", text, "quantities must match a number and a suffix")
                continue
            if value < 0:
                yield invalid(f"{path}.{field}[{name}]", text, "must be greater than or equal to 0")
            amounts[field, name] = value
    for name, text in found.get("requests", {}).items():
        limit, wanted = amounts.get(("limits", name)), amounts.get(("requests", name))
        if limit is not None and wanted is not None and wanted > limit:
            words = f"must be less than or equal to {name} limit of {found['limits'][name]}"
            yield invalid(f"{path}.requests", text, words)
