"""Durations and percentages as Istio writes them, in Envoy's form."""

from typing import Any

from kata_lib.cluster.durations import seconds


def duration(text: str) -> str:
    """Return protobuf's JSON form: seconds with none, three, six or nine decimals (0.250s)."""
    value = seconds(text)
    for places in (0, 3, 6):
        if value == round(value, places):
            return f"{value:.{places}f}s"
    return f"{value:.9f}s"


def per_million(percent: float) -> dict[str, Any]:
    """Return a share as istiod writes it: in whole millionths, of which nothing is left out below one."""
    numerator = int(percent * 10_000)
    return {**({"numerator": numerator} if numerator else {}), "denominator": "MILLION"}
