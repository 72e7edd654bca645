"""The status of a CustomResourceDefinition: which names it gets, and the conditions that say so.

A name that another definition of the same group has is not given twice; see
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

import json
from collections.abc import Iterable
from typing import Any

from kata_lib.engines.embedded.store import Obj

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that holds a definition until its objects are gone."""


def first_status(definition: Obj) -> Obj:
    """Return the status of a new definition, of which nothing is settled yet."""
    stored = [version["name"] for version in definition["spec"].get("versions", ()) if version.get("storage")]
    return {"acceptedNames": {"kind": "", "plural": ""}, "conditions": None, "storedVersions": stored[:1]}


def note_stored(definition: Obj) -> None:
    """Add the version in which objects are stored to those in which some may be."""
    stored = definition["status"].setdefault("storedVersions", [])
    for version in definition["spec"].get("versions", ()):
        if version.get("storage") and version["name"] not in stored:
            stored.append(version["name"])


def settle(definition: Obj, others: Iterable[Obj], now: str) -> None:
    """Give a definition in place what it asks for, as far as no other of its group has it; say so."""
    status, wanted = definition["status"], definition["spec"]["names"]
    names = status["acceptedNames"] = dict(status["acceptedNames"])
    taken, kinds = _taken(others)
    problem = ("", "")
    for field, reason, used in (
        ("plural", "PluralConflict", taken),
        ("singular", "SingularConflict", taken),
        ("shortNames", "ShortNamesConflict", taken),
        ("kind", "KindConflict", kinds),
        ("listKind", "ListKindConflict", kinds),
    ):
        if refused := _refused(wanted.get(field), names.get(field), used):
            problem = reason, refused
        elif field in wanted:
            names[field] = wanted[field]
        else:
            names.pop(field, None)
    names.pop("categories", None)
    if "categories" in wanted:
        names["categories"] = wanted["categories"]
    if problem[0]:
        set_condition(definition, "NamesAccepted", "False", *problem, now)
        if not is_true(definition, "Established"):
            set_condition(
                definition, "Established", "False", "NotAccepted", "not all names are accepted", now
            )
        return
    set_condition(definition, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now)
    if not is_true(definition, "Established"):
        accepted = "the initial names have been accepted"
        set_condition(definition, "Established", "True", "InitialNamesAccepted", accepted, now)


def is_true(definition: Obj, type_: str) -> bool:
    """Return whether a condition holds."""
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(found["type"] == type_ and found["status"] == "True" for found in conditions)


def set_condition(definition: Obj, type_: str, status: str, reason: str, message: str, now: str) -> None:
    """Write a condition in place; its time is that at which its status last became another."""
    conditions = definition["status"]["conditions"] = definition["status"].get("conditions") or []
    found = next((condition for condition in conditions if condition["type"] == type_), None)
    if found is None:
        conditions.append(found := {"type": type_, "status": ""})
    if found["status"] != status:
        found["lastTransitionTime"] = now
    found |= {"status": status, "reason": reason, "message": message}


def _taken(others: Iterable[Obj]) -> tuple[set[str], set[str]]:
    """Return the resources and the kinds that other definitions have."""
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        names = other.get("status", {}).get("acceptedNames", {})
        resources.update((names.get("plural", ""), names.get("singular", "")), names.get("shortNames", ()))
        kinds.update((names.get("kind", ""), names.get("listKind", "")))
    return resources - {""}, kinds - {""}


def _refused(wanted: Any, had: Any, taken: set[str]) -> str:
    """Return why a name, or one of several, is not given; "" where it is."""
    if not isinstance(wanted, list):
        return f"{json.dumps(wanted)} is already in use" if wanted != had and wanted in taken else ""
    problems = [f"{json.dumps(name)} is already in use" for name in wanted if name in taken]
    return problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]" if problems else ""
