"""What refusals of a document say, in the words of Go's YAML and JSON packages."""

import json
import math
import struct
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 200
"""Levels of lists and maps in each other; Go's readers stop at 10,000, which Python's stack does not hold."""


class Unreadable(ValueError):
    """A text is no document that kubectl could read; the message has its words."""


class TooMany(Unreadable):
    """A text has more values than its reader takes."""


def shown_value(value: Any) -> str:
    """Return a value as Go's verb %#v writes it."""
    return "<nil>" if value is None else go_syntax(value)


def go_syntax(value: Any) -> str:
    """Return a value in a list or map as Go's verb %#v writes it; a map's keys stand beside their types."""
    match value:
        case None:
            return "interface {}(nil)"
        case bool():
            return str(value).lower()
        case float():
            return _shortest(value, float)
        case dict():
            keys = sorted(value, key=lambda key: (key[0].__name__, key[1]))
            pairs = ", ".join(f"{go_syntax(key[1])}:{go_syntax(value[key])}" for key in keys)
            return f"map[interface {{}}]interface {{}}{{{pairs}}}"
        case list():
            return f"[]interface {{}}{{{', '.join(map(go_syntax, value))}}}"
        case bytes():
            return go_syntax(value.decode(errors="replace"))
    return json.dumps(value, ensure_ascii=False)


def go_float(value: float) -> str:
    """Return what strconv.FormatFloat(value, 'g', -1, 32) returns: how a number becomes a key."""
    single = _single(value)
    if math.isnan(single) or math.isinf(single):
        return ".nan" if math.isnan(single) else ".inf" if single > 0 else "-.inf"
    return _shortest(single, _single)


def _shortest(value: float, as_kept: Callable[[float], float]) -> str:
    """Return the fewest digits that are read back as the same number, as Go's 'g' writes them."""
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
    texts = (f"{value:.{digits}e}" for digits in range(17))
    mantissa, _, exponent = next(text for text in texts if as_kept(float(text)) == value).partition("e")
    if not -4 <= int(exponent) < 6:
        return f"{mantissa}e{int(exponent):+03d}"
    decimals = len(mantissa.partition(".")[2]) - int(exponent)
    return f"{float(mantissa + 'e' + exponent):.{max(decimals, 0)}f}"


def _single(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)
