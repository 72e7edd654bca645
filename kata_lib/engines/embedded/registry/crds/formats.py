"""The formats of strings in schemas: which the API server knows, and whether a text has one.

After https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/.
A format that is known and has no rule here is taken as it comes, as is one that is not known.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from urllib.parse import urlsplit

from kata_lib.engines.embedded.store import Obj

_HEX = "[0-9a-fA-F]"
_UUID = re.compile(rf"{_HEX}{{8}}-?{_HEX}{{4}}-?{_HEX}{{4}}-?{_HEX}{{4}}-?{_HEX}{{12}}")
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_HOST = re.compile(r"([a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?\.?)+")
_MAC = re.compile(rf"{_HEX}{{2}}([:-]{_HEX}{{2}}){{5}}")
_DURATION = re.compile(r"[+-]?(\d+(\.\d*)?\s*(ns|us|µs|ms|s|m|h|d|w|[a-z]+))+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)?")


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, binascii.Error):
            return False
        return True

    return fits


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _moment(text: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper())


_RULES: dict[str, Callable[[str], bool]] = {
    "byte": _parses(lambda text: base64.b64decode(text, validate=True)),
    "cidr": _parses(lambda text: ipaddress.ip_interface(text) if "/" in text else int("")),
    "date": _parses(date.fromisoformat),
    "datetime": _parses(_moment),
    "duration": _matches(_DURATION),
    "email": _matches(_EMAIL),
    "hostname": _matches(_HOST),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "mac": _matches(_MAC),
    "uri": _parses(lambda text: urlsplit(text).scheme or text.index("/") == 0 or int("")),
    "uuid": _matches(_UUID),
}
_WITHOUT_RULE = frozenset(
    {"bsonobjectid", "creditcard", "hexcolor", "isbn", "isbn10", "isbn13", "password", "rgbcolor", "ssn"}
    | {"uuid3", "uuid4", "uuid5"}
)


def fits(format_: str, text: str) -> bool:
    """Return whether a text has a format; any text has one that is not known."""
    rule = _RULES.get(format_.replace("-", ""))
    return rule is None or rule(text)


def unrecognized(definition: Obj) -> list[str]:
    """Return the formats of strings in a definition's schemas that the API server does not know."""
    versions = (definition.get("spec") or {}).get("versions") or ()
    roots = [((version or {}).get("schema") or {}).get("openAPIV3Schema") for version in versions]
    return [format_ for root in roots for format_ in _unknown(root)]


def _unknown(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _unknown(item)
    if not isinstance(node, dict):
        return
    found = node.get("format")
    if node.get("type") == "string" and isinstance(found, str) and found:
        plain = found.replace("-", "")
        if plain not in _RULES and plain not in _WITHOUT_RULE:
            yield found
    for inner in node.values():
        yield from _unknown(inner)
