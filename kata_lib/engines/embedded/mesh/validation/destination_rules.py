"""A DestinationRule: its host, its traffic policies, its subsets, and to whom it is shown."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.validation import names
from kata_lib.engines.embedded.store import Obj

_Value = Mapping[str, Any]

_OF_PORTS = ("outlierDetection", "connectionPool", "loadBalancer", "tls")
_OF_POLICIES = (*_OF_PORTS, "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget")
_NOT_NEGATIVE = (
    ("http", "http1MaxPendingRequests", "http1 max pending requests"),
    ("http", "http2MaxRequests", "http2 max requests"),
    ("http", "maxRequestsPerConnection", "max requests per connection"),
    ("http", "maxRetries", "max retries"),
    ("http", "maxConcurrentStreams", "max concurrent streams"),
    ("tcp", "maxConnections", "max connections"),
)
_LARGEST_TABLE = 5000011


def problems(rule: Obj) -> Iterator[str]:
    """Return what is wrong with a DestinationRule."""
    spec = rule.get("spec") or {}
    yield from names.domain(spec.get("host", ""))
    yield from _policy(spec.get("trafficPolicy"))
    seen: set[str] = set()
    for subset in spec.get("subsets") or ():
        name = subset.get("name", "")
        if name in seen:
            yield f"duplicate subset names: {name}"
        seen.add(name)
        yield from names.subset_name(name)
        yield from names.labels(subset.get("labels", {}))
        yield from _policy(subset.get("trafficPolicy"))
    yield from names.export_to(rule["metadata"].get("namespace", ""), spec.get("exportTo") or ())


def _policy(policy: _Value | None) -> Iterator[str]:
    if policy is None:
        return
    if not any(field in policy for field in _OF_POLICIES):
        yield "traffic policy must have at least one field"
        return
    yield from _of_one_place(policy)
    for settings in policy.get("portLevelSettings", ()):
        if "port" not in settings:
            yield "portTrafficPolicy must have valid port"
        if not any(field in settings for field in _OF_PORTS):
            yield "port traffic policy must have at least one field"
        yield from _of_one_place(settings)


def _of_one_place(policy: _Value) -> Iterator[str]:
    yield from _outliers(policy.get("outlierDetection", {}))
    if "connectionPool" in policy:
        yield from _connections(policy["connectionPool"])
    yield from _balancing(policy.get("loadBalancer", {}))


def _outliers(detection: _Value) -> Iterator[str]:
    split = detection.get("splitExternalLocalOriginErrors", False)
    if not split and detection.get("consecutiveLocalOriginFailures", 0) > 0:
        yield (
            "outlier detection consecutive local origin failures is specified, "
            "but split external local origin errors is set to false"
        )
    for field in ("maxEjectionPercent", "minHealthPercent"):
        if not 0 <= detection.get(field, 0) <= 100:
            yield f"percentage {detection[field]} is not in range 0..100"


def _connections(pool: _Value) -> Iterator[str]:
    if "http" not in pool and "tcp" not in pool:
        yield "connection pool must have at least one field"
    for part, field, words in _NOT_NEGATIVE:
        if pool.get(part, {}).get(field, 0) < 0:
            yield f"{words} must be non-negative"
    http = pool.get("http", {})
    if http.get("h2UpgradePolicy") == "UPGRADE" and http.get("useClientProtocol"):
        yield "use client protocol must not be true when H2UpgradePolicy is UPGRADE"


def _balancing(balancer: _Value) -> Iterator[str]:
    hashed = balancer.get("consistentHash", {})
    if "httpCookie" in hashed and not hashed["httpCookie"].get("name"):
        yield "name required for HttpCookie"
    if hashed.get("minimumRingSize") and ("maglev" in hashed or "ringHash" in hashed):
        yield "only one of MinimumRingSize or Maglev/Ringhash can be specified"
    if "maglev" in hashed:
        yield from _maglev(hashed["maglev"].get("tableSize", 0))


def _maglev(size: int) -> Iterator[str]:
    if not size:
        yield "tableSize must be set for maglev"
    if size >= _LARGEST_TABLE:
        yield f"tableSize must be less than {_LARGEST_TABLE} for maglev"
    if not _is_prime(size):
        yield "tableSize must be a prime number for maglev"


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))
