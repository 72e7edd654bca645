"""The entries of `managedFields`: one per manager, kind of operation, version and subresource."""

import json
from dataclasses import dataclass, field
from typing import Any

from kata_lib.engines.embedded.registry.managed_fields.fieldsets import FieldSet

Key = tuple[str, str, str, str]


@dataclass
class ManagedFieldsEntry:
    """What one manager owns, since when (`time`, as objects hold it)."""

    manager: str
    operation: str
    api_version: str
    subresource: str = ""
    time: str = ""
    fields: FieldSet = field(default_factory=FieldSet)

    @property
    def key(self) -> Key:
        """What makes two entries one; an applier is the same in every version."""
        version = self.api_version if self.operation == "Update" else ""
        return (self.manager, self.operation, version, self.subresource)

    @property
    def spoken(self) -> str:
        """The manager as a conflict names it."""
        name = json.dumps(self.manager, ensure_ascii=False)
        if self.subresource:
            name += f" with subresource {json.dumps(self.subresource)}"
        return f"{name} using {self.api_version}" if self.operation == "Update" else name


Entries = dict[Key, ManagedFieldsEntry]


def read(listed: list[dict[str, Any]] | None) -> Entries:
    """Return the entries of a `managedFields` list."""
    entries: Entries = {}
    for item in listed or ():
        entry = ManagedFieldsEntry(
            item.get("manager", ""),
            item.get("operation", "Update"),
            item.get("apiVersion", ""),
            item.get("subresource", ""),
            item.get("time", ""),
            FieldSet.read(item.get("fieldsV1") or {}),
        )
        entries[entry.key] = entry
    return entries


def written(entries: Entries) -> list[dict[str, Any]]:
    """Return the `managedFields` list: appliers first, then by time; who owns nothing is left out."""
    found = [entry for entry in entries.values() if entry.fields]
    found.sort(
        key=lambda entry: (entry.operation, entry.time, entry.manager, entry.api_version, entry.subresource)
    )
    return [_written(entry) for entry in found]


def _written(entry: ManagedFieldsEntry) -> dict[str, Any]:
    result: dict[str, Any] = {
        "manager": entry.manager,
        "operation": entry.operation,
        "apiVersion": entry.api_version,
    }
    if entry.time:
        result["time"] = entry.time
    result |= {"fieldsType": "FieldsV1", "fieldsV1": entry.fields.written()}
    return result | ({"subresource": entry.subresource} if entry.subresource else {})
