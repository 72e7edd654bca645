"""Services: TCP, no affinity, one address family. Addresses and node ports are allocated elsewhere."""

from kata_lib.engines.embedded.store import Obj

AFFINITY_SECONDS = 10800
_HAS_NODE_PORTS = ("NodePort", "LoadBalancer")


def fill(obj: Obj) -> None:
    """Add a Service's defaults in place; `targetPort` is the port itself unless it is given."""
    spec = obj.setdefault("spec", {})
    for field, value in (("type", "ClusterIP"), ("sessionAffinity", "None")):
        spec[field] = spec.get(field) or value
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    if spec["sessionAffinity"] == "ClientIP":
        client = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        client.setdefault("timeoutSeconds", AFFINITY_SECONDS)
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        if "port" in port:
            port["targetPort"] = port.get("targetPort") or port["port"]
    if spec["type"] in _HAS_NODE_PORTS:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")


def complete(obj: Obj) -> None:
    """Add in place the address families that the cluster has, to a Service that does not ask for any.

    A headless Service without a selector stands for endpoints of both families.
    """
    spec = obj["spec"]
    if spec["type"] == "ExternalName":
        return
    both = spec.get("clusterIP") == "None" and not spec.get("selector")
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")
