"""What is in force: where a caller's requests to a service go, as its sidecar's own configuration says.

Envoy's configuration dump and the pods go in; routes come out, with their destinations, the share of each and
the pods behind it. Shares are fractions of 1. Copies (mirrors) have no share. What the application answers,
and what retries make of it, the counters tell.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from kata_lib.cluster import hosts, labels
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import has_sidecar, is_gateway, is_ready
from kata_lib.mesh import gateways, proxy_config, routes
from kata_lib.mesh.destinations import NO_PODS, Destination, Pod, Upstreams, of_objects, spread
from kata_lib.mesh.matches import PLAIN, Request, takes
from kata_lib.mesh.routes import EVERY, Outcome, Route

NO_ROUTE = 404
"""What Envoy answers where no route takes a request (response flag NR)."""
TO_HTTPS = 301
"""What Envoy answers for a virtual host that requires TLS."""
DEFAULT_PORT = 80
"""Where istiod puts hosts that are no Service."""
HTTP_PROXY = "http_proxy"
"""Istio's name of the route table behind its setting proxyHttpPort; there, domains carry the port."""


@dataclass(frozen=True)
class InForce:
    """The routes of one caller to one service.

    caller: the pod whose sidecar was asked; None where there is none, so that the Service's pods get the
    requests. http: whether the sidecar looks at single requests; if not, it passes connections on.
    places: the pods behind each host and subset that the sidecar knows, whether or not a route goes there.
    pods: the Service's own, as the API shows them. asked: the name by which callers outside ask a gateway.
    """

    service: str
    port: int
    caller: str | None
    routes: tuple[Route, ...]
    http: bool = True
    places: Mapping[tuple[str, str], tuple[Pod, ...]] = field(default_factory=dict)
    pods: tuple[Pod, ...] = ()
    asked: str = ""

    def __str__(self) -> str:
        """Return for people where plain requests go, and those that another route takes."""
        how = "connection by connection, over its ready pods: no caller has a sidecar"
        if self.caller is not None:
            how = f"as the sidecar of {self.caller} has it"
            if not self.http:
                how += ", connection by connection: the port is not HTTP"
        lines = [f"Requests to {self.service}: {self.outcome()}, {how}."]
        others = (route for route in self.routes if not takes(route.match, self._asked(PLAIN)))
        return "\n".join([*lines, *(f"  if {route}: {route.outcome}" for route in others)])

    def route(self, request: Request = PLAIN) -> Route | None:
        """Return the route that a request takes, by default a plain `GET /`; None where none does."""
        asked = self._asked(request)
        return next((route for route in self.routes if takes(route.match, asked)), None)

    def outcome(self, request: Request = PLAIN) -> Outcome:
        """Return what becomes of a request, by default a plain `GET /`."""
        route = self.route(request)
        return Outcome({}, {NO_ROUTE: 1.0}) if route is None else route.outcome

    @cached_property
    def versions(self) -> Mapping[str, float]:
        """The share of plain requests that each version gets, 0 to 1."""
        return self.outcome().versions

    @cached_property
    def shares(self) -> Mapping[str, float]:
        """The share of plain requests that each destination should get, by its name; {} of none."""
        route = self.route()
        return {} if route is None else route.shares

    @property
    def by_pods(self) -> Mapping[str, float]:
        """The share that each version would get if nothing but the Service's ready pods decided, 0 to 1."""
        return spread(self.pods)

    @property
    def only_pods_decide(self) -> bool:
        """Whether plain requests go to the Service as if no rule were there."""
        route = self.route()
        return route is not None and route.shares.keys() == {self.service}

    def subsets(self) -> dict[str, tuple[Pod, ...]]:
        """Return the pods of each of the service's subsets."""
        return {
            subset: pods for (host, subset), pods in self.places.items() if subset and host == self.service
        }

    def _asked(self, request: Request) -> Request:
        return replace(request, authority=request.authority or self.asked or f"{self.service}:{self.port}")


def read(cluster: Cluster, service: str, caller: str, asked: str = "") -> InForce:
    """Return what is in force for requests to a service from the pods of the Service `caller`.

    One of its ready pods with a sidecar is asked; without one, the service's ready pods get the requests.
    `caller` may be a gateway: `asked` is the name by which those outside ask it, by default the first of
    those that lead to the service. Raises ClusterError where the proxy does not answer.
    """
    found = cluster.get("v1", "Service", service) or {"metadata": {"name": service}, "spec": {}}
    calling = cluster.get("v1", "Service", gateways.service_of(cluster, caller))
    pods = cluster.pods()
    ready = behind(calling, pods) if calling else []
    proxy = next(_with_sidecar(ready), None)
    if proxy is None:
        return from_pods(found, pods)
    dump = proxy_config.dump(cluster, proxy)
    if any(is_gateway(pod) for pod in ready if pod["metadata"]["name"] == proxy):
        return from_gateway(dump, found, pods, caller=proxy, namespace=cluster.namespace, asked=asked)
    return from_dump(dump, found, pods, caller=proxy, namespace=cluster.namespace)


def callers(cluster: Cluster, service: str) -> list[str]:
    """Return the names of the ready pods behind a Service that have a sidecar."""
    return [*_with_sidecar(ready_pods(cluster, service))]


def ready_pods(cluster: Cluster, service: str) -> list[Obj]:
    """Return the ready pods that a Service selects; [] where there is no such Service."""
    found = cluster.get("v1", "Service", service)
    return [] if found is None else [pod for pod in behind(found, cluster.pods()) if is_ready(pod)]


def behind(service: Obj, pods: list[Obj]) -> list[Obj]:
    """Return those of the namespace's pods that a Service selects; one without a selector has none."""
    return [pod for pod in pods if labels.selects(service["spec"].get("selector"), pod)]


def from_pods(service: Obj, pods: list[Obj]) -> InForce:
    """Return what is in force without a sidecar: the Service's ready pods, connection by connection."""
    place = _without_sidecar(service, pods)
    return InForce(place.host, _port(service), None, (Route(EVERY, (place,)),), http=False, pods=place.pods)


def from_dump(dump: Obj, service: Obj, pods: list[Obj], *, caller: str, namespace: str) -> InForce:
    """Return what a sidecar's configuration says of the requests to a Service, at its first port.

    dump: Envoy's /config_dump?include_eds. service: the object; of a host that is no Service its name alone.
    pods: the namespace's. caller: the sidecar's pod. namespace: the caller's.
    """
    name, port = service["metadata"]["name"], _port(service)
    host = hosts.full_name(name, namespace)
    upstreams = Upstreams(dump, pods, namespace)
    passed_through = _without_sidecar(service, pods)
    table = _http_routes(dump, host, f"{name}:{port}")
    tunnel = _tunnel(dump, service, upstreams, table or [])
    if table is not None and not tunnel:
        found = tuple(routes.of_envoy(route, upstreams, passed_through) for route in table)
    else:
        table = None
        clusters = routes.clusters(tunnel or {"cluster": f"outbound|{port}||{host}"})
        passed = tuple(upstreams.destination(*one) for one in clusters if upstreams.knows(one[0]))
        found = (Route(EVERY, passed or (passed_through,)),)
    places = upstreams.places(port)
    return InForce(name, port, caller, found, table is not None, places, passed_through.pods)


def from_gateway(
    dump: Obj, service: Obj, pods: list[Obj], *, caller: str, namespace: str, asked: str = ""
) -> InForce:
    """Return what a gateway's configuration says of the requests for a Service that come in by it.

    As from_dump; asked: the name by which callers outside ask, by default the first that leads there. Where
    nothing does, there are no routes: the gateway answers 404.
    """
    upstreams, own = Upstreams(dump, pods, namespace), _without_sidecar(service, pods)
    host = hosts.full_name(service["metadata"]["name"], namespace)
    found: Obj = {}
    for table in proxy_config.select(dump, "routes"):
        if not table.get("name"):  # of the proxy's own: its health and its counters
            continue
        there = table.get("virtual_hosts", [])
        leading = (entry for entry in there if any(_leads_to(host, r) for r in entry.get("routes", ())))
        found = found or (_virtual_host(there, asked) if asked else next(leading, {})) or {}
    name = asked or next(iter(found.get("domains", ())), "")
    made = tuple(routes.of_envoy(route, upstreams, own) for route in found.get("routes", ()))
    if found.get("require_tls") == "ALL":
        made = (Route(EVERY, status=TO_HTTPS),)
    places = upstreams.places(_port(service))
    return InForce(service["metadata"]["name"], _port(service), caller, made, True, places, own.pods, name)


def http_routes(dump: Obj, service: Obj, namespace: str) -> list[Obj]:
    """Return a sidecar's routes to a Service as Envoy has them; [] where it passes connections on."""
    name, port = service["metadata"]["name"], _port(service)
    return _http_routes(dump, hosts.full_name(name, namespace), f"{name}:{port}") or []


def _leads_to(host: str, route: Obj) -> bool:
    return any(name.endswith(f"|{host}") for name, _ in routes.clusters(route.get("route", {})))


def _with_sidecar(pods: list[Obj]) -> Iterator[str]:
    """Yield the names of those pods that are ready and have a sidecar."""
    for pod in pods:
        if is_ready(pod) and has_sidecar(pod):
            yield pod["metadata"]["name"]


def _http_routes(dump: Obj, host: str, authority: str) -> list[Obj] | None:
    """Return Envoy's routes for an authority such as name:5000, None where no table of its port has it.

    istiod names a table by the port, or by host and port where it tells HTTP by the first bytes.
    """
    port = authority.rpartition(":")[2]
    tables = {table.get("name", ""): table for table in proxy_config.select(dump, "routes")}
    for name in (f"{host}:{port}", port, HTTP_PROXY):
        if name in tables:
            asked = authority
            if tables[name].get("ignore_port_in_host_matching"):
                asked = authority.rpartition(":")[0]
            if (found := _virtual_host(tables[name].get("virtual_hosts", []), asked)) is not None:
                return list(found.get("routes", []))
    return None


def _virtual_host(hosts: list[Obj], asked: str) -> Obj | None:
    """Return the virtual host for a name, as Envoy chooses: the same, the longest *.SUFFIX, PREFIX.*, *."""
    by_domain = {domain.lower(): host for host in hosts for domain in host["domains"]}
    suffixes = [d for d in by_domain if d[0] == "*" and d != "*" and asked.endswith(d[1:])]
    prefixes = [d for d in by_domain if d[-1] == "*" and d != "*" and asked.startswith(d[:-1])]
    for domain in (asked, *sorted(suffixes, key=len)[-1:], *sorted(prefixes, key=len)[-1:], "*"):
        if domain in by_domain:
            return by_domain[domain]
    return None


def _tunnel(dump: Obj, service: Obj, upstreams: Upstreams, table: list[Obj]) -> Obj:
    """Return the filter that passes bytes on where a Service's connections meet no other; {} for HTTP.

    It is in a listener of the Service's own address; on the embedded engine, whose sidecars are asked by HTTP
    for every port, in one inside the Envoy that the route leads to.
    """
    address = {"address": service["spec"].get("clusterIP"), "port_value": _port(service)}
    inside = {upstreams.listener(route.get("route", {}).get("cluster", "")) for route in table} - {None}
    for listener in proxy_config.select(dump, "listeners"):
        place = listener.get("address", {}).get("socket_address", {})
        if listener.get("name") in inside or place.items() >= address.items():
            filters = [f["typed_config"] for chain in listener["filter_chains"] for f in chain["filters"]]
            by_kind: Mapping[str, Obj] = {config["@type"].rpartition(".")[2]: config for config in filters}
            if "TcpProxy" in by_kind and "HttpConnectionManager" not in by_kind:
                return by_kind["TcpProxy"]
    return {}


def _without_sidecar(service: Obj, pods: list[Obj]) -> Destination:
    found = of_objects(behind(service, pods))
    status = None if any(pod.ready for pod in found) else NO_PODS
    return Destination(service["metadata"]["name"], "", 1.0, found, status)


def _port(service: Obj) -> int:
    return int(next(iter(service["spec"].get("ports", [])), {"port": DEFAULT_PORT})["port"])
