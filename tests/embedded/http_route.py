"""The kata's canary as HTTPRoute: a Service for each version, and a route with their weights."""

from kata_lib.cluster.client import Obj
from kata_lib.mesh.gateways import GATEWAY_API


def manifests(**weights: int) -> list[Obj]:
    """Return the Services of v1 and v2, and the HTTPRoute with their weights, by default 90 and 10."""
    weights = weights or {"v1": 90, "v2": 10}
    parent = {"group": "", "kind": "Service", "name": "name", "port": 5000}
    backends = [{"name": f"name-{v}", "port": 5000, "weight": weight} for v, weight in weights.items()]
    spec = {"parentRefs": [parent], "rules": [{"backendRefs": backends}]}
    route = {"apiVersion": GATEWAY_API, "kind": "HTTPRoute", "metadata": {"name": "name"}, "spec": spec}
    return [*map(_service, weights), route]


def _service(version: str) -> Obj:
    spec = {
        "selector": {"app": "name", "version": version},
        "ports": [{"name": "http", "port": 5000}],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"name-{version}"}, "spec": spec}
