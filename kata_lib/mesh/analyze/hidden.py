"""What hides a version's share or failures from whoever counts answers: retries, sessions that stick."""

from collections.abc import Iterator

from kata_lib.cluster.client import Obj
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Finding, finding
from kata_lib.mesh.analyze.objects import Objects, rules, subsets
from kata_lib.mesh.analyze.written import by_version, shares_text

_ON_FAILURES = {"5xx", "gateway-error", "retriable-4xx", "retriable-status-codes"}
"""Of Envoy's conditions for a retry (x-envoy-retry-on) those that an application's own answer can meet."""


def findings(found: Objects) -> Iterator[Finding]:
    """Yield rules that try failed requests again elsewhere, and hashes that weights do not see."""
    for service in found.own(found.virtual_services):
        for number, rule in enumerate(rules(service)):
            shares = {
                name: share for name, share in by_version(found, rule.get("route") or []).items() if share
            }
            if len(shares) > 1 and (tries := hiding(rule)):
                yield _retries(service, number, tries, shares_text(shares))
    for rule in found.own(found.destination_rules):
        yield from _affinity(found, rule)


def hiding(rule: Obj) -> int:
    """Return how often a rule tries a request again that the application failed; 0 where it does not."""
    retries = rule.get("retries") or {}
    words = {word.strip() for word in str(retries.get("retryOn", "")).split(",")}
    answers = words & _ON_FAILURES or any(word.isdigit() for word in words)
    return int(retries.get("attempts", 2)) if answers else 0


def _retries(service: Obj, number: int, tries: int, shares: str) -> Finding:
    return finding(
        "KATA0406",
        service,
        f"A request that one version fails is tried again, up to {tries} times, and another version may "
        f"answer then: callers see fewer failures than a version has ({shares}), and a failing one looks "
        "well. The sidecars of its "
        "own pods count each.",
        seen=f"spec.http[{number}].retries",
        mend=lines.patch(
            service, {"op": "replace", "path": f"/spec/http/{number}/retries", "value": {"attempts": 0}}
        ),
    )


def _affinity(found: Objects, rule: Obj) -> Iterator[Finding]:
    """Yield where a hash keeps callers at a pod after weights have drawn a version for each request."""
    target = found.service(rule["spec"]["host"])
    routed = found.routing(target) if target else []
    weighted = any(len(by_version(found, http.get("route") or [])) > 1 for v in routed for http in rules(v))
    places = {"spec.trafficPolicy": rule["spec"].get("trafficPolicy") or {}}
    for index, subset in enumerate(subsets(rule)):
        places[f"spec.subsets[{index}].trafficPolicy"] = subset.get("trafficPolicy") or {}
    for place, policy in places.items():
        if weighted and "consistentHash" in (policy.get("loadBalancer") or {}):
            yield finding(
                "KATA0405",
                rule,
                "consistentHash keeps a caller at one pod of a version, but the weights draw the version "
                "for each request anew: callers change between versions all the same.",
                seen=f"{place}.loadBalancer.consistentHash; VirtualService {routed[0]['metadata']['name']}",
                mend=lines.removed(rule, f"{place}.loadBalancer"),
            )
