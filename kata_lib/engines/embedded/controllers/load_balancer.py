"""Services of type LoadBalancer in, their address out: the one at which the node's Envoy listens for them."""

from collections.abc import Iterable
from typing import Any, ClassVar

from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.objects import Key, key
from kata_lib.engines.embedded.store import Event, Obj


class LoadBalancerController(Controller[Key]):
    """Stands for a cloud's load balancer: on this machine a Service's own address is reached from outside."""

    name = "service-lb-controller"
    resources: ClassVar[set[str]] = {"services"}
    subject = "services"

    def items(self, event: Event) -> Iterable[Key]:
        if event.type != "DELETED" and (_is_balanced(event.object) or _addresses(event.object)):
            yield key(event.object)

    def reconcile(self, item: Key) -> None:
        def assign(service: Obj) -> None:
            address = service["spec"].get("clusterIP")
            if not _is_balanced(service):
                service.setdefault("status", {})["loadBalancer"] = {}
            elif address not in (None, "", "None"):
                ingress = [{"ip": address, "ipMode": "VIP"}]
                service.setdefault("status", {})["loadBalancer"] = {"ingress": ingress}

        self.registry.mutate("services", *item, assign, manager=self.name, subresource="status")


def _is_balanced(service: Obj) -> bool:
    return bool(service["spec"].get("type") == "LoadBalancer")


def _addresses(service: Obj) -> Any:
    """Return the addresses that a Service was given; one that became another type has none any more."""
    return service.get("status", {}).get("loadBalancer", {}).get("ingress")
