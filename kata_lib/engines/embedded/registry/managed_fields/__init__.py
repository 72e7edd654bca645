"""Who owns which field: `metadata.managedFields`, and server-side apply that rests on it.

`record` notes what a create, update or patch changed; `apply` merges an applied configuration into the live
object, refuses to overwrite others' fields, and removes what the applier no longer lists. After the field
manager of k8s.io/apimachinery and the `merge` package of sigs.k8s.io/structured-merge-diff.
"""

import json
from typing import Any

from kata_lib.engines.embedded.registry.managed_fields import typed
from kata_lib.engines.embedded.registry.managed_fields.entries import (
    Entries,
    ManagedFieldsEntry,
    read,
    written,
)
from kata_lib.engines.embedded.registry.managed_fields.fieldsets import FieldSet, spoken
from kata_lib.engines.embedded.registry.metadata import own_copy
from kata_lib.engines.embedded.registry.schemas import Schema
from kata_lib.engines.embedded.registry.status import StatusError, bad_request
from kata_lib.engines.embedded.store import Obj

__all__ = ["LAST_APPLIED", "apply", "record"]

KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_NOBODYS = FieldSet.read(
    {
        "f:apiVersion": {},
        "f:kind": {},
        "f:metadata": {
            ".": {},
            "f:creationTimestamp": {},
            "f:generation": {},
            "f:name": {},
            "f:namespace": {},
            "f:resourceVersion": {},
            "f:uid": {},
        },
    }
)


def record(
    old: Obj | None,
    new: Obj,
    *,
    manager: str,
    api_version: str,
    subresource: str = "",
    now: str,
    schema: Schema,
) -> None:
    """Set `new`'s managedFields: what differs from `old` (None: all of it) belongs to `manager` from now on.

    `now` is a timestamp as objects hold it. A client may send managedFields itself, `[{}]` to clear them;
    what it sends through a subresource is ignored. An object that has none of them gets none by an update.
    """
    entries = _starting_entries(old, new, subresource)
    if old is not None and not entries:
        _write(new, {})
        return
    before, after = _changed_parts(old, new)
    start = _empty(schema) if before is None else _complete(schema, before)
    difference = typed.compare(schema, start, _complete(schema, after))
    taken = (difference.added | difference.modified) - _NOBODYS
    own = ManagedFieldsEntry(manager, "Update", api_version, subresource)
    for entry in entries.values():
        entry.fields = entry.fields - difference.removed - taken
    if taken:
        own = entries.setdefault(own.key, own)
        own.fields, own.time = own.fields | taken, now
    _write(new, entries)


def apply(
    live: Obj | None,
    applied: Obj,
    *,
    manager: str,
    force: bool,
    api_version: str,
    now: str,
    schema: Schema,
    subresource: str = "",
    left_out: tuple[str, ...] = ("status",),
) -> Obj:
    """Return the object that server-side apply makes of `live` (None: there is none yet), with managedFields.

    `applied` is what the manager wants, and all that it wants: fields that it applied before and lists no
    more go, unless someone else owns them. Raises StatusError 409 where it would change a field of another
    manager, unless `force` takes the field over, or kubectl itself wrote it before by client-side apply.
    `left_out` are the fields that do not count here.
    """
    applied = _applicable(applied, schema, left_out)
    entries = _entries_before(live, api_version, now, schema)
    own = ManagedFieldsEntry(manager, "Apply", api_version, subresource)
    last = entries.pop(own.key, None)
    own.fields = typed.owned(schema, applied)
    before = _bare(live) if live else {}
    new: Obj = typed.merge(schema, before, applied)
    if last:
        new = _without_dropped(schema, new, [*entries.values(), own], last.fields)
    own.fields = own.fields - _NOBODYS
    difference = typed.compare(schema, before, new)
    changed = (difference.added | difference.modified) - _NOBODYS
    if not force:
        _refuse_conflicts(entries, changed - _handed_over(live, manager, api_version, schema))
    for entry in entries.values():
        entry.fields = entry.fields - difference.removed - changed
    if changed or difference.removed:
        own.time = now
    elif last:
        own.time = last.time
    entries[own.key] = own
    new = own_copy(new)
    if manager == KUBECTL:
        _note_last_applied(new, applied)
    _write(new, entries)
    return new


def _handed_over(live: Obj | None, manager: str, api_version: str, schema: Schema) -> FieldSet:
    """Return the fields that kubectl's client-side apply wrote last and that are still as it left them.

    They are kubectl's, whoever they are written down for: apimachinery, managedfields' lastAppliedManager.
    """
    last = _last_applied(live) if live and manager == KUBECTL else {}
    if last.get("apiVersion") != api_version or any(typed.mistakes(schema, last)):
        return FieldSet()
    difference = typed.compare(schema, last, _bare(live or {}))
    return typed.owned(schema, last) - difference.added - difference.removed - difference.modified


def _last_applied(live: Obj) -> Obj:
    """Return what the annotation of kubectl's client-side apply holds; nothing where it is no object."""
    try:
        found = json.loads(live["metadata"].get("annotations", {}).get(LAST_APPLIED, "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _note_last_applied(new: Obj, applied: Obj) -> None:
    """Keep the annotation of kubectl's client-side apply true, where an object has it."""
    annotations = new["metadata"].get("annotations", {})
    if LAST_APPLIED in annotations:
        text = json.dumps(applied, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        annotations[LAST_APPLIED] = f"{text}\n"


def _applicable(applied: Obj, schema: Schema, left_out: tuple[str, ...]) -> Obj:
    """Return what of an applied configuration counts."""
    if applied.get("metadata", {}).get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    if mistakes := list(typed.mistakes(schema, applied)):
        metadata, api_version = applied["metadata"], applied["apiVersion"]
        name = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
        kind = f"{api_version if '/' in api_version else f'/{api_version}'}, Kind={applied['kind']}"
        found = [f"{spoken(path)}: {why}" for path, why in mistakes]
        why = found[0] if len(found) == 1 else "\n".join(["errors:", *(f"  {text}" for text in found)])
        raise StatusError(500, "", f"failed to create typed patch object ({name}; {kind}): {why}")
    return {key: value for key, value in applied.items() if key not in left_out}


def _entries_before(live: Obj | None, api_version: str, now: str, schema: Schema) -> Entries:
    """Return the owners of the live object's fields; fields without one belong to "before-first-apply"."""
    entries = read(live["metadata"].get("managedFields")) if live else {}
    if live and not entries:
        entry = ManagedFieldsEntry("before-first-apply", "Update", api_version, time=now)
        difference = typed.compare(schema, _empty(schema), _complete(schema, _bare(live)))
        entry.fields = difference.added - _NOBODYS
        if entry.fields:
            entries[entry.key] = entry
    return entries


def _without_dropped(schema: Schema, merged: Obj, owners: list[ManagedFieldsEntry], last: FieldSet) -> Obj:
    """Remove what the applier owned (`last`) and no longer lists; what anybody still owns comes back."""
    dropped = last.with_struct_fields(schema)
    everything = typed.owned(schema, merged).with_struct_fields(schema)
    managed = FieldSet()
    for owner in owners:
        managed = managed | owner.fields
    pruned = typed.remove(schema, merged, dropped)
    kept = typed.owned(schema, pruned).with_struct_fields(schema) | managed.with_struct_fields(schema)
    pruned = typed.remove(schema, merged, everything - kept)
    kept = typed.owned(schema, pruned).with_struct_fields(schema)
    result: Obj = typed.remove(schema, merged, (everything - kept) & dropped)
    return result


def _refuse_conflicts(entries: Entries, changed: FieldSet) -> None:
    conflicts = [(entry, list(entry.fields & changed)) for entry in entries.values()]
    conflicts = sorted(((e, paths) for e, paths in conflicts if paths), key=lambda found: found[0].key)
    if not conflicts:
        return
    count = sum(len(paths) for _, paths in conflicts)
    if count == 1:
        entry, paths = conflicts[0]
        message = f"Apply failed with 1 conflict: conflict with {entry.spoken}: {spoken(paths[0])}"
    else:
        lines = []
        for entry, paths in conflicts:
            lines.append(f"conflicts with {entry.spoken}:")
            lines += [f"- {spoken(path)}" for path in paths]
        message = f"Apply failed with {count} conflicts: " + "\n".join(lines)
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {entry.spoken}", "field": spoken(path)}
        for entry, paths in conflicts
        for path in paths
    ]
    raise StatusError(409, "Conflict", message, {"causes": causes})


def _starting_entries(old: Obj | None, new: Obj, subresource: str) -> Entries:
    sent = new.get("metadata", {}).get("managedFields")
    if sent == [{}] and not subresource:
        return {}
    stored = old["metadata"].get("managedFields") if old else None
    try:
        return read(stored if subresource or not sent else sent)
    except ValueError:  # as a real server does, where a client sends what describes no fields
        return {}


def _empty(schema: Schema) -> Any:
    """Return what a kind's object holds before anything is set: the structs that are always there."""
    if schema.type == "array":
        return []
    return {name: _empty(schema.properties[name]) for name in schema.always}


def _complete(schema: Schema, bare: Obj) -> Obj:
    complete: Obj = typed.merge(schema, _empty(schema), bare)
    return complete


def _changed_parts(old: Obj | None, new: Obj) -> tuple[Obj | None, Obj]:
    """Return both without the parts that are the same, which most are: those need no walk through them."""
    if old is None:
        return None, _bare(new)
    before, after = _bare(old), _bare(new)
    same = {name for name in before.keys() & after.keys() if repr(before[name]) == repr(after[name])}
    return _without(before, same), _without(after, same)


def _without(obj: Obj, names: set[str]) -> Obj:
    return {name: value for name, value in obj.items() if name not in names}


def _bare(obj: Obj) -> Obj:
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def _write(obj: Obj, entries: Entries) -> None:
    listed = written(entries)
    if listed:
        obj["metadata"]["managedFields"] = listed
    else:
        obj["metadata"].pop("managedFields", None)
