"""What is wrong with a namespace's objects: what `istioctl analyze` says, and what it does not see.

Objects go in, findings come out, the worst first. Each file judges one matter: `sidecars`, `services`,
`ports`, `routes`, `gateways`, `gateway_servers`, `destinations`, `subsets`, `weights`, `hidden`,
`http_routes`, `outside`, `rollouts`; `conditions` says it as a status does, `outages` which requests fail of
it.
`finding` has the table of codes, `lines` writes what mends.
"""

import html
import json
from dataclasses import dataclass

from kata_lib.cluster.cluster import Cluster
from kata_lib.mesh.analyze import (
    conditions,
    destinations,
    gateway_servers,
    gateways,
    hidden,
    http_routes,
    outages,
    outside,
    ports,
    rollouts,
    routes,
    services,
    sidecars,
    subsets,
    weights,
)
from kata_lib.mesh.analyze.finding import CODES, SEVERITIES, Choice, Finding
from kata_lib.mesh.analyze.objects import Known, Objects
from kata_lib.mesh.analyze.reading import read

__all__ = ["CODES", "Analysis", "Choice", "Finding", "Known", "Objects", "findings", "namespace", "read"]

_MATTERS = (
    *(sidecars, services, ports, routes, gateways, gateway_servers, destinations, subsets, weights, hidden),
    *(http_routes, outside, rollouts),
)


@dataclass(frozen=True)
class Analysis:
    """The findings of one namespace; shows as text, and in a notebook as a list."""

    namespace: str
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(found.severity == "Error" for found in self.findings)

    def as_json(self) -> str:
        """Return a JSON list of the findings."""
        return json.dumps([found.as_json() for found in self.findings], indent=2, ensure_ascii=False)

    def __repr__(self) -> str:
        if not self.findings:
            return f"✔ No validation issues found when analyzing namespace: {self.namespace}."
        return "\n".join(map(str, self.findings))

    def _repr_html_(self) -> str:
        if not self.findings:
            return html.escape(repr(self))
        return f"<ul>{''.join(map(_item, self.findings))}</ul>"


def _item(found: Finding) -> str:
    mends = [f"<br>Mend: <code>{html.escape(found.mend)}</code>"] if found.mend else []
    mends += [f"<br>Choose: {choice.as_html()}" for choice in found.choices]
    return (
        f"<li><b>{found.severity} [{found.code}]</b> ({html.escape(found.object)}) "
        f"{html.escape(found.message)}<br>Seen: {html.escape(found.seen)}{''.join(mends)}</li>"
    )


def namespace(cluster: Cluster, known: Known = Known()) -> Analysis:  # noqa: B008
    """Analyse what a cluster's namespace holds now; known: what whoever asks knows of it."""
    return Analysis(cluster.namespace, tuple(findings(read(cluster, known))))


def findings(objects: Objects) -> list[Finding]:
    """Return what is wrong with the objects: errors first, then warnings, each by code and object.

    What one object does wrong in several places in the same words is said once, as istioctl does.
    """
    each = [finding for matter in _MATTERS for finding in matter.findings(objects)]
    found: dict[tuple[str, str, str], Finding] = {}
    for finding in [*each, *conditions.findings(objects, each), *outages.findings(objects, each)]:
        found.setdefault((finding.code, finding.object, finding.message), finding)
    return sorted(found.values(), key=lambda f: (SEVERITIES.index(f.severity), f.code, f.object))
