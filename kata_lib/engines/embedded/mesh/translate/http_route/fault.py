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
    """Return the fault filter's configuration for a route; without a percentage no request fails."""
    made: Envoy = {"@type": TYPE}
    if delay := fault.get("delay"):
        share = per_million(delay["percentage"].get("value", 0)) if "percentage" in delay else {}
        made["delay"] = {"fixed_delay": duration(delay["fixedDelay"]), "percentage": share}
    if abort := fault.get("abort"):
        made["abort"] = {"http_status": abort["httpStatus"]}
        if "percentage" in abort:
            made["abort"]["percentage"] = per_million(abort["percentage"].get("value", 0))
    return made
