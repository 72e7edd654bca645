"""http.mirror and http.mirrors: a copy of a share of the requests, whose answer nobody waits for."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.http_route import destinations
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.numbers import per_million

DESTINATION: Tree = destinations.DESTINATION
PERCENTAGE: Tree = {"value": LEAF}


def envoy(rule: Mapping[str, Any], context: RouteContext) -> list[Envoy]:
    """Return the mirror policies of a route; a mirror without a percentage gets every request."""
    mirrors = [(m["destination"], m.get("percentage")) for m in rule.get("mirrors", [])]
    if "mirror" in rule:
        mirrors.append((rule["mirror"], rule.get("mirrorPercentage")))
    return [
        {
            "cluster": context.cluster(destination),
            "disable_shadow_host_suffix_append": True,
            "runtime_fraction": {
                "default_value": per_million((percentage or {"value": 100}).get("value", 0))
            },
            "trace_sampled": False,
        }
        for destination, percentage in mirrors
    ]
