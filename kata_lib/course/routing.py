"""Why the requests to name do not go where a step wants them, and the line that mends it.

What is written is looked at, then what is in force. What would give a new version more than the step asks is mended
first, because what comes after (a Deployment, a Service, a sidecar) would bring it into force.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import restoring, service
from kata_lib.course.mistake import Mistake, of_finding
from kata_lib.course.steps import CANARY, CANARY_V3, PROMOTE, V3
from kata_lib.mesh import weights
from kata_lib.mesh.analyze import Finding, Objects, read
from kata_lib.mesh.analyze.objects import hosts, newest, rules
from kata_lib.mesh.analyze.written import raises_newest, shares_text, versions, written_shares
from kata_lib.mesh.in_force import InForce
from kata_lib.mesh.virtual_services import is_plain, speaker
from kata_lib.mesh import analyze
from kata_lib.statistics.shares import percent

Shares = Mapping[str, float]
_NOT_FOLLOWED = ("KATA0202", "KATA0203", "KATA0204")
"""Warnings of an analysis that tell why a VirtualService does nothing for the host of the step."""
_CAUSES = ("KATA0103", "KATA0104")
_NEAR = 0.0005
_FAILED = 400


@dataclass(frozen=True)
class Routing:
    """What a step wants of the requests to name: the share of each version, 0 to 1, and the files that say so.

    file: where the VirtualService is; rules: the DestinationRules by name, each with its file.
    """

    shares: Shares
    file: str
    rules: Mapping[str, str]

    def files(self) -> dict[tuple[str, str], str]:
        """Return the file of each object, in the order in which they are applied."""
        rules = {("DestinationRule", name): file for name, file in self.rules.items()}
        return rules | {("VirtualService", service.NAME): self.file}


CANARY_10 = Routing({"v1": 0.9, "v2": 0.1}, CANARY, {"name": CANARY})
CANARY_20 = Routing({"v1": 0.8, "v2": 0.2}, CANARY, {"name": CANARY})
PROMOTED = Routing({"v1": 0.0, "v2": 1.0}, PROMOTE, {"name": PROMOTE})
CANARY_OF_V3 = Routing(
    {"v2": 0.9, "v3": 0.1}, CANARY_V3, {"name": PROMOTE, "name-v3": f"{V3}/destination-rule.yaml"}
)


def unsafe(cluster: Cluster, wanted: Routing) -> Iterator[Mistake]:
    """Yield what is written, or not written, so that the newest version would get more than the step asks."""
    found = read(cluster, service.KNOWN)
    virtual_service = speaker(cluster, service.NAME)
    if virtual_service is None or raises_newest(wanted.shares, written_shares(found, virtual_service)):
        yield from _written(cluster, wanted, found, virtual_service)


def mistakes(cluster: Cluster, wanted: Routing) -> Iterator[Mistake]:
    """Yield why the requests do not go where the step wants them: from what is written, then what is in force."""
    found = read(cluster, service.KNOWN)
    yield from _written(cluster, wanted, found, speaker(cluster, service.NAME))
    seen = service.in_force(cluster)
    if not _as_wanted(seen, wanted):
        yield from _in_force(cluster, wanted, found, seen)


def _as_wanted(seen: InForce, wanted: Routing) -> bool:
    outcome = seen.outcome()
    failing = any(share for status, share in outcome.answered.items() if status >= _FAILED)
    return not failing and _same(outcome.versions, wanted.shares)


def _same(shares: Shares, wanted: Shares) -> bool:
    return all(abs(shares.get(name, 0.0) - wanted.get(name, 0.0)) < _NEAR for name in {*shares, *wanted})


def _written(
    cluster: Cluster, wanted: Routing, found: Objects, virtual_service: Obj | None
) -> Iterator[Mistake]:
    if virtual_service is None:
        yield _nobody_speaks(cluster, wanted, found)
        return
    shares = written_shares(found, virtual_service)
    if _same(shares, wanted.shares) and not _undefined(found):
        return
    findings = analyze.findings(found)
    mends = restored(cluster, wanted)
    for finding in findings:
        if finding.object.startswith(("VirtualService", "DestinationRule")) and finding.severity == "Error":
            if finding.code == "IST0109":
                yield of_finding(finding)
            elif mends:
                yield of_finding(finding, mends)
            return_to = finding
            break
    yield _weights(cluster, wanted, found, virtual_service, shares, mends)
