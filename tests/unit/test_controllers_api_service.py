"""The API server is a Service in default, as on every cluster, and stays one."""

from typing import Any

from control_plane import make_registry, settled

from kata_lib.engines.embedded.controllers import (
    ApiServiceController,
    Controller,
    EndpointSliceController,
)
from kata_lib.engines.embedded.objects import key
from kata_lib.engines.embedded.registry.registry import Registry

ADDRESS = "127.0.16.1", 6443
PLACE = "default", "kubernetes"


def seen(registry: Registry) -> tuple[object, object]:
    """Return the ports of the Service, and the addresses of all slices of default."""
    service = registry.get("services", *PLACE)
    assert service["metadata"]["labels"] == {"component": "apiserver", "provider": "kubernetes"}
    slices = registry.list("endpointslices", "default")
    assert [key(found) for found in slices] == [PLACE]
    return service["spec"]["ports"], [found["endpoints"][0]["addresses"] for found in slices]


async def test_it_is_there_comes_back_and_follows_the_server() -> None:
    registry = make_registry()
    first: list[Controller[Any]] = [
        ApiServiceController(registry, ADDRESS),
        EndpointSliceController(registry),
    ]
    for controller in first:
        controller.start()
    await settled(*first)
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}
    assert seen(registry) == ([port], [["127.0.16.1"]])
    for resource in ("services", "endpointslices"):
        registry.delete(resource, *PLACE)
        await settled(*first)
    assert seen(registry) == ([port], [["127.0.16.1"]])
    for controller in first:
        controller.stop()
    address = registry.get("services", *PLACE)["spec"]["clusterIP"]
    moved = ApiServiceController(registry, ("127.0.32.1", 7443))
    moved.start()
    await settled(moved)
    assert seen(registry) == ([{**port, "targetPort": 7443}], [["127.0.32.1"]])
    assert registry.get("services", *PLACE)["spec"]["clusterIP"] == address
    moved.stop()
