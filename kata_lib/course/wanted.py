"""Where the requests to name should go in each step: each version's share, and the files that say so."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kata_lib.course import service
from kata_lib.course.steps import CANARY, CANARY_V3, PROMOTE, V3

Shares = Mapping[str, float]
"""Of the requests by version, 0 to 1."""
_NEAR = 0.0005
"""Shares are the same that print alike."""


@dataclass(frozen=True)
class WantedRouting:
    """What a step wants of the requests to name: each version's share, 0 to 1, and the files that say so.

    file: where the VirtualService is, "" for none. rules: the DestinationRules by name, each with its file.
    scaled: whether a Deployment is scaled on purpose.
    """

    shares: Shares
    file: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)
    scaled: bool = False

    def files(self) -> dict[tuple[str, str], str]:
        """Return the file of each object, in the order in which they are applied."""
        if not self.file:
            return {}
        rules = {("DestinationRule", name): file for name, file in self.rules.items()}
        return rules | {("VirtualService", service.NAME): self.file}


V1_ALONE = WantedRouting({"v1": 1.0})
A_THIRD = WantedRouting({"v1": 2 / 3, "v2": 1 / 3})
CANARY_10 = WantedRouting({"v1": 0.9, "v2": 0.1}, CANARY, {"name": CANARY})
CANARY_BY_FOUR_PODS = replace(CANARY_10, scaled=True)
CANARY_20 = WantedRouting({"v1": 0.8, "v2": 0.2}, CANARY, {"name": CANARY})
PROMOTED = WantedRouting({"v1": 0.0, "v2": 1.0}, PROMOTE, {"name": PROMOTE})
CANARY_OF_V3 = WantedRouting(
    {"v2": 0.9, "v3": 0.1}, CANARY_V3, {"name": PROMOTE, "name-v3": f"{V3}/destination-rule.yaml"}
)

V3_ERRORS = 0.5  # of v3's requests, as deploy/v3-faulty asks
V3_FAILURES = 0.1 * V3_ERRORS  # of all requests, where v3 gets a tenth
UNROUTED_FAILURES = 0.25 * V3_ERRORS  # where v3 gets what plain Kubernetes gives one pod of four


def same(shares: Shares, wanted: Shares) -> bool:
    """Return whether shares by version are those wanted; a version that is not named has none."""
    return all(abs(shares.get(name, 0.0) - wanted.get(name, 0.0)) < _NEAR for name in {*shares, *wanted})
