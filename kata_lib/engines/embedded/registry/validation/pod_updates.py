"""Rules of a pod's changes: little of it may change once it is there."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import forbidden, invalid

Spec = Mapping[str, Any]

_REFUSED = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def update(new: Spec, old: Spec) -> Iterator[Cause]:
    """Return what is wrong with the step from one specification of a pod to another."""
    for field in ("containers", "initContainers"):
        if len(new.get(field, ())) != len(old.get(field, ())):
            yield forbidden(f"spec.{field}", "pod updates may not add or remove containers")
            return
    before, after = old.get("activeDeadlineSeconds"), new.get("activeDeadlineSeconds")
    if before is not None and after is None:
        yield invalid(
            "spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value"
        )
    elif before is not None and after > before:
        yield invalid("spec.activeDeadlineSeconds", after, "must be less than or equal to previous value")
    elif _fixed(new) != _fixed(old) or not _keeps_tolerations(new, old) or not _keeps_grace(new, old):
        yield forbidden("spec", _REFUSED)


def _fixed(spec: Spec) -> Any:
    """Return what of a pod's specification no update may change."""
    changeable = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
    kept = {key: value for key, value in spec.items() if key not in changeable}
    for field in ("containers", "initContainers"):
        if field in kept:
            kept[field] = [{key: found[key] for key in found if key != "image"} for found in kept[field]]
    return kept


def _keeps_tolerations(new: Spec, old: Spec) -> bool:
    def lasting(spec: Spec) -> list[Any]:
        return [
            {key: found[key] for key in found if key != "tolerationSeconds"}
            for found in spec.get("tolerations", ())
        ]

    return all(toleration in lasting(new) for toleration in lasting(old))


def _keeps_grace(new: Spec, old: Spec) -> bool:
    before, after = old.get("terminationGracePeriodSeconds"), new.get("terminationGracePeriodSeconds")
    return before == after or (before is not None and before < 0 and after == 1)
