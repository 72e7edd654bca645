"""Gateways by either of their APIs: the Service that leads to one."""

from kata_lib.cluster.cluster import Cluster

OF_GATEWAY = "gateway.networking.k8s.io/gateway-name"
"""The label by which what is deployed for a Gateway of the Gateway API is known."""


def service_of(cluster: Cluster, name: str) -> str:
    """Return the name of the Service that leads to a gateway: its own, or the one that was made for it.

    The name itself where there is neither.
    """
    if cluster.get("v1", "Service", name) is not None:
        return name
    made = cluster.objects("v1", "Service", f"{OF_GATEWAY}={name}")
    return str(made[0]["metadata"]["name"]) if made else name
