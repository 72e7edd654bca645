"""Kiali, and what its graph says: its URL goes in, each version's share of a service's requests comes out."""

from functools import partial
from typing import Any

import httpx2

from kata_lib.addons import manifests
from kata_lib.engines.addons import Addon
from kata_lib.engines.istioctl import NAMESPACE
from kata_lib.errors import ClusterError

NAME = "kiali"
SECONDS = 20.0

KIALI = Addon(
    NAME,
    NAMESPACE,
    deployment=NAME,
    manifest=partial(manifests.of_istio, NAME),
    port=20001,
    instead="`live.show_graph(lab)` and `lab.counters()` show the same.",
)


def shares(url: str, namespace: str, service: str, window: float) -> dict[str, float]:
    """Return the traffic distribution that Kiali draws on the edges from a service to its versions.

    window: seconds to look back; without requests in it the result is {}. ClusterError where Kiali is silent.
    """
    query = {
        "namespaces": namespace,
        "duration": f"{window:.0f}s",
        "graphType": "versionedApp",
        "injectServiceNodes": "true",
    }
    try:
        answer = httpx2.get(f"{url.rstrip('/')}/kiali/api/namespaces/graph", params=query, timeout=SECONDS)
        answer.raise_for_status()
        return of_graph(answer.json(), service)
    except (httpx2.HTTPError, ValueError, KeyError) as error:
        raise ClusterError(f"Kiali at {url} gives no graph: {error!r}") from error


def of_graph(graph: dict[str, Any], service: str) -> dict[str, float]:
    """Return the shares of a graph as Kiali's API has it: fractions of 1 by version."""
    nodes = {n["data"]["id"]: n["data"] for n in graph["elements"]["nodes"]}
    found: dict[str, float] = {}
    for edge in (e["data"] for e in graph["elements"].get("edges", [])):
        source, rates = nodes[edge["source"]], edge.get("traffic", {}).get("rates", {})
        if source.get("nodeType") == "service" and source.get("service") == service and "http" in rates:
            # Kiali leaves the percentage out where all requests take one edge.
            found[nodes[edge["target"]]["version"]] = float(rates.get("httpPercentReq", 100)) / 100
    return found
