"""Random HTTPRoutes for Services, with what may stand beside them, the same for a seed.

The workloads are those of gateway-api/base.yaml: `name`, a Service for each of its versions, and another
namespace. What the API server refuses is left out by the one who records.
"""

from collections.abc import Callable, Iterator
from itertools import count as endless
from random import Random

from combinations import Obj, admitted, destination_rule, list_of, one_of, some, virtual_service

API = "gateway.networking.k8s.io"


def cases(seed: int, count: int) -> Iterator[tuple[str, list[Obj]]]:
    """Yield as many cases, each with its name and its manifests."""
    dice = Random(seed)
    for number in range(count):
        yield f"{seed}-{number:03}", _case(dice)


def _case(dice: Random) -> list[Obj]:
    documents = [_route(dice, f"route-{number}") for number in range(dice.choice((1, 1, 1, 2, 3)))]
    if dice.random() < 0.2:
        beside = (virtual_service(dice, "beside") for _ in endless())
        documents.append(next(found for found in beside if admitted(found)))
    if dice.random() < 0.2:
        rule = destination_rule(dice, "beside")
        rule["spec"]["host"] = dice.choice(("name-v1", "name-v2", "name"))
        documents.append(rule)
    if dice.random() < 0.15:
        documents.append(_grant(dice))
    return documents


def _grant(dice: Random) -> Obj:
    spec = {
        "from": [{"group": API, "kind": "HTTPRoute", "namespace": dice.choice(("default", "other"))}],
        "to": [{"group": "", "kind": "Service"}],
    }
    metadata = {"name": "grant", "namespace": "other"}
    return {"apiVersion": f"{API}/v1", "kind": "ReferenceGrant", "metadata": metadata, "spec": spec}


def _route(dice: Random, name: str) -> Obj:
    elsewhere = dice.random() < 0.12
    spec: Obj = {"parentRefs": _parents(dice, elsewhere), "rules": list_of(_http, 4)(dice)}
    if dice.random() < 0.1:
        spec["hostnames"] = ["name.example"]
    metadata = {"name": name, **({"namespace": "other"} if elsewhere else {})}
    return {"apiVersion": f"{API}/v1", "kind": "HTTPRoute", "metadata": metadata, "spec": spec}


def _parents(dice: Random, elsewhere: bool) -> list[Obj]:
    names = dice.sample(("name", "age", "nowhere", "name-v1"), dice.choice((1, 1, 1, 2)))
    if dice.random() < 0.8:
        names[0] = "name"
    return [_parent(dice, name, elsewhere) for name in dict.fromkeys(names)]


def _parent(dice: Random, name: str, elsewhere: bool) -> Obj:
    if dice.random() < 0.06:
        return dice.choice(({"name": "edge"}, {"group": "example.com", "kind": "Other", "name": "x"}))
    parent: Obj = {"group": "", "kind": "Service", "name": name}
    if dice.random() < 0.7:
        parent["port"] = dice.choice((5000, 5000, 5000, 81))
    if elsewhere or dice.random() < 0.1:
        parent["namespace"] = "default"
    if dice.random() < 0.05:
        parent["sectionName"] = "http"
    return parent


_PATH = one_of(
    {"type": "Exact", "value": "/x/y"},
    {"type": "PathPrefix", "value": "/x"},
    {"type": "PathPrefix", "value": "/x/"},
    {"type": "PathPrefix", "value": "/a.b+c"},
    {"type": "RegularExpression", "value": "/x/.*"},
    {"type": "RegularExpression", "value": ".*"},
    {"type": "PathPrefix", "value": "/"},
    {"value": "/x/y/z"},
    {"type": "Exact"},
)


def _texts(*names: str) -> Callable[[Random], list[Obj]]:
    """Return what makes a list of texts to be matched, of each name one at most."""

    def make(dice: Random) -> list[Obj]:
        kinds: tuple[Obj, ...] = ({}, {"type": "Exact"}, {"type": "RegularExpression"})
        chosen = dice.sample(names, dice.randint(1, len(names)))
        return [{"name": name, "value": "one", **dice.choice(kinds)} for name in chosen]

    return make


_MATCH = {
    "path": (0.6, _PATH),
    "headers": (0.4, _texts("x-one", "X-Two", "x-three")),
    "queryParams": (0.25, _texts("q", "p")),
    "method": (0.2, one_of("GET", "POST")),
}


def _backend(dice: Random) -> Obj:
    names = ("name-v1", "name-v1", "name-v2", "name-v2", "name-v3", "name", "nowhere", "away", "name.default")
    weights = (0.97, 0.97, 0.97, 0.97, 0.97, 0.6, 0.3, 0.4, 0.1)
    name = dice.choices(names, weights)[0]
    backend: Obj = {"name": name}
    if dice.random() < 0.998:
        backend["port"] = dice.choice((5000, 5000, 5000, 5000, 5000, 81))
    if name == "away" and dice.random() < 0.8:
        backend["namespace"] = "other"
    elif dice.random() < 0.1:
        backend["namespace"] = "default"
    if dice.random() < 0.05:
        backend["kind"] = dice.choice(("ConfigMap", "Service"))
    if dice.random() < 0.03:
        backend |= {
            "group": "networking.istio.io",
            "kind": "Hostname",
            "name": "name.default.svc.cluster.local",
        }
    return backend


def _weighted(dice: Random) -> Obj:
    backend = _backend(dice)
    if dice.random() < 0.7:
        backend["weight"] = dice.choice((0, 1, 5, 10, 33, 50, 90, 100))
    if dice.random() < 0.2:
        backend["filters"] = [_filter(dice, dice.choice((*_HEADERS, *_HEADERS, "RequestMirror")))]
    return backend


_VALUES = one_of(
    [{"name": "x-s", "value": "1"}],
    [{"name": "X-S", "value": "1"}, {"name": "x-t", "value": "2"}],
    [{"name": "Host", "value": "set.example"}],
)
_OPERATIONS = {
    "set": (0.5, _VALUES),
    "add": (0.4, _VALUES),
    "remove": (0.3, one_of(["x-r"], ["x-r", "server"])),
}
_HEADERS = ("RequestHeaderModifier", "ResponseHeaderModifier")
_REPLACED = one_of(
    {"type": "ReplaceFullPath", "replaceFullPath": "/r"},
    {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"},
    {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/r/"},
)
_FILTERS = {
    "RequestHeaderModifier": some(_OPERATIONS),
    "ResponseHeaderModifier": some(_OPERATIONS),
    "RequestRedirect": some(
        {
            "scheme": (0.4, one_of("http", "https")),
            "hostname": (0.4, one_of("elsewhere.example")),
            "path": (0.4, _REPLACED),
            "port": (0.3, one_of(80, 443, 8080)),
            "statusCode": (0.5, one_of(301, 302, 303, 307, 308)),
        }
    ),
    "URLRewrite": some({"hostname": (0.4, one_of("name.example")), "path": (0.7, _REPLACED)}),
    "RequestMirror": lambda dice: {
        "backendRef": _backend(dice),
        **dice.choice(
            ({}, {"percent": 10}, {"percent": 0}, {"fraction": {"numerator": 1, "denominator": 8}})
        ),
    },
    "CORS": some(
        {
            "allowOrigins": (
                0.9,
                one_of(["*"], ["https://a.example", "https://*.b.example"], ["http://c.example:8080"]),
            ),
            "allowMethods": (0.6, one_of(["GET"], ["GET", "POST"], ["*"])),
            "allowHeaders": (0.4, one_of(["x-a"], ["x-a", "x-b"])),
            "exposeHeaders": (0.3, one_of(["x-e"])),
            "maxAge": (0.4, one_of(1, 3600)),
            "allowCredentials": (0.3, one_of(True, False)),
        }
    ),
    "ExtensionRef": one_of({"group": "example.com", "kind": "Other", "name": "x"}),
}
_MIXES = (
    ["RequestHeaderModifier"],
    ["RequestHeaderModifier", "ResponseHeaderModifier"],
    ["RequestRedirect"],
    ["URLRewrite"],
    ["RequestMirror"],
    ["RequestMirror", "RequestMirror"],
    ["CORS"],
    ["URLRewrite", "RequestMirror", "ResponseHeaderModifier"],
    ["ExtensionRef"],
)


def _filter(dice: Random, kind: str) -> Obj:
    field = {"URLRewrite": "urlRewrite", "CORS": "cors"}.get(kind, kind[0].lower() + kind[1:])
    return {"type": kind, field: _FILTERS[kind](dice)}


def _http(dice: Random) -> Obj:
    rule: Obj = {}
    if dice.random() < 0.65:
        rule["matches"] = list_of(some(_MATCH), 2)(dice)
    if dice.random() < 0.1:
        rule["name"] = f"rule-{dice.randint(0, 9)}"
    mix = dice.choices(_MIXES, (4, 2, 2, 3, 2, 1, 2, 1, 0.4))[0] if dice.random() < 0.5 else []
    if mix:
        rule["filters"] = [_filter(dice, kind) for kind in mix]
    if "replacePrefixMatch" in str(rule):
        rule["matches"] = [{**some(_MATCH)(dice), "path": {"type": "PathPrefix", "value": "/x"}}]
    if mix != ["RequestRedirect"] and dice.random() < 0.95:
        rule["backendRefs"] = list_of(_weighted, 3)(dice)
    if dice.random() < 0.25:
        rule["timeouts"] = dice.choice(
            (
                {"request": "1s"},
                {"request": "2s", "backendRequest": "250ms"},
                {"backendRequest": "1m"},
                {"request": "0s"},
            )
        )
    return rule
