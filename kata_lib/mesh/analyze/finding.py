"""What an analysis says: one Finding a mistake, its code from the table below."""

from dataclasses import dataclass
from typing import Literal

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
    "IST0173": ("DestinationRuleSubsetNotSelectPods", "Error"),
    "IST0174": ("UnknownDestinationRuleHost", "Warning"),
    "KATA0101": ("PodsOlderThanInjection", "Warning"),
    "KATA0102": ("CallerWithoutSidecar", "Error"),
    "KATA0103": ("ServiceSelectsNoPods", "Warning"),
    "KATA0105": ("HttpRulesWithoutEffect", "Warning"),
    "KATA0201": ("VirtualServiceForUnknownHost", "Error"),
    "KATA0202": ("VirtualServiceForOtherHost", "Warning"),
    "KATA0203": ("VirtualServiceInOtherNamespace", "Warning"),
    "KATA0204": ("VirtualServiceNotForMesh", "Warning"),
    "KATA0301": ("SubsetSelectsNoPodOfItsHost", "Error"),
    "KATA0302": ("SubsetWithoutReadyPod", "Error"),
    "KATA0303": ("SubsetNotUsed", "Warning"),
    "KATA0304": ("DeploymentInNoSubset", "Warning"),
    "KATA0401": ("WeightsNotTotal100", "Warning"),
    "KATA0402": ("WeightsLikePods", "Warning"),
    "KATA0403": ("ScaledInsteadOfWeighted", "Warning"),
    "KATA0404": ("ScaledWhileWeighted", "Info"),
}
"""Every code with its name and severity: IST... as istioctl 1.31 has them, KATA... for what it does not see.

Source: istio/istio, pkg/config/analysis/msg/messages.yaml, whose words the messages of IST... are.
"""


@dataclass(frozen=True)
class Finding:
    """One mistake: in which object ("VirtualService default/name"), where seen, and what line mends it."""

    code: str
    severity: Severity
    object: str
    message: str
    seen: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.severity} [{self.code}] ({self.object}) {self.message}\n"
            f"  Seen: {self.seen}\n"
            f"  Mend: {self.mend}"
        )

    def as_json(self) -> dict[str, str]:
        """Return it with the keys of `istioctl analyze -o json`, and where seen and the mending line."""
        return {
            "code": self.code,
            "name": CODES[self.code][0],
            "level": self.severity,
            "origin": self.object,
            "message": self.message,
            "seen": self.seen,
            "mend": self.mend,
        }


def finding(code: str, obj: Obj, message: str, *, seen: str, mend: str) -> Finding:
    """Make a Finding about an object, with the code's severity."""
    metadata = obj["metadata"]
    name = "/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part)
    return Finding(code, CODES[code][1], f"{obj['kind']} {name}", message, seen, mend)
