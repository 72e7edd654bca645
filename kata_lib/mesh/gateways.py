"""Gateways by either of their APIs: the Service that leads to one; and the Gateway API's objects."""

from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster

GATEWAY_API = "gateway.networking.k8s.io/v1"

OF_GATEWAY = "gateway.networking.k8s.io/gateway-name"
"""The label by which what is deployed for a Gateway of the Gateway API is known."""
_FORBIDDEN = 403


def service_of(cluster: Cluster, name: str) -> str:
    """Return the name of the Service that leads to a gateway: its own, or the one that was made for it.

    The name itself where there is neither.
    """
    if cluster.get("v1", "Service", name) is not None:
        return name
    made = cluster.objects("v1", "Service", f"{OF_GATEWAY}={name}")
    return str(made[0]["metadata"]["name"]) if made else name


def every(cluster: Cluster) -> list[Obj]:
    """Return the namespace's Gateways of the Gateway API, as `of_kind`."""
    return of_kind(cluster, "Gateway")


def of_kind(cluster: Cluster, kind: str, api_version: str = GATEWAY_API) -> list[Obj]:
    """Return the namespace's objects of a kind; [] where it is not served, or may not be read."""
    if not cluster.api.serves(api_version, kind):
        return []
    try:
        return cluster.objects(api_version, kind)
    except ApiRefused as refused:
        if refused.code == _FORBIDDEN:
            return []
        raise
