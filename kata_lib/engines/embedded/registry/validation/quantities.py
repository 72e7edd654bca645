"""The rules of what a container asks for and is limited to."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from kata_lib.cluster.quantities import amount
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import invalid

_STANDARD = ("cpu", "memory", "ephemeral-storage")


def resources(path: str, found: Mapping[str, Any]) -> Iterator[Cause]:
    """Return what is wrong with a container's requests and limits."""
    amounts: dict[tuple[str, str], Decimal] = {}
    for field in ("limits", "requests"):
        for name, text in found.get(field, {}).items():
            yield from _resource(f"{path}.{field}[{name}]", name)
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


def _resource(path: str, name: str) -> Iterator[Cause]:
    if "/" not in name and name not in _STANDARD and not name.startswith("hugepages-"):
        yield invalid(path, name, "must be a standard resource type or fully qualified")
        yield invalid(path, name, "must be a standard resource for containers")
