"""The query parameters of requests, read once and checked."""

from dataclasses import dataclass

from aiohttp import web

from kata_lib.engines.embedded.registry.status import bad_request

MAX_NAME = 128


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
    if query.get("dryRun", "All") != "All":
        raise bad_request(f'dryRun: Unsupported value: "{query["dryRun"]}": supported values: "All"')
    validation = query.get("fieldValidation") or "Warn"
    if validation not in ("Ignore", "Warn", "Strict"):
        known = 'supported values: "Ignore", "Strict", "Warn"'
        raise bad_request(f'fieldValidation: Unsupported value: "{validation}": {known}')
    agent = request.headers.get("User-Agent", "unknown").partition("/")[0]
    return WriteOptions(
        manager=(query.get("fieldManager") or agent)[:MAX_NAME],
        field_validation=validation,
        dry_run="dryRun" in query,
        force=flag(request, "force"),
    )


def flag(request: web.Request, name: str) -> bool:
    """Return a boolean parameter: absent is false, present without a value true."""
    value = request.query.get(name)
    return value is not None and value.lower() not in ("false", "0")


def number(request: web.Request, name: str) -> int | None:
    """Return a whole number that is not negative, None if absent; raise StatusError 400 for anything else."""
    value = request.query.get(name)
    if value is None or value == "":
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise bad_request(f'{name}: Invalid value: "{value}": must be a whole number of at most 18 digits')
    return int(value)
