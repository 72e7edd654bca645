"""The steps of a plan, by Argo Rollouts' names for them.

A release ends with everyone on the canary, watched for a while. Steps that do not say so get these at their
end: setWeight 100, and after it a pause of WATCH seconds and an analysis.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kata_lib.delivery.fields import choice, duration, fields, text, whole
from kata_lib.errors import ReleaseError


@dataclass(frozen=True)
class SetWeight:
    """Give the canary this many per cent of the requests."""

    weight: int

    def __str__(self) -> str:
        return f"setWeight {self.weight}"


@dataclass(frozen=True)
class Pause:
    """Wait this many seconds, or with None for a person."""

    seconds: float | None

    def __str__(self) -> str:
        return "pause" if self.seconds is None else f"pause {self.seconds:g} s"


@dataclass(frozen=True)
class Analysis:
    """Wait until these metrics, by default all, have a verdict."""

    metrics: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(("analysis", *self.metrics))


@dataclass(frozen=True)
class HeaderRoute:
    """Send requests that have a header to the canary, whatever its weight."""

    name: str
    header: str
    kind: str
    value: str

    def __str__(self) -> str:
        return f"setHeaderRoute {self.name}"


@dataclass(frozen=True)
class MirrorRoute:
    """Send the canary a copy of this many per cent of the requests; nobody waits for its answers."""

    percentage: int

    def __str__(self) -> str:
        return f"setMirrorRoute {self.percentage}"


Step = SetWeight | Pause | Analysis | HeaderRoute | MirrorRoute

WATCH = 5.0
NAMES = ("setWeight", "pause", "analysis", "setHeaderRoute", "setMirrorRoute")


def parse_steps(given: Any) -> tuple[Step, ...]:
    """Return a plan's steps; ReleaseError says which of them is wrong."""
    if not isinstance(given, list) or not given:
        raise ReleaseError(f"Expected a list of steps, found {given!r}.")
    steps = tuple(_step(entry, place) for place, entry in enumerate(given, start=1))
    reached = 0
    for place, step in enumerate(steps, start=1):
        if isinstance(step, SetWeight):
            if step.weight < reached:
                raise ReleaseError(
                    f"Step {place}: setWeight {step.weight} after {reached}. The weights of a release rise; "
                    "`abort` is the way back."
                )
            reached = step.weight
        if isinstance(step, MirrorRoute) and reached:
            raise ReleaseError(f"Step {place}: setMirrorRoute comes before the first setWeight above 0.")
    if not any(isinstance(step, Analysis) for step in steps):
        raise ReleaseError("No step is an analysis: nothing would decide. Add `- analysis: {}`.")
    return to_the_end(steps)


def to_the_end(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps with those that they lack at their end."""
    if SetWeight(100) not in steps:
        steps = (*steps, SetWeight(100))
    watched = any(isinstance(step, Analysis) for step in steps[steps.index(SetWeight(100)) :])
    return steps if watched else (*steps, Pause(WATCH), Analysis())


def _step(given: Any, place: int) -> Step:
    if not isinstance(given, Mapping) or len(given) != 1:
        raise ReleaseError(f"Step {place}: expected one of {', '.join(NAMES)}, found {given!r}.")
    ((name, value),) = given.items()
    what = f"step {place}, {name}"
    match choice(name, f"step {place}", NAMES):
        case "setWeight":
            return SetWeight(whole(value, what, 100))
        case "pause":
            found = fields(value or {}, what, (), ("duration",))
            return Pause(duration(found["duration"], what) if "duration" in found else None)
        case "analysis":
            named = fields(value or {}, what, (), ("metrics",)).get("metrics", [])
            if not isinstance(named, list):
                raise ReleaseError(f"{what}: expected a list of metrics' names, found {named!r}.")
            return Analysis(tuple(str(metric) for metric in named))
        case "setMirrorRoute":
            return MirrorRoute(whole(fields(value, what, ("percentage",))["percentage"], what, 100))
        case _:
            return _header_route(value, what)


def _header_route(given: Any, what: str) -> HeaderRoute:
    found = fields(given, what, ("name", "match"))
    if not isinstance(found["match"], list) or len(found["match"]) != 1:
        raise ReleaseError(f"{what}: expected one match, found {found['match']!r}.")
    match = fields(found["match"][0], f"{what}: match", ("headerName", "headerValue"))
    wanted = fields(match["headerValue"], f"{what}: headerValue", (), ("exact", "prefix", "regex"))
    if len(wanted) != 1:
        raise ReleaseError(f"{what}: expected one of exact, prefix, regex in headerValue, found {wanted!r}.")
    ((kind, value),) = wanted.items()
    name, header = text(found["name"], f"{what}: name"), text(match["headerName"], f"{what}: headerName")
    return HeaderRoute(name, header, kind, text(value, f"{what}: headerValue"))
