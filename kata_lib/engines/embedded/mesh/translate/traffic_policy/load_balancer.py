"""trafficPolicy.loadBalancer: how a cluster picks an endpoint, and what a route hashes for it."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, OneOf, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.numbers import duration

FIELDS: Tree = {
    "simple": OneOf(("UNSPECIFIED", "LEAST_CONN", "LEAST_REQUEST", "RANDOM", "ROUND_ROBIN")),
    "consistentHash": {
        "httpHeaderName": LEAF,
        "httpQueryParameterName": LEAF,
        "useSourceIp": LEAF,
        "httpCookie": {"name": LEAF, "path": LEAF, "ttl": LEAF},
        "minimumRingSize": LEAF,
        "ringHash": {"minimumRingSize": LEAF},
        "maglev": {"tableSize": LEAF},
    },
}

_RING_SIZE = 1024


def apply(balancer: Mapping[str, Any], cluster: Envoy) -> None:
    """Write the policy into a cluster; ROUND_ROBIN is Envoy's own default, which istiod leaves out."""
    match balancer.get("simple"):
        case "ROUND_ROBIN":
            del cluster["lb_policy"]
        case "RANDOM":
            cluster["lb_policy"] = "RANDOM"
    hashing = balancer.get("consistentHash")
    if hashing is None:
        return
    if "maglev" in hashing:
        cluster["lb_policy"] = "MAGLEV"
        if table_size := hashing["maglev"].get("tableSize"):
            cluster["maglev_lb_config"] = {"table_size": str(table_size)}
        return
    cluster["lb_policy"] = "RING_HASH"
    size = hashing.get("minimumRingSize") or _RING_SIZE
    if "ringHash" in hashing:
        size = hashing["ringHash"].get("minimumRingSize", 0)
    if size:
        cluster["ring_hash_lb_config"] = {"minimum_ring_size": str(size)}


def hash_policy(balancer: Mapping[str, Any]) -> list[Envoy]:
    """Return what a route to such a cluster hashes: nothing, or one policy."""
    hashing = balancer.get("consistentHash", {})
    if "httpHeaderName" in hashing:
        return [{"header": {"header_name": hashing["httpHeaderName"]}}]
    if "httpQueryParameterName" in hashing:
        return [{"query_parameter": {"name": hashing["httpQueryParameterName"]}}]
    if hashing.get("useSourceIp"):
        return [{"connection_properties": {"source_ip": True}}]
    if cookie := hashing.get("httpCookie"):
        policy: Envoy = {"name": cookie["name"]}
        if "path" in cookie:
            policy["path"] = cookie["path"]
        if "ttl" in cookie:
            policy["ttl"] = duration(cookie["ttl"])
        return [{"cookie": policy}]
    return []
