"""http.fault: failures and delays on purpose, for a share of the requests."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.numbers import duration, per_million

FILTER = "envoy.filters.http.fault"
TYPE = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"
FIELDS: Tree = {
    "delay": {"fixedDelay": LEAF, "percentage": {"value": LEAF}},
    "abort": {"httpStatus": LEAF, "percentage": {"value": LEAF}},
}


def envoy(fault: Mapping[str, Any]) -> Envoy:
    """Return the fault filter's configuration for a route."""
    made: Envoy = {"@type": TYPE}
    if delay := fault.get("delay"):
        made["delay"] = {"fixed_delay": duration(delay["fixedDelay"]), "percentage": _share(delay)}
    if abort := fault.get("abort"):
        made["abort"] = {"http_status": abort["httpStatus"], "percentage": _share(abort)}
    return made


def _share(fault: Mapping[str, Any]) -> Envoy:
    return per_million(fault.get("percentage", {"value": 100}).get("value", 0))
