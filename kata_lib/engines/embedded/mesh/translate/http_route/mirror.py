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
    """Return the mirror policies of a route.

    A mirror without a percentage gets every request; one of 0 % is left out.
    """
    mirrors = [(rule["mirror"], rule.get("mirrorPercentage"))] if "mirror" in rule else []
    mirrors += [(m["destination"], m.get("percentage")) for m in rule.get("mirrors", ())]
    return [
        {
            "cluster": context.cluster(destination),
            "disable_shadow_host_suffix_append": True,
            "runtime_fraction": {"default_value": _share(percentage)},
            "trace_sampled": False,
        }
        for destination, percentage in mirrors
        if percentage is None or percentage.get("value", 0) > 0
    ]


def _share(percentage: Mapping[str, Any] | None) -> Envoy:
    return per_million(percentage["value"]) if percentage else {"numerator": 100}
