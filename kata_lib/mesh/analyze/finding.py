"""What an analysis says: one Finding a mistake, its code from the table below.

A mend is a line for a shell. Where only a person can decide what was meant, there are choices in its place.
"""

import html
from dataclasses import dataclass
from typing import Any, Literal

from kata_lib.cluster.client import Obj

Severity = Literal["Error", "Warning", "Info"]
SEVERITIES: tuple[Severity, ...] = ("Error", "Warning", "Info")

CODES: dict[str, tuple[str, Severity]] = {
    "IST0101": ("ReferencedResourceNotFound", "Error"),
    "IST0102": ("NamespaceNotInjected", "Info"),
    "IST0103": ("PodMissingProxy", "Warning"),
    "IST0109": ("ConflictingMeshGatewayVirtualServiceHosts", "Error"),
    "IST0112": ("VirtualServiceDestinationPortSelectorRequired", "Error"),
    "IST0118": ("PortNameIsNotUnderNamingConvention", "Info"),
    "IST0130": ("VirtualServiceUnreachableRule", "Warning"),
    "IST0131": ("VirtualServiceIneffectiveMatch", "Info"),
    "IST0132": ("VirtualServiceHostNotFoundInGateway", "Warning"),
    "IST0138": ("GatewayDuplicateCertificate", "Warning"),
    "IST0145": ("ConflictingGateways", "Error"),
    "IST0162": ("GatewayPortNotDefinedOnService", "Warning"),
    "IST0171": ("NegativeConditionStatus", "Warning"),
    "IST0173": ("DestinationRuleSubsetNotSelectPods", "Error"),
    "IST0174": ("UnknownDestinationRuleHost", "Warning"),
    "KATA0101": ("PodsOlderThanInjection", "Warning"),
    "KATA0102": ("CallerWithoutSidecar", "Error"),
    "KATA0103": ("ServiceSelectsNoPods", "Warning"),
    "KATA0104": ("TargetPortNotOpened", "Warning"),
    "KATA0105": ("HttpRulesWithoutEffect", "Warning"),
    "KATA0201": ("VirtualServiceForUnknownHost", "Error"),
    "KATA0202": ("VirtualServiceForOtherHost", "Warning"),
    "KATA0203": ("VirtualServiceInOtherNamespace", "Warning"),
    "KATA0204": ("VirtualServiceNotForMesh", "Warning"),
    "KATA0301": ("SubsetSelectsNoPodOfItsHost", "Error"),
    "KATA0302": ("SubsetWithoutReadyPod", "Error"),
    "KATA0303": ("SubsetNotUsed", "Warning"),
    "KATA0304": ("DeploymentInNoSubset", "Warning"),
    "KATA0305": ("SubsetNamedAfterAnotherVersion", "Warning"),
    "KATA0401": ("WeightsNotTotal100", "Warning"),
    "KATA0402": ("WeightsLikePods", "Warning"),
    "KATA0403": ("ScaledInsteadOfWeighted", "Warning"),
    "KATA0404": ("ScaledWhileWeighted", "Info"),
    "KATA0405": ("WeightsWithAffinity", "Warning"),
    "KATA0406": ("RetriesHideFailures", "Warning"),
    "KATA0501": ("RequestsWithoutRoute", "Error"),
    "KATA0502": ("RequestsWithoutPod", "Error"),
    "KATA0503": ("RequestsRefused", "Error"),
    "KATA0504": ("RequestsAnsweredByRule", "Error"),
    "KATA0601": ("HTTPRouteNotAccepted", "Error"),
    "KATA0602": ("BackendNotFound", "Error"),
    "KATA0603": ("BackendNotPermitted", "Error"),
    "KATA0604": ("VirtualServiceBesideHTTPRoute", "Warning"),
    "KATA0605": ("SplitForMeshAlone", "Warning"),
    "KATA0606": ("RuleWithoutWeight", "Error"),
    "KATA0607": ("WeightsNotMovedByRollout", "Warning"),
}
"""Every code with its name and severity: IST... as istioctl has them, KATA... for what it does not see.

Source: istio/istio, pkg/config/analysis/msg/messages.yaml, whose words the messages of IST... are.
"""


@dataclass(frozen=True)
class Choice:
    """One way to mend: its line, and what that does. line is "" for one that a person must do by hand."""

    line: str
    effect: str

    def __str__(self) -> str:
        return f"{self.line or '(no line)'}   # {self.effect}"

    def as_html(self) -> str:
        """Return it as HTML; one without a line says that it is done by hand."""
        line = f"<code>{html.escape(self.line)}</code>" if self.line else "by hand:"
        return f"{line} {html.escape(self.effect)}"


@dataclass(frozen=True)
class Finding:
    """One mistake: in which object ("VirtualService default/name"), where seen, and what line mends it.

    mend is "" where a person must look, or choose: then choices has the ways.
    """

    code: str
    severity: Severity
    object: str
    message: str
    seen: str
    mend: str
    choices: tuple[Choice, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.severity} [{self.code}] ({self.object}) {self.message}", f"  Seen: {self.seen}"]
        if self.mend:
            lines.append(f"  Mend: {self.mend}")
        lines += [f"  Choose: {choice}" for choice in self.choices]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return it with the keys of `istioctl analyze -o json`, and where seen and what mends it."""
        return {
            "code": self.code,
            "name": CODES[self.code][0],
            "level": self.severity,
            "origin": self.object,
            "message": self.message,
            "seen": self.seen,
            "mend": self.mend,
            "choices": [vars(choice) for choice in self.choices],
        }


def finding(
    code: str, obj: Obj, message: str, *, seen: str, mend: str = "", choices: tuple[Choice, ...] = ()
) -> Finding:
    """Make a Finding about an object, with the code's severity."""
    metadata = obj["metadata"]
    name = "/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part)
    return Finding(code, CODES[code][1], f"{obj['kind']} {name}", message, seen, mend, choices)
