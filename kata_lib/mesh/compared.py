"""What a caller's Envoy has for a service, value by value, so that two readings can be laid side by side."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kata_lib.cluster import hosts
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.mesh import in_force, proxy_config, routes

if TYPE_CHECKING:
    import pandas as pd

_SILENT = {"@type", "decorator", "metadata"}
"""What decides about no request: a message's type, and what counters and traces call it."""


def read(cluster: Cluster, service: str, caller: str) -> "pd.Series[Any]":
    """Return the routes to a Service, and the clusters that they lead to with their endpoints, by place.

    caller: a Service, of whose pods one is asked. A place is such as routes[0].route.timeout; clusters are
    numbered in the order in which the routes name them. Hosts are short, and what decides nothing is left
    out. Empty where no caller has a sidecar.
    """
    import pandas as pd

    pod = next(iter(in_force.callers(cluster, service=caller)), None)
    if pod is None:
        return pd.Series(dtype=object)
    dump = proxy_config.dump(cluster, pod)
    found = in_force.http_routes(dump, cluster.get("v1", "Service", service) or {}, cluster.namespace)
    named = dict.fromkeys(name for route in found for name, _ in routes.clusters(route.get("route", {})))
    clusters = {one["name"]: one for one in proxy_config.select(dump, "clusters")}
    places = {one.get("cluster_name"): one for one in proxy_config.select(dump, "endpoints")}
    made = {
        "routes": found,
        "clusters": [clusters.get(name, {}) for name in named],
        "endpoints": [_addresses(places.get(name, {})) for name in named],
    }
    values = {place: _short(value, cluster.namespace) for place, value in _values(made, "")}
    return pd.Series(values, dtype=object)


def differences(one: "pd.Series[Any]", other: "pd.Series[Any]", names: tuple[str, str]) -> "pd.DataFrame":
    """Return the places where two readings have other values, a row each; names: of the two columns."""
    import pandas as pd

    table = pd.concat([one, other], axis=1, keys=names).astype(object)
    return table[[str(a) != str(b) for a, b in table.itertuples(index=False)]].fillna("")


def numbers(table: "pd.DataFrame") -> int:
    """Return in how many rows a number stands: a weight, a limit, a time such as 10s."""
    return sum(any(_is_number(value) for value in row) for row in table.itertuples(index=False))


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return value.removesuffix("s").replace(".", "", 1).isdigit()
    return isinstance(value, int | float) and not isinstance(value, bool)


def _addresses(assignment: Obj) -> list[str]:
    """Return the endpoints of a cluster, sorted: their order says nothing."""
    found = (entry for place in assignment.get("endpoints", []) for entry in place.get("lb_endpoints", []))
    return sorted(str(entry["endpoint"]["address"]) for entry in found)


def _short(value: object, namespace: str) -> object:
    return value.replace(f".{namespace}.{hosts.DOMAIN}", "") if isinstance(value, str) else value


def _values(part: object, place: str) -> Iterator[tuple[str, object]]:
    """Yield every value of a configuration by its place."""
    if isinstance(part, dict):
        for key in sorted(part.keys() - _SILENT):
            yield from _values(part[key], f"{place}.{key}".lstrip("."))
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from _values(value, f"{place}[{index}]")
    else:
        yield place, part
