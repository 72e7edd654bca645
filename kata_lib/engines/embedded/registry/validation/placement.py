"""Rules of where a pod runs and as whom: names in the network, tolerations, users."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import invalid, not_supported

_LARGEST = 2**31 - 1


def placement(path: str, spec: Mapping[str, Any]) -> Iterator[Cause]:
    """Return what is wrong with where a pod's specification, which stands at `path`, wants it to run."""
    for field, rule in (
        ("hostname", names.dns_label),
        ("subdomain", names.dns_label),
        ("nodeName", names.dns_subdomain),
    ):
        if name := spec.get(field):
            yield from (invalid(f"{path}.{field}", name, why) for why in rule(name))
    for position, toleration in enumerate(spec.get("tolerations", ())):
        yield from _toleration(f"{path}.tolerations[{position}]", toleration)
    yield from user(f"{path}.securityContext", spec.get("securityContext", {}))


def user(path: str, context: Mapping[str, Any]) -> Iterator[Cause]:
    """Return what is wrong with the user and group of a security context."""
    for field in ("runAsUser", "runAsGroup"):
        number = context.get(field, 0)
        if not 0 <= number <= _LARGEST:
            yield invalid(f"{path}.{field}", number, f"must be between 0 and {_LARGEST}, inclusive")


def _toleration(path: str, found: Mapping[str, Any]) -> Iterator[Cause]:
    operator, value = found.get("operator", "Equal") or "Equal", found.get("value", "")
    if operator == "Exists" and value:
        yield invalid(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'")
    elif operator not in ("Equal", "Exists"):
        yield not_supported(f"{path}.operator", operator, ("Equal", "Exists"))
