"""Reading what an analysis needs of a cluster: the objects, and what the callers' sidecars have in force."""

from collections.abc import Iterator
from dataclasses import replace

from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.labels import carries
from kata_lib.cluster.pods import is_ready
from kata_lib.errors import ClusterError
from kata_lib.mesh import gateways as api_gateways
from kata_lib.mesh import http_routes, in_force, proxy_config
from kata_lib.mesh.analyze import rollouts
from kata_lib.mesh.analyze.gateway_servers import credential, selector, servers
from kata_lib.mesh.analyze.objects import Known, Objects
from kata_lib.mesh.analyze.services import not_opened
from kata_lib.mesh.in_force import InForce
from kata_lib.mesh.virtual_services import ISTIO

_FORBIDDEN, _NO_ANSWER = 403, (500, 502, 503, 504)


def read(cluster: Cluster, known: Known = Known()) -> Objects:  # noqa: B008
    """Read what an analysis needs; where other namespaces may not be read, this one alone."""
    kinds = (("v1", "Service"), (ISTIO, "VirtualService"), (ISTIO, "Gateway"))
    try:
        services, virtual_services, gateways = (cluster.objects_everywhere(*kind) for kind in kinds)
        whole_mesh = True
    except ApiRefused as refused:
        if refused.code != _FORBIDDEN:
            raise
        services, virtual_services, gateways = (cluster.objects(*kind) for kind in kinds)
        whole_mesh = False
    namespace = cluster.api.request("GET", f"/api/v1/namespaces/{cluster.namespace}")
    found = Objects(
        {"kind": "Namespace", **namespace},
        services,
        cluster.objects("apps/v1", "Deployment"),
        cluster.pods(),
        virtual_services,
        cluster.objects(ISTIO, "DestinationRule"),
        gateways,
        http_routes.every(cluster),
        api_gateways.every(cluster),
        api_gateways.of_kind(cluster, rollouts.KIND, rollouts.API),
        *_of_gateways(cluster, gateways),
        whole_mesh,
        known,
    )
    refused_at = frozenset(_refused(cluster, found))
    return replace(found, in_force=tuple(_in_force(cluster, found)), refused=refused_at)


def _of_gateways(
    cluster: Cluster, gateways: list[Obj]
) -> tuple[list[Obj], frozenset[tuple[str, str]] | None]:
    """Return the pods that a namespace's Gateways select, and which of the Secrets they name are there."""
    own = [gateway for gateway in gateways if gateway["metadata"]["namespace"] == cluster.namespace]
    try:
        everywhere = cluster.objects_everywhere("v1", "Pod") if own else []
    except ApiRefused as refused:
        if refused.code != _FORBIDDEN:
            raise
        everywhere = cluster.pods()
    pods = [pod for pod in everywhere if any(carries(pod, selector(gateway)) for gateway in own)]
    names = {credential(server) for gateway in own for server in servers(gateway)} - {""}
    places = {pod["metadata"]["namespace"] for pod in pods}
    try:
        there = {
            (place, n) for place in places for n in names if cluster.within(place).get("v1", "Secret", n)
        }
    except ApiRefused as refused:
        if refused.code != _FORBIDDEN:
            raise
        return pods, None
    return pods, frozenset(there)


def _in_force(cluster: Cluster, found: Objects) -> Iterator[InForce]:
    """Yield where the requests of each caller to each Service go; one sidecar is asked once for all."""
    names = [name for name, _ in found.known.called]
    called = [s for s in found.own(found.services) if s["metadata"]["name"] in names]
    for caller in found.known.callers:
        pods = in_force.callers(cluster, caller)
        if not pods:
            yield from (in_force.from_pods(service, found.pods) for service in called)
            continue
        dump = proxy_config.dump(cluster, pods[0])
        for service in called:
            yield in_force.from_dump(dump, service, found.pods, caller=pods[0], namespace=found.name)


def _refused(cluster: Cluster, found: Objects) -> Iterator[tuple[str, int | str]]:
    """Yield at which target ports, of those that no container declares, a ready pod refuses a connection."""
    for service in found.own(found.services):
        ready = [pod for pod in found.pods_behind(service) if is_ready(pod)]
        for port in service["spec"].get("ports") or []:
            target = port.get("targetPort", port["port"])
            if ready and not_opened(found, service, port) is not None and _refuses(cluster, ready[0], target):
                yield service["metadata"]["name"], target


def _refuses(cluster: Cluster, pod: Obj, port: int | str) -> bool:
    """Ask a pod at a port, through the API server; what may not be asked is not said to refuse."""
    path = f"{cluster.api.path('v1', 'Pod', pod['metadata']['name'])}:{port}/proxy/"
    try:
        cluster.api.text(path)
    except ApiRefused as refused:
        return refused.code in _NO_ANSWER
    except ClusterError:
        return False
    return False
