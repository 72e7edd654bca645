"""What is wrong with a namespace's objects: what `istioctl analyze` says, and what it does not see.

Objects go in, findings come out, the worst first. Each file judges one matter: `sidecars`, `services`,
`ports`, `routes`, `gateways`, `destinations`, `subsets`, `weights`; `finding` has the table of codes.
"""

import html
import json
from dataclasses import dataclass

from kata_lib.cluster.cluster import Cluster
from kata_lib.mesh.analyze import destinations, gateways, ports, routes, services, sidecars, subsets, weights
from kata_lib.mesh.analyze.finding import CODES, SEVERITIES, Finding
from kata_lib.mesh.analyze.objects import Objects, read

__all__ = ["CODES", "Analysis", "Finding", "Objects", "findings", "of", "read"]

_MATTERS = (sidecars, services, ports, routes, gateways, destinations, subsets, weights)


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
        items = (
            f"<li><b>{f.severity} [{f.code}]</b> ({html.escape(f.object)}) {html.escape(f.message)}"
            f"<br>Seen: {html.escape(f.seen)}<br>Mend: <code>{html.escape(f.mend)}</code></li>"
            for f in self.findings
        )
        return f"<ul>{''.join(items)}</ul>"


def namespace(cluster: Cluster) -> Analysis:
    """Analyse what a cluster's namespace holds now."""
    return Analysis(cluster.namespace, tuple(findings(read(cluster))))


def findings(objects: Objects) -> list[Finding]:
    """Return what is wrong with the objects: errors first, then warnings, each by code and object.

    What one object does wrong in several places in the same words is said once, as istioctl does.
    """
    found: dict[tuple[str, str, str], Finding] = {}
    for matter in _MATTERS:
        for finding in matter.findings(objects):
            found.setdefault((finding.code, finding.object, finding.message), finding)
    return sorted(found.values(), key=lambda f: (SEVERITIES.index(f.severity), f.code, f.object))
