"""What an HTTPRoute's status says against it, in istioctl's words; the cause has the line that mends it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.mesh.analyze.finding import Finding, finding
from kata_lib.mesh.analyze.objects import Objects

_CAUSES: Mapping[str, Sequence[str]] = {"Accepted": ("KATA0601",), "ResolvedRefs": ("KATA0602", "KATA0603")}


def findings(found: Objects, others: Sequence[Finding]) -> Iterator[Finding]:
    """Yield each condition that does not hold; others: the findings of what causes it."""
    for route in found.own(found.http_routes):
        about = [other for other in others if other.object.endswith(f"/{route['metadata']['name']}")]
        for index, entry in enumerate(of(route)):
            for condition in entry.get("conditions", ()):
                if condition["status"] == "False":
                    yield _negative(route, index, condition, about)


def of(route: Obj) -> list[Mapping[str, Any]]:
    """Return what is said of each of a route's parents."""
    return route.get("status", {}).get("parents") or []


def _negative(route: Obj, index: int, condition: Mapping[str, str], about: Sequence[Finding]) -> Finding:
    codes = _CAUSES.get(condition["type"], ())
    cause = next((other for other in about if other.code in codes), None)
    return finding(
        "IST0171",
        route,
        f"A condition with a negative status is present: type={condition['type']}, "
        f"reason={condition['reason']}, message={condition['message']}.",
        seen=f"status.parents[{index}].conditions",
        mend=cause.mend if cause else "",
        choices=cause.choices if cause else (),
    )
