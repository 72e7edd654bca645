"""A learner's turn: whether it is done, in whatever way, and what stands in where a number is needed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Protocol

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import service, wanted
from kata_lib.course.mistake import Mistake
from kata_lib.errors import ReleaseError
from kata_lib.mesh.analyze.written import shares_text

if TYPE_CHECKING:
    import pandas as pd


class Hands(Protocol):
    """What stands in for a turn is done by these: a Lab has them."""

    cluster: Cluster

    @property
    def weight(self) -> Any: ...

    def apply(self, path: str) -> None: ...
    def counters(self, since: "pd.DataFrame | None" = None) -> "pd.DataFrame": ...
    def sample(self, requests: int | None = None) -> "pd.DataFrame": ...
    def uncounted(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Turn:
    """What a turn must have brought about.

    open: why it is not done, given what the learner's cell made; "" where it is. stands_in: makes in its
    place what later cells read, None where they read nothing; said: what that does, in words. result: what
    later cells get of what the learner's cell made.
    """

    open: Callable[[Hands, Any], str]
    stands_in: Callable[[Hands, Any], Any] | None = None
    said: str = ""
    result: Callable[[Any], Any] = lambda made: made


def seen(found: Callable[[Cluster], Iterable[Mistake]]) -> Callable[[Hands, Any], str]:
    """Return what says the first mistake that keeps a turn from being done."""
    return lambda lab, _: next((mistake.text for mistake in found(lab.cluster)), "")


def routed(asked: wanted.WantedRouting) -> Callable[[Hands, Any], str]:
    """Return what says that the shares in force are others than a turn asks for."""

    def others(lab: Hands, _: Any) -> str:
        now = dict(service.in_force(lab.cluster).versions)
        if wanted.same(now, asked.shares):
            return ""
        return f"In force is {shares_text(now)}; asked for is {shares_text(asked.shares)}."

    return others


def as_yaml(text: str) -> Any:
    """Return what a text says as YAML; raise ReleaseError where it is none."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ReleaseError(" ".join(str(error).split())) from error


def has_dots(lab: Hands, made: Any) -> str:
    """Return that there are dots left in what a cell made, "" where there are none."""
    parts = made if isinstance(made, tuple) else (made,)
    return "There are still dots in its cell." if any(isinstance(p, EllipsisType) for p in parts) else ""
