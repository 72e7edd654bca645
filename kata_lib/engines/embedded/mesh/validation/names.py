"""Names in Istio's resources: hosts, subsets, gateways, labels, ports, and to whom a resource is shown."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kata_lib.engines.embedded.mesh.validation.problems import Listed

_LABEL = re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_WILDCARD = re.compile(r"\*|\*?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?|\*-[-a-zA-Z0-9]*[a-zA-Z0-9]")
_TAG = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL_LENGTH = 63
_DOMAIN_LENGTH = 255
_PORTS = range(1, 65536)


def is_label(text: str) -> bool:
    """Return whether a text is a label of a DNS name."""
    return len(text) <= _LABEL_LENGTH and bool(_LABEL.fullmatch(text))


def domain(name: str, *, wildcard: bool = True) -> Iterator[str]:
    """Return what is wrong with a host's name, whose first label may be or begin with a `*`."""
    if len(name) > _DOMAIN_LENGTH:
        yield f'domain name "{name}" too long (max {_DOMAIN_LENGTH})'
    elif not name:
        yield "empty domain name not allowed"
    elif not wildcard:
        yield from _labels(name)
    else:
        first, dot, rest = name.partition(".")
        if len(first) > _LABEL_LENGTH or not _WILDCARD.fullmatch(first):
            yield f'domain name "{name}" invalid (label "{first}" invalid)'
        elif dot:
            yield from _labels(rest)


def _labels(name: str) -> Iterator[str]:
    parts = name.split(".")
    if re.fullmatch(r"[+-]?[0-9]+", parts[-1]):
        yield f'domain name "{name}" invalid (top level domain "{parts[-1]}" cannot be all-numeric)'
        return
    for position, label in enumerate(parts):
        if position and position == len(parts) - 1 and not label:
            return
        if not is_label(label):
            yield f'domain name "{name}" invalid (label "{label}" invalid)'
            return


def destination(found: Mapping[str, Any]) -> Iterator[str]:
    """Return what is wrong with a destination: host, subset, port."""
    host, subset = found.get("host", ""), found.get("subset", "")
    if host == "*":
        yield "invalid destination host *"
    else:
        yield from domain(host)
    if subset:
        yield from subset_name(subset)
    if "port" in found:
        yield from port(found["port"].get("number", 0))


def subset_name(name: str) -> Iterator[str]:
    """Return what is wrong with the name of a subset."""
    if not name:
        yield "subset name cannot be empty"
    elif not is_label(name):
        yield f"subset name is invalid: {name}"


def port(number: int) -> Iterator[str]:
    """Return what is wrong with the number of a port."""
    if number not in _PORTS:
        yield f"port number {number} must be in the range 1..65535"


def gateways(names: Sequence[str]) -> Iterator[str]:
    """Return what is wrong with the names of gateways, NAME or NAMESPACE/NAME."""
    for name in names:
        namespace, slash, short = name.partition("/")
        if not slash:
            yield from domain(name, wildcard=False)
            return
        if not namespace or not short:
            yield "config namespace and gateway name cannot be empty"
        if not is_label(namespace):
            yield f'invalid value for namespace: "{namespace}"'
        if not is_label(short):
            yield f'invalid value for gateway name: "{short}"'


def labels(found: Mapping[str, str]) -> Iterator[str]:
    """Return what is wrong with the labels of a subset or of a source."""
    for key, value in found.items():
        prefix, slash, name = key.rpartition("/")
        if not _TAG.fullmatch(name) or (slash and any(domain(prefix, wildcard=False))):
            yield Listed(f'invalid tag key: "{key}"')
        if value and not _TAG.fullmatch(value):
            yield Listed(f'invalid tag value: "{value}"')


def export_to(namespace: str, shown_to: Sequence[str]) -> Iterator[str]:
    """Return what is wrong with `exportTo`: namespaces, `.` for the own, `*` for all."""
    seen: set[str] = set()
    for entry in shown_to:
        key = namespace if entry == "." else entry
        if key in seen:
            own = f"duplicate entries in exportTo: . and current namespace {namespace}"
            yield own if key != entry else f"duplicate entries in exportTo for entry {entry}"
        elif key == "~":
            yield "exportTo ~ (none) is not allowed for Istio configuration objects"
        elif key != "*" and not is_label(key):
            yield "only .,*, or a valid DNS 1123 label is allowed as exportTo entry"
        else:
            seen.add(key)
    if "*" in seen and len(shown_to) > 1:
        yield "cannot have both public (*) and non-public exportTo values for a resource"
