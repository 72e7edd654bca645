"""What a deletion is to do: DeleteOptions in a request's body, or the same in its query."""

import json
from typing import Any

from aiohttp import web

from kata_lib.engines.embedded.api.bodies import sent_options
from kata_lib.engines.embedded.api.query import number, write_options
from kata_lib.engines.embedded.registry.decoding_words import json_type
from kata_lib.engines.embedded.registry.deletion import PROPAGATIONS
from kata_lib.engines.embedded.registry.status import Cause, StatusError, bad_request, invalid
from kata_lib.engines.embedded.store import Obj

_OPTIONS = "DeleteOptions"
_FIELDS: dict[str, tuple[type, str]] = {
    "gracePeriodSeconds": (int, "int64"),
    "orphanDependents": (bool, "bool"),
    "propagationPolicy": (str, "v1.DeletionPropagation"),
    "dryRun": (list, "[]string"),
    "preconditions": (dict, "v1.Preconditions"),
}
_PRECONDITIONS: dict[str, tuple[type, str]] = {"uid": (str, "types.UID"), "resourceVersion": (str, "string")}
"""Each field's type in JSON, and its name in Go."""


async def delete_options(request: web.Request) -> dict[str, Any]:
    """Return what the registry's `delete` is called with; raise StatusError 400 or 422 for what is none."""
    body = await sent_options(request, _OPTIONS)
    _check(body)
    policy = body.get("propagationPolicy") or request.query.get("propagationPolicy")
    if policy not in (None, *PROPAGATIONS):
        raise _unsupported("propagationPolicy", policy, *PROPAGATIONS, "nil")
    orphan = body.get("orphanDependents")
    if orphan is not None and policy:
        why = "orphanDependents and deletionPropagation cannot be both set"
        raise _invalid("propagationPolicy", f"Invalid value: {json.dumps(policy)}: {why}")
    if (body.get("dryRun") or ["All"]) != ["All"]:
        raise _unsupported("dryRun", body["dryRun"], "All")
    grace = body.get("gracePeriodSeconds")
    return {
        "propagation": policy or ("Orphan" if orphan else "Background"),
        "grace_seconds": number(request, "gracePeriodSeconds") if grace is None else grace,
        "preconditions": body.get("preconditions"),
        "dry_run": bool(body.get("dryRun")) or write_options(request).dry_run,
    }


def _check(body: Obj) -> None:
    """Raise StatusError 400 where a body is of another kind, or a field of another type."""
    kind, version = body.get("kind"), body.get("apiVersion")
    if kind not in (None, "", _OPTIONS):
        raise bad_request(
            f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        )
    _check_types(body, _FIELDS, _OPTIONS, "")
    _check_types(body.get("preconditions") or {}, _PRECONDITIONS, "Preconditions", "preconditions.")


def _check_types(body: Obj, fields: dict[str, tuple[type, str]], struct: str, prefix: str) -> None:
    for name, (type_, in_go) in fields.items():
        value = body.get(name)
        fits = isinstance(value, type_) and isinstance(value, bool) == (type_ is bool)
        if isinstance(value, int) and type_ is int:
            fits = fits and -(2**63) <= value < 2**63
        if value is not None and not fits:
            found = f"number {value}" if json_type(value) == "number" and type_ is int else json_type(value)
            raise bad_request(
                f"json: cannot unmarshal {found} into Go struct field {struct}.{prefix}{name} of type {in_go}"
            )


def _unsupported(name: str, value: Any, *supported: str) -> StatusError:
    known = ", ".join(map(json.dumps, supported))
    why = f"Unsupported value: {json.dumps(value)}: supported values: {known}"
    return _invalid(name, why, "FieldValueNotSupported")


def _invalid(name: str, why: str, reason: str = "FieldValueInvalid") -> StatusError:
    return invalid(_OPTIONS, "meta.k8s.io", "", [Cause(name, reason, why)])
