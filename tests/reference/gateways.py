"""Random Gateways of Istio's with VirtualServices bound to them, the same for a seed.

The workloads are those of gateway-api/base.yaml; the router that gets the routes has istiod.ROUTER as labels.
"""

from collections.abc import Callable, Iterator
from random import Random

from combinations import Obj, destination_rule, drawn, list_of, one_of, some, virtual_service

ISTIO = "networking.istio.io/v1"
PORTS = (80, 80, 80, 9080)
HTTPS = (443, 9443)
HOSTS = (
    *("*", "*", "kata.example", "shop.example", "*.example", "Shop.Example", "name"),
    *("name.default.svc.cluster.local", "*.default.svc.cluster.local"),
    *("default/kata.example", "other/kata.example", "*/shop.example", "./*", "istio-system/*"),
)
OUTSIDE = ("kata.example", "shop.example", "*.example", "*", "a.kata.example", "name", "KATA.example")


def cases(seed: int, count: int) -> Iterator[tuple[str, list[Obj]]]:
    """Yield as many cases, each with its name and its manifests."""
    return drawn(seed, count, _case)


def _case(dice: Random) -> list[Obj]:
    gateways = [_gateway(dice, name) for name in ("edge", "front", "back")[: dice.choice((1, 1, 2, 2, 3))]]
    rules = [destination_rule(dice, f"rule-{n}") for n in range(dice.choice((0, 1, 1, 2)))]
    virtual = [_bound(dice, f"vs-{n}") for n in range(dice.choice((1, 1, 2, 2, 3)))]
    if any("delegate" in rule for vs in virtual for rule in vs["spec"]["http"]):
        inner = virtual_service(dice, "zz-inner")
        inner["spec"] = {"http": [rule for rule in inner["spec"]["http"] if "delegate" not in rule][:2]}
        virtual.extend([inner] if inner["spec"]["http"] else [])
    return [*gateways, *rules, *virtual]


def _gateway(dice: Random, name: str) -> Obj:
    selector = dice.choice(({"istio": "ingressgateway"},) * 6 + ({"istio": "other"}, {}))
    servers = [server for number in range(dice.choice((1, 1, 2, 3))) for server in [_server(dice, number)]]
    metadata = {"name": name} | ({"namespace": "istio-system"} if name == "back" else {})
    spec: Obj = {"servers": servers} | ({"selector": selector} if selector else {})
    return {"apiVersion": ISTIO, "kind": "Gateway", "metadata": metadata, "spec": spec}


def _server(dice: Random, number: int) -> Obj:
    hosts = list(dict.fromkeys(list_of(one_of(*HOSTS), 3)(dice)))
    if dice.random() < 0.25:
        port = {"number": dice.choice(HTTPS), "name": f"https-{number}", "protocol": "HTTPS"}
        return {"port": port, "hosts": hosts, "tls": {"mode": "SIMPLE", "credentialName": "kata"}}
    protocol = dice.choice(("HTTP", "HTTP", "HTTP", "HTTP2", "GRPC"))
    made: Obj = {
        "port": {"number": dice.choice(PORTS), "name": f"http-{number}", "protocol": protocol},
        "hosts": hosts,
    }
    return made | some({"tls": (0.15, one_of({"httpsRedirect": True}, {"httpsRedirect": False}))})(dice)


_GATEWAYS: Callable[[Random], list[str]] = one_of(
    *[["edge"]] * 5,
    ["edge", "mesh"],
    ["mesh"],
    ["front"],
    ["default/edge", "front"],
    ["istio-system/back"],
    ["edge.default.svc.cluster.local"],
    ["nowhere"],
)


def _bound(dice: Random, name: str) -> Obj:
    made = virtual_service(dice, name)
    made["spec"].pop("tcp", None)
    made["spec"]["gateways"] = _GATEWAYS(dice)
    made["spec"]["hosts"] = list(dict.fromkeys(list_of(one_of(*OUTSIDE), 2)(dice)))
    for rule in made["spec"]["http"]:
        for match in rule.get("match", ()):
            if "gateways" in match:
                match["gateways"] = dice.choice((["edge"], ["default/edge"], ["mesh"], ["front", "mesh"]))
            if "port" in match:
                match["port"] = dice.choice((80, 9080, 443))
    return made
