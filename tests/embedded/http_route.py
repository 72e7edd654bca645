"""The kata's canary as HTTPRoute: a Service for each version, and a route with their weights."""

from kata_lib.cluster.client import Obj
from kata_lib.cluster.manifests import load


def manifests(v1: int = 90, v2: int = 10) -> list[Obj]:
    """Return the workshop's Services of v1 and v2, and its HTTPRoute with these weights."""
    services, (route,) = load("deploy/gateway-api/services.yaml"), load("deploy/gateway-api/http-route.yaml")
    for backend, weight in zip(route["spec"]["rules"][0]["backendRefs"], (v1, v2), strict=True):
        backend["weight"] = weight
    return [*services, route]
