"""The API server's refusals, as exceptions that carry a Status object with the real server's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kata_lib.engines.embedded.registry.resources import Resource


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong with one field, for example Cause("spec.replicas", "FieldValueInvalid", ...).

    `message` begins as the real server's do: 'Invalid value: -1: must be greater than or equal to 0'.
    """

    field: str
    reason: str
    message: str


class StatusError(Exception):
    """A request that is refused: HTTP status code, reason, message and details of the Status object.

    `warnings` are what else the client is told.
    """

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.warnings: list[str] = []

    def body(self) -> dict[str, Any]:
        """Return the Status object that the client is sent."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return status | {"code": self.code}


def _named(resource: Resource, name: str) -> dict[str, Any]:
    named = {"name": name} if name else {}
    group = {"group": resource.group} if resource.group else {}
    return {**named, **group, "kind": resource.plural}


def not_found(resource: Resource, name: str) -> StatusError:
    """404: there is no such object."""
    message = f'{resource.qualified} "{name}" not found'
    return StatusError(404, "NotFound", message, _named(resource, name))


def no_such_path() -> StatusError:
    """404: the server serves nothing at that path."""
    return StatusError(404, "NotFound", "the server could not find the requested resource")


def already_exists(resource: Resource, name: str) -> StatusError:
    """409: the name is taken."""
    message = f'{resource.qualified} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _named(resource, name))


def conflict(resource: Resource, name: str, why: str) -> StatusError:
    """409: the change does not fit the object's present state."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return StatusError(409, "Conflict", message, _named(resource, name))


def modified(resource: Resource, name: str) -> StatusError:
    """409: the optimistic lock; the object changed since it was read."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, why)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> StatusError:
    """422: the object's fields are wrong; one cause a mistake."""
    qualified = f"{kind}.{group}" if group else kind
    details = {
        **({"name": name} if name else {}),
        **({"group": group} if group else {}),
        "kind": kind,
        "causes": [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes],
    }
    return StatusError(422, "Invalid", f'{qualified} "{name}" is invalid: {_listed(causes)}', details)


def _listed(causes: Sequence[Cause]) -> str:
    """Return the mistakes as one text, each said once."""
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def invalid_request(causes: Sequence[Cause]) -> StatusError:
    """422: the request itself, not the object, is wrong, as with a patch that cannot be applied."""
    details = {"causes": [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]}
    return StatusError(422, "Invalid", f' "" is invalid: {_listed(causes)}', details)


def rejected_request() -> StatusError:
    """422 without a cause: what the real server says of a JSON patch whose path does not exist."""
    return StatusError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def bad_request(message: str) -> StatusError:
    """400: the request cannot be understood."""
    return StatusError(400, "BadRequest", message)


def other_namespace() -> StatusError:
    """400: the object names another namespace than the request."""
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request"
    )


def forbidden(resource: Resource, name: str, why: str) -> StatusError:
    """403: understood, and refused."""
    what = f'{resource.qualified} "{name}"' if name else resource.qualified
    return StatusError(403, "Forbidden", f"{what} is forbidden: {why}", _named(resource, name))


def method_not_allowed(resource: Resource | None = None) -> StatusError:
    """405: the resource has no such verb."""
    details = _named(resource, "") if resource else None
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, details)


def unauthorized() -> StatusError:
    """401: the token is not this server's."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def expired(message: str) -> StatusError:
    """410: the history or list that was asked for is no longer kept."""
    return StatusError(410, "Expired", message)


def unsupported_media_type(accepted: Sequence[str]) -> StatusError:
    """415: the body is in a form that this resource does not take."""
    message = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(
        accepted
    )
    return StatusError(415, "UnsupportedMediaType", message)


def unsupported_patch(found: str, accepted: Sequence[str]) -> StatusError:
    """415: there is no such kind of patch, or this resource does not take it."""
    if found.endswith("-patch+json"):
        return unsupported_media_type(accepted)
    return StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def too_large(limit: int) -> StatusError:
    """413: the body has more than `limit` bytes."""
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def too_many_values(limit: int) -> StatusError:
    """413: the object has more than `limit` values; a real server counts bytes alone."""
    message = f"Request entity too large: the embedded engine's limit is {limit} values in an object"
    return StatusError(413, "RequestEntityTooLarge", message)


def too_many_operations(limit: int, found: int) -> StatusError:
    """413: a JSON patch has more than `limit` operations."""
    why = f"The allowed maximum operations in a JSON patch is {limit}, got {found}"
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: {why}")


def timed_out(message: str) -> StatusError:
    """504: something did not happen in its time."""
    return StatusError(504, "Timeout", f"Timeout: {message}")


def version_from_the_future(asked: int, current: int) -> StatusError:
    """504: a list shall be as new as a version that is still to come; clients know it by its cause."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return StatusError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})


def plain(message: str) -> StatusError:
    """500 without a reason: how the real server passes on an error of its store or of a library."""
    return StatusError(500, "", message)


def internal(message: str) -> StatusError:
    """500: a mistake of this server."""
    return StatusError(500, "InternalError", f"Internal error occurred: {message}")
