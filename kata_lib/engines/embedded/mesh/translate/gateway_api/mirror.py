"""Filter RequestMirror."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.gateway_api import backends

FIELDS: dict[str, Tree] = {
    "requestMirror": {
        "backendRef": backends.REFERENCE,
        "percent": LEAF,
        "fraction": {"numerator": LEAF, "denominator": LEAF},
    }
}


def istio(mirror: Mapping[str, Any], scope: backends.Scope) -> dict[str, Any]:
    """Return Istio's mirror. Raises Problem where its backend is none."""
    destination, problem = backends.destination(mirror["backendRef"], scope)
    if problem:
        raise problem
    return {"destination": destination, **_share(mirror)}


def _share(mirror: Mapping[str, Any]) -> dict[str, Any]:
    if fraction := mirror.get("fraction"):
        return {"percentage": {"value": 100 * fraction["numerator"] / fraction.get("denominator", 100)}}
    return {"percentage": {"value": mirror["percent"]}} if "percent" in mirror else {}
