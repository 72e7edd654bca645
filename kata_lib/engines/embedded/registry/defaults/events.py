"""Events: fields that every one shows, set or not."""

from kata_lib.engines.embedded.store import Obj


def complete(obj: Obj) -> None:
    """Add in place the fields that an Event always has."""
    for field in ("eventTime", "firstTimestamp", "lastTimestamp"):
        obj.setdefault(field, None)
    for field in ("reportingComponent", "reportingInstance"):
        obj.setdefault(field, "")
    obj.setdefault("source", {})
