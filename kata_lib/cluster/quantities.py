"""Quantities such as 100m and 64Mi: as numbers, and in the form in which the API shows them."""

import re
from decimal import ROUND_UP, Decimal, InvalidOperation

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(m|u|n|k|[KMGTPE]i?)?)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = "KMGTPE"
_LONGEST, _LONGEST_EXPONENT = 40, len("e-99")
"""Characters of a number and of its power of ten."""
_FINEST = Decimal("0.001")


def amount(text: str) -> Decimal:
    """Return a quantity as a number, 0.1 for "100m". Raises ValueError for what is none."""
    number, exponent, suffix = _parts(text)
    if exponent:
        return Decimal(number + exponent)
    if suffix.endswith("i"):
        return Decimal(number) * Decimal(1024) ** (_BINARY.index(suffix[0]) + 1)
    return Decimal(number).scaleb(_DECIMAL[suffix])


def canonical(text: str) -> str:
    """Return a quantity as the API shows it: no fraction, and the largest suffix that allows that.

    What is finer than a thousandth is rounded up, as it is for all that a container can ask for. Raises
    ValueError for what is none.
    """
    _, exponent, suffix = _parts(text)
    try:
        value = amount(text).quantize(_FINEST, ROUND_UP)
    except InvalidOperation:
        raise ValueError(f"{text!r} is out of every quantity's range") from None
    if exponent or not value:
        return text if exponent else "0"
    if suffix.endswith("i"):
        return _largest(
            value, {f"{letter}i": Decimal(1024) ** (power + 1) for power, letter in enumerate(_BINARY)}
        )
    return _largest(value, {name: Decimal(10) ** power for name, power in _DECIMAL.items()})


def _largest(value: Decimal, units: dict[str, Decimal]) -> str:
    for name, unit in sorted(units.items(), key=lambda item: -item[1]):
        if value % unit == 0:
            return f"{int(value / unit)}{name}"
    return f"{value:f}"


def _parts(text: str) -> tuple[str, str, str]:
    match = _FORM.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no quantity")
    number, exponent, suffix = match.groups(default="")
    if len(number) > _LONGEST or len(exponent) > _LONGEST_EXPONENT:
        raise ValueError(f"{text[:_LONGEST]!r}... is out of every quantity's range")
    return number, exponent, suffix
