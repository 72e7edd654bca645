"""Random Services, DestinationRules and VirtualServices over the reference's workloads, the same for a seed.

Each is of what the embedded engine understands: `cases` leaves out what its admission refuses.
"""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.engines.embedded.registry.status import StatusError

Obj = dict[str, Any]
Fields = Mapping[str, tuple[float, Callable[[Random], Any]]]
"""An object's fields: how often each is there, and what makes its value."""

ISTIO = "networking.istio.io/v1"
PLURALS = {
    "Service": "services",
    "DestinationRule": "destinationrules",
    "VirtualService": "virtualservices",
    "Gateway": "gateways",
}
DOMAIN = "default.svc.cluster.local"
VERSIONS = ("v1", "v2", "v3")


def cases(seed: int, count: int) -> Iterator[tuple[str, list[Obj]]]:
    """Yield as many cases, each with its name and its manifests in the order of kinds and names."""
    return drawn(seed, count, _case)


def drawn(seed: int, count: int, case: Callable[[Random], list[Obj]]) -> Iterator[tuple[str, list[Obj]]]:
    """Yield as many cases, by name, whose manifests `case` draws and the embedded engine takes."""
    dice = Random(seed)
    made = 0
    while made < count:
        documents = case(dice)
        if all(admitted(document) for document in documents):
            yield f"{seed}-{made:03}", documents
            made += 1


def admitted(document: Obj) -> bool:
    """Return whether the embedded engine takes an object."""
    metadata = {"namespace": "default", **document["metadata"]}
    try:
        refuse(PLURALS[document["kind"]], {**document, "metadata": metadata}, "CREATE")
    except StatusError:
        return False
    return True


def _case(dice: Random) -> list[Obj]:
    services = [_service(dice, name) for name in ("age", "name") if dice.random() < 0.25]
    rules = [destination_rule(dice, f"rule-{n}") for n in range(dice.choice((0, 1, 1, 2)))]
    virtual = [virtual_service(dice, f"vs-{n}") for n in range(dice.choice((1, 1, 1, 2)))]
    if any("delegate" in route for vs in virtual for route in vs["spec"].get("http", ())):
        inner = {"http": [_http(dice) for _ in range(dice.randint(1, 2))]}
        virtual.append(_object("VirtualService", "zz-inner", inner))
    return [*services, *rules, *virtual]


def _object(kind: str, name: str, spec: Obj) -> Obj:
    return {"apiVersion": ISTIO, "kind": kind, "metadata": {"name": name}, "spec": spec}


def some(fields: Fields) -> Callable[[Random], Obj]:
    """Return what makes an object of the fields, each at its chance."""
    return lambda dice: {
        name: make(dice) for name, (chance, make) in fields.items() if dice.random() < chance
    }


def one_of(*values: Any) -> Callable[[Random], Any]:
    return lambda dice: dice.choice(values)


def list_of(make: Callable[[Random], Any], most: int) -> Callable[[Random], list[Any]]:
    return lambda dice: [make(dice) for _ in range(dice.randint(1, most))]


def _text(exact: str, prefix: str, regex: str) -> Callable[[Random], Obj]:
    return one_of({"exact": exact}, {"prefix": prefix}, {"regex": regex})


# ---- Services


def _service(dice: Random, name: str) -> Obj:
    ports = [{"name": dice.choice(("http", "http", "tcp", "web", "http2-x", "https-x")), "port": 5000}]
    if dice.random() < 0.5:
        ports.append({"name": dice.choice(("http-more", "tcp-more")), "port": dice.choice((80, 5001))})
    for port in ports:
        port["targetPort"] = 5000
    spec = {"selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


# ---- DestinationRules

_DURATION = one_of("1s", "250ms", "1m30s", "2.5s")
_RING = one_of(
    {},
    {},
    {"minimumRingSize": 64},
    {"ringHash": {}},
    {"ringHash": {"minimumRingSize": 128}},
    {"maglev": {"tableSize": 503}},
)
_HASHED = one_of(
    {"httpHeaderName": "x-user"},
    {"httpQueryParameterName": "user"},
    {"useSourceIp": True},
    {"httpCookie": {"name": "user", "ttl": "60s"}},
    {"httpCookie": {"name": "user", "path": "/", "ttl": "0s"}},
)
_BALANCERS = ("ROUND_ROBIN", "LEAST_REQUEST", "LEAST_CONN", "RANDOM", "UNSPECIFIED")


def _balancer(dice: Random) -> Obj:
    if dice.random() < 0.5:
        return {"simple": dice.choice(_BALANCERS)}
    return {"consistentHash": {**_HASHED(dice), **_RING(dice)}}


_POLICY = {
    "loadBalancer": (0.5, _balancer),
    "connectionPool": (
        0.4,
        some(
            {
                "tcp": (
                    0.7,
                    some({"maxConnections": (0.6, one_of(1, 7)), "connectTimeout": (0.5, _DURATION)}),
                ),
                "http": (
                    0.7,
                    some(
                        {
                            "http1MaxPendingRequests": (0.4, one_of(1, 3)),
                            "http2MaxRequests": (0.4, one_of(1, 9)),
                            "maxRequestsPerConnection": (0.4, one_of(0, 1, 5)),
                            "maxRetries": (0.4, one_of(2, 5)),
                            "idleTimeout": (0.3, _DURATION),
                        }
                    ),
                ),
            }
        ),
    ),
    "outlierDetection": (
        0.4,
        some(
            {
                "consecutive5xxErrors": (0.6, one_of(0, 1, 3)),
                "consecutiveGatewayErrors": (0.4, one_of(0, 2)),
                "interval": (0.5, _DURATION),
                "baseEjectionTime": (0.5, _DURATION),
                "maxEjectionPercent": (0.5, one_of(10, 100)),
                "minHealthPercent": (0.3, one_of(0, 30)),
            }
        ),
    ),
    "tls": (0.1, one_of({"mode": "DISABLE"})),
}


def _policy(dice: Random) -> Obj:
    policy = some(_POLICY)(dice)
    if dice.random() < 0.2:
        of_port = {"port": {"number": dice.choice((5000, 5000, 80))}, **some(_POLICY)(dice)}
        policy["portLevelSettings"] = [of_port]
    return policy or {"loadBalancer": {"simple": "RANDOM"}}


def destination_rule(dice: Random, name: str) -> Obj:
    """Return a DestinationRule for one of the workloads."""
    hosts = ("name", "name", "name", f"name.{DOMAIN}", f"*.{DOMAIN}", "age", "*.local")
    spec: Obj = {"host": dice.choice(hosts)}
    if dice.random() < 0.6:
        spec["trafficPolicy"] = _policy(dice)
    subsets = [_subset(dice, version) for version in VERSIONS if dice.random() < 0.75]
    if subsets:
        spec["subsets"] = subsets
    if dice.random() < 0.2:
        spec["exportTo"] = dice.choice((["."], ["*"], ["other"], ["default"]))
    return _object("DestinationRule", name, spec)


def _subset(dice: Random, version: str) -> Obj:
    labels = dice.choice(({"version": version}, {"version": version}, {"app": "name", "version": version}))
    subset = {"name": f"name-{version}", "labels": labels}
    return subset | ({"trafficPolicy": _policy(dice)} if dice.random() < 0.3 else {})


# ---- VirtualServices

_MATCH = {
    "name": (0.2, one_of("first", "second")),
    "uri": (0.5, _text("/x/y", "/x", "/x/.*")),
    "ignoreUriCase": (0.1, one_of(True, False)),
    "scheme": (0.05, _text("http", "ht", "https?")),
    "method": (0.15, _text("GET", "P", "GET|PUT")),
    "authority": (0.1, _text("name", "na", "name.*")),
    "headers": (0.4, lambda dice: {f"x-{n}": _header(dice) for n in range(dice.randint(1, 3))}),
    "withoutHeaders": (0.15, lambda dice: {f"x-no-{n}": _header(dice) for n in range(dice.randint(1, 2))}),
    "queryParams": (0.2, lambda dice: {name: _header(dice) for name in ("q", "p")[: dice.randint(1, 2)]}),
    "port": (0.15, one_of(5000, 5000, 80)),
    "sourceLabels": (0.15, one_of({"app": "sentences"}, {"app": "age"}, {"app": "sentences", "x": "y"})),
    "sourceNamespace": (0.1, one_of("default", "default", "other")),
    "gateways": (0.1, one_of(["mesh"], ["edge"], ["edge", "mesh"])),
}


def _header(dice: Random) -> Obj:
    return dice.choice(({"exact": "one"}, {"prefix": "on"}, {"regex": "o[a-z]+"}, {"regex": "*"}, {}))


def _headers(dice: Random) -> Obj:
    values = {"x-b": "1", "x-a": "%REQ(X-C)%"}
    operations = {
        "set": (0.5, one_of(values, values, {"x-s": "1"}, {"x-s": "1", "Host": "set.example"})),
        "add": (0.4, one_of(values, {"x-add": "2"})),
        "remove": (0.3, one_of(["x-r"], ["x-r", "server"])),
    }
    return some({"request": (0.6, some(operations)), "response": (0.5, some(operations))})(dice)


def _destination(dice: Random) -> Obj:
    hosts = ("name", "name", "name", "name", f"name.{DOMAIN}", "age", "nowhere", "name.default")
    destination: Obj = {"host": dice.choice(hosts)}
    if dice.random() < 0.7:
        destination["subset"] = f"name-{dice.choice(VERSIONS)}"
    if dice.random() < 0.15:
        destination["port"] = {"number": dice.choice((5000, 80))}
    return destination


def _route(dice: Random) -> list[Obj]:
    route = []
    for _ in range(dice.choice((1, 1, 2, 2, 3))):
        item: Obj = {"destination": _destination(dice)}
        if dice.random() < 0.8:
            item["weight"] = dice.choice((0, 1, 5, 10, 33, 50, 90, 100))
        if dice.random() < 0.25:
            item["headers"] = _headers(dice)
        route.append(item)
    return route


_PERCENTAGE = one_of({"value": 0}, {"value": 0.1}, {"value": 12.5}, {"value": 33.3}, {"value": 100}, {})
_MIRROR = some({"destination": (1, _destination), "percentage": (0.6, _PERCENTAGE)})
_REDIRECT = {
    "uri": (0.5, one_of("/else")),
    "prefixRewrite": (0.2, one_of("/other")),
    "authority": (0.4, one_of("age", "elsewhere.example:81")),
    "scheme": (0.3, one_of("http", "https")),
    "port": (0.2, one_of(80, 443, 8080)),
    "derivePort": (0.2, one_of("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT")),
    "redirectCode": (0.6, one_of(301, 302, 303, 307, 308)),
}
_REWRITES = (
    {"uri": "/r"},
    {"uri": "/"},
    {"authority": "name.example"},
    {"uri": "/r", "authority": "name.example"},
    {"uriRegexRewrite": {"match": "/x/([a-z]*)", "rewrite": "/\\1"}},
)
_RETRIES = {
    "attempts": (1, one_of(0, 1, 3)),
    "perTryTimeout": (0.4, _DURATION),
    "retryOn": (0.6, one_of("5xx", "gateway-error, reset", "503,connect-failure", "503,504", "reset,")),
    "backoff": (0.3, _DURATION),
    "retryIgnorePreviousHosts": (0.2, one_of(True, False)),
}
_FAULT = {
    "delay": (0.6, some({"fixedDelay": (1, _DURATION), "percentage": (0.7, _PERCENTAGE)})),
    "abort": (0.6, some({"httpStatus": (1, one_of(400, 503)), "percentage": (0.7, _PERCENTAGE)})),
}
_CORS = {
    "allowOrigins": (0.8, list_of(_text("https://a.example", "https://", "https://.*"), 2)),
    "allowMethods": (0.6, one_of(["GET"], ["GET", "POST"])),
    "allowHeaders": (0.4, one_of(["x-a"], ["x-a", "x-b"])),
    "exposeHeaders": (0.3, one_of(["x-e"])),
    "maxAge": (0.4, one_of("24h", "1.5s")),
    "allowCredentials": (0.3, one_of(True, False)),
    "unmatchedPreflights": (0.3, one_of("UNSPECIFIED", "FORWARD", "IGNORE")),
}
_OF_ROUTES = {
    "timeout": (0.25, _DURATION),
    "retries": (0.3, some(_RETRIES)),
    "fault": (0.2, some(_FAULT)),
    "mirror": (0.15, _destination),
    "mirrorPercentage": (0.15, _PERCENTAGE),
    "mirrors": (0.1, list_of(_MIRROR, 2)),
    "rewrite": (0.2, one_of(*_REWRITES)),
    "corsPolicy": (0.1, some(_CORS)),
}
_OF_ANY = {
    "name": (0.3, one_of("canary", "rest")),
    "match": (0.55, list_of(some(_MATCH), 2)),
    "headers": (0.2, _headers),
}


def _http(dice: Random) -> Obj:
    rule = some(_OF_ANY)(dice)
    kind = dice.random()
    if kind < 0.08:
        return rule | {"redirect": some(_REDIRECT)(dice)}
    if kind < 0.14:
        answers = ({"string": "no"}, {"bytes": "bm8="}, None)
        body = dice.choice(answers)
        answer = {"status": dice.choice((200, 404, 503))}
        return rule | {"directResponse": answer | ({"body": body} if body else {})}
    if kind < 0.2:
        return rule | {"delegate": {"name": "zz-inner"}} | some(_OF_ROUTES)(dice)
    return rule | {"route": _route(dice)} | some(_OF_ROUTES)(dice)


def _tcp(dice: Random) -> Obj:
    match = {name: _MATCH[name] for name in ("port", "sourceLabels", "sourceNamespace", "gateways")}
    rule = {"route": [{k: v for k, v in item.items() if k != "headers"} for item in _route(dice)]}
    return rule | some({"match": (0.4, list_of(some(match), 2))})(dice)


def virtual_service(dice: Random, name: str) -> Obj:
    """Return a VirtualService for some of the workloads."""
    hosts = (
        *[["name"]] * 6,
        [f"name.{DOMAIN}"],
        ["name", "age"],
        ["age"],
        ["name.default"],
        ["name", "outside.example"],
        ["outside.example"],
        [f"*.{DOMAIN}"],
    )
    spec: Obj = {"hosts": dice.choice(hosts), "http": [_http(dice) for _ in range(dice.randint(1, 4))]}
    if dice.random() < 0.2:
        spec["tcp"] = [_tcp(dice) for _ in range(dice.randint(1, 2))]
    if dice.random() < 0.25:
        spec["gateways"] = dice.choice((["mesh"], ["edge", "mesh"], ["edge"]))
    if dice.random() < 0.15:
        spec["exportTo"] = dice.choice((["."], ["*"], ["other"], ["default"]))
    return _object("VirtualService", name, spec)
