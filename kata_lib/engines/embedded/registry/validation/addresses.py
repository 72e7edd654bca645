"""Rules of IP addresses, and of those that a Service has or asks for.

A real server refuses loopback addresses for endpoints; here they are what pods have.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import invalid, not_supported

FAMILIES = ("IPv4", "IPv6")

_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_NO_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def address(path: str, text: str) -> Iterator[Cause]:
    """Return what is wrong with a text that is to be an IP address."""
    if not family_of(text):
        yield invalid(path, text, _NO_ADDRESS)


def family_of(text: str) -> str:
    """Return IPv4 or IPv6, "" for a text that is no address."""
    try:
        return f"IPv{ipaddress.ip_address(text).version}"
    except ValueError:
        return ""


def addresses(spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    """Return what is wrong with the addresses of a Service, or with their change."""
    if spec.get("type") == "ExternalName":
        return
    headless = spec.get("clusterIP") == "None"
    before, after = (old or {}).get("clusterIP"), spec.get("clusterIP")
    if old and old.get("type") != "ExternalName" and before and before != after:
        yield invalid("spec.clusterIPs[0]", [after], "may not change once set")
        return
    if after and not headless:
        yield from address("spec.clusterIPs[0]", after)
    yield from _families(spec, after if family_of(after or "") else None, headless=headless)
    for position, text in enumerate(spec.get("externalIPs", ())):
        yield from address(f"spec.externalIPs[{position}]", text)


def _families(spec: Mapping[str, Any], chosen: str | None, *, headless: bool) -> Iterator[Cause]:
    for position, family in enumerate(spec.get("ipFamilies", ())):
        path = f"spec.ipFamilies[{position}]"
        if family not in FAMILIES:
            yield not_supported(path, family, FAMILIES)
        elif chosen and position == 0 and family != family_of(chosen):
            words = f"expected an {family} value as indicated by `ipFamilies[0]`"
            yield invalid("spec.clusterIPs[0]", chosen, words)
        elif family == "IPv6" and not headless:
            yield invalid(path, family, "not configured on this cluster")
    if (policy := spec.get("ipFamilyPolicy", "SingleStack")) not in _POLICIES:
        yield not_supported("spec.ipFamilyPolicy", policy, _POLICIES)
