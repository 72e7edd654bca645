"""The query parameters of requests, read once and checked."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from kata_lib.engines.embedded.registry.decoding_words import go_quoted
from kata_lib.engines.embedded.registry.patches import APPLY_PATCH
from kata_lib.engines.embedded.registry.status import Cause, bad_request, invalid

MAX_NAME = 128
DIGITS = 30
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_OPTIONS = {
    "POST": "CreateOptions",
    "PUT": "UpdateOptions",
    "PATCH": "PatchOptions",
    "DELETE": "DeleteOptions",
}


@dataclass(frozen=True)
class WriteOptions:
    """How a write is to be done: by which field manager, how strictly, and whether for real."""

    manager: str
    field_validation: str
    dry_run: bool
    force: bool


def write_options(request: web.Request) -> WriteOptions:
    """Return the options of a write; raise StatusError 400 for values that the API does not have."""
    query = request.query
    if mistakes := list(_mistakes(request)):
        raise invalid(_OPTIONS[request.method], "meta.k8s.io", "", mistakes)
    agent = request.headers.get("User-Agent", "unknown").partition("/")[0]
    return WriteOptions(
        manager=query.get("fieldManager") or agent[:MAX_NAME],
        field_validation=query.get("fieldValidation") or "Warn",
        dry_run="dryRun" in query,
        force=flag(request, "force"),
    )


def _mistakes(request: web.Request) -> Iterator[Cause]:
    """Return what is wrong with the options of a write, in the real server's words."""
    query = request.query
    if "force" in query and request.method == "PATCH" and request.content_type != APPLY_PATCH:
        why = "Forbidden: may not be specified for non-apply patch"
        yield Cause("force", "FieldValueForbidden", why)
    manager = query.get("fieldManager", "")
    if not manager and request.content_type == APPLY_PATCH:
        yield Cause("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
    if len(manager.encode(errors="replace")) > MAX_NAME:
        yield Cause("fieldManager", "FieldValueTooLong", f"Too long: may not be more than {MAX_NAME} bytes")
    for position, character in enumerate(manager):
        if unicodedata.category(character)[0] not in "LMNPS" and character != " ":
            why = f"invalid character U+{ord(character):04X} (at position {position})"
            yield Cause("fieldManager", "FieldValueInvalid", f"Invalid value: {go_quoted(manager)}: {why}")
    if (validation := query.get("fieldValidation", "")) not in _VALIDATIONS:
        known = ", ".join(map(json.dumps, _VALIDATIONS))
        why = f"Unsupported value: {go_quoted(validation)}: supported values: {known}"
        yield Cause("fieldValidation", "FieldValueNotSupported", why)
    if query.get("dryRun", "All") != "All":
        why = f'Unsupported value: {json.dumps([query["dryRun"]])}: supported values: "All"'
        yield Cause("dryRun", "FieldValueNotSupported", why)


def flag(request: web.Request, name: str) -> bool:
    """Return a boolean parameter: absent is false, present without a value true."""
    value = request.query.get(name)
    return value is not None and value.lower() not in ("false", "0")


def resource_version(request: web.Request) -> int | None:
    """Return the parameter resourceVersion, None if absent; raise StatusError 400 for what is none."""
    value = request.query.get("resourceVersion") or None
    if value is not None and (not value.isascii() or not value.isdigit() or len(value) > 18):
        why = (
            f'resourceVersion: Invalid value: "{value}": strconv.ParseUint: parsing "{value}": invalid syntax'
        )
        raise bad_request(f"invalid resource version: {why}")
    return int(value) if value else None


def number(request: web.Request, name: str) -> int | None:
    """Return a whole number of 64 bits, None if absent; raise StatusError 400 for anything else."""
    value = request.query.get(name)
    if value is None:
        return None
    if not re.fullmatch("[-+]?[0-9]+", value):
        raise bad_request(f'strconv.ParseInt: parsing "{value}": invalid syntax')
    whole = int(value) if len(value) < DIGITS else 2**63
    if not -(2**63) <= whole < 2**63:
        raise bad_request(f'strconv.ParseInt: parsing "{value}": value out of range')
    return whole


def check_list_options(request: web.Request) -> None:
    """Raise StatusError 422 for options of a list or a watch that do not go together."""
    if causes := [*_list_mistakes(request.query, is_watch=flag(request, "watch"))]:
        raise invalid("ListOptions", "meta.k8s.io", "", causes)


def _list_mistakes(query: Mapping[str, str], *, is_watch: bool) -> Iterator[Cause]:
    match, version = query.get("resourceVersionMatch"), query.get("resourceVersion")
    if match:
        known = ("NotOlderThan",) if is_watch else ("Exact", "NotOlderThan", "")
        if is_watch and "sendInitialEvents" not in query:
            yield _forbidden_match("is forbidden for watch unless sendInitialEvents is provided")
        elif not is_watch and not version:
            yield _forbidden_match("is forbidden unless resourceVersion is provided")
        elif not is_watch and query.get("continue"):
            yield _forbidden_match("is forbidden when continue is provided")
        elif match == "Exact" and version == "0":
            yield _forbidden_match('"exact" is forbidden for resourceVersion "0"')
        if match not in known:
            supported = ", ".join(map(json.dumps, known))
            why = f"Unsupported value: {go_quoted(match)}: supported values: {supported}"
            yield Cause("resourceVersionMatch", "FieldValueNotSupported", why)
    if "sendInitialEvents" in query and not is_watch:
        why = "Forbidden: sendInitialEvents is forbidden for list"
        yield Cause("sendInitialEvents", "FieldValueForbidden", why)


def _forbidden_match(why: str) -> Cause:
    return Cause("resourceVersionMatch", "FieldValueForbidden", f"Forbidden: resourceVersionMatch {why}")
