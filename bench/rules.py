"""Weight to effect where an HTTPRoute or a gateway has the weights, beside the mesh's VirtualService."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.results import Figure, percentile
from bench.weights import Way, effects, of_mesh
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import service
from kata_lib.course.application import version_of_name
from kata_lib.mesh import synced
from kata_lib.mesh.virtual_services import ISTIO

GATEWAY = "deploy/gateway/gateway.yaml"
SERVICES, HTTP_ROUTE = "deploy/gateway-api/services.yaml", "deploy/gateway-api/http-route.yaml"
GOAL = 1.1
"""How many times a VirtualService's time the others may take."""
BLOCK = 10
"""Changes in a row; the rules take turns, so that what else the machine does is in each of them alike."""
READY_SECONDS = 30.0


def measure(cluster: Cluster, changes: int) -> Iterator[Figure]:
    """Yield how many times a VirtualService's time an HTTPRoute and a gateway take, p50 beside p50."""
    mesh, through, by_route = list[float](), list[float](), list[float]()
    way = of_mesh(cluster)
    with _made(cluster, SERVICES), _gateway(cluster) as gateway:
        for _ in range(max(1, changes // BLOCK)):
            mesh += effects(way, BLOCK)[0]
            with _made(cluster, HTTP_ROUTE):
                by_route += effects(way, BLOCK)[0]
            through += effects(gateway, BLOCK)[0]
    floor = percentile(mesh, 50)
    for name, took in (("an HTTPRoute", by_route), ("a gateway", through)):
        how = (
            f"p50 {percentile(took, 50):.1f} ms, by a VirtualService {floor:.1f} ms; {len(took)} changes each"
        )
        yield Figure(f"weight to effect through {name}", percentile(took, 50) / floor, "times", GOAL, how=how)


@contextmanager
def _made(cluster: Cluster, file: str) -> Iterator[None]:
    """Have a file's objects in force, and none of them afterwards."""
    since = service.moment(cluster)
    cluster.apply(file)
    service.settle(cluster, since)
    try:
        yield
    finally:
        since = service.moment(cluster)
        cluster.delete(file)
        service.settle(cluster, since)


@contextmanager
def _gateway(cluster: Cluster) -> Iterator[Way]:
    """Yield the way through a gateway whose own rule has weights for `name`."""
    since = synced.now(cluster, "gateway")
    cluster.apply(GATEWAY)
    cluster.apply_object(_outside("v1"))
    cluster.wait_ready(READY_SECONDS)
    synced.until(cluster, "gateway", since)
    try:
        yield Way(lambda version: _set(cluster, version), cluster.url("gateway"), version_of_name)
    finally:
        cluster.remove(ISTIO, "VirtualService", "name-outside")
        cluster.delete(GATEWAY)


def _set(cluster: Cluster, version: str) -> None:
    cluster.patch(ISTIO, "VirtualService", "name-outside", {"spec": _outside(version)["spec"]})


def _outside(only: str) -> Obj:
    route = [
        {
            "destination": {"host": "name", "subset": f"name-{version}"},
            "weight": 100 if version == only else 0,
        }
        for version in ("v1", "v2")
    ]
    spec = {"hosts": ["*"], "gateways": ["gateway"], "http": [{"route": route}]}
    metadata = {"name": "name-outside"}
    return {"apiVersion": ISTIO, "kind": "VirtualService", "metadata": metadata, "spec": spec}
