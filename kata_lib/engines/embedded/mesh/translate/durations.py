"""Durations and percentages as Istio writes them, in Envoy's form."""

import re
from decimal import Decimal
from typing import Any

_SECONDS = {
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("1e-3"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "ns": Decimal("1e-9"),
}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def seconds(duration: str) -> Decimal:
    """Read Go's duration syntax, such as 1m30s or 250ms; raises ValueError for anything else."""
    text = duration.removeprefix("-").removeprefix("+")
    parts = _PART.findall(text)
    if text != "0" and (not parts or "".join(number + unit for number, unit in parts) != text):
        raise ValueError(f"{duration!r} is not a duration such as 1.5s, 250ms or 1m30s")
    total = sum((Decimal(number) * _SECONDS[unit] for number, unit in parts), Decimal(0))
    return -total if duration.startswith("-") else total


def duration(text: str) -> str:
    """Return protobuf's JSON form: seconds with none, three, six or nine decimals (0.250s)."""
    value = seconds(text)
    for places in (0, 3, 6):
        if value == round(value, places):
            return f"{value:.{places}f}s"
    return f"{value:.9f}s"


def per_million(percent: float) -> dict[str, Any]:
    """Return a share as istiod writes it: in millionths."""
    return {"numerator": int(Decimal(str(percent)) * 10_000), "denominator": "MILLION"}
