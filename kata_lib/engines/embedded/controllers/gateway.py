"""Gateways of the Gateway API in, what istiod deploys for them and their statuses out; and their class."""

from collections.abc import Iterable
from typing import ClassVar

from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.mesh import gateway_workload
from kata_lib.engines.embedded.mesh.translate import gateway_api
from kata_lib.engines.embedded.mesh.translate.gateway_api import gateway_status
from kata_lib.engines.embedded.mesh.translate.gateway_api.conditions import Condition, written
from kata_lib.engines.embedded.mesh.translate.gateway_api.listeners import CLASS, Gateways, gateways
from kata_lib.engines.embedded.objects import Key, being_deleted, key
from kata_lib.engines.embedded.registry.patches import APPLY_PATCH
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Event, Obj

CONTROLLER = "istio.io/gateway-controller"
_CLASSES = "gatewayclasses.gateway.networking.k8s.io"
_HANDLED = Condition("Accepted", "Accepted", "Handled by Istio controller")


def among(registry: Registry) -> Gateways:
    """Return the listeners of all Gateways as they stand now."""
    secrets = {key(secret): secret for secret in registry.list("secrets")}
    return gateways(
        registry.list(gateway_api.GATEWAYS),
        registry.list("namespaces"),
        secrets,
        registry.list(gateway_api.GRANTS),
    )


class GatewayController(Controller[Key]):
    """Deploys a router for each Gateway of class istio, and says of it what istiod says."""

    name = "istio.io/gateway-controller"
    subject = gateway_api.GATEWAYS
    resources: ClassVar[set[str]] = {
        *gateway_api.RESOURCES,
        *("services", "endpointslices", "deployments", "secrets", "namespaces"),
    }

    def items(self, event: Event) -> Iterable[Key]:
        if event.resource == gateway_api.GATEWAYS:
            if event.type != "DELETED":
                yield key(event.object)
        else:
            yield from map(key, self.registry.list(gateway_api.GATEWAYS))

    def reconcile(self, item: Key) -> None:
        found = self.registry.store.get(gateway_api.GATEWAYS, *item)
        if found is None or being_deleted(found) or found["spec"]["gatewayClassName"] != CLASS:
            return
        for resource, obj in gateway_workload.objects(found):
            self.registry.patch(
                resource, item[0], obj["metadata"]["name"], obj, APPLY_PATCH, manager=self.name, force=True
            )
        self._tell_status(item)

    def _tell_status(self, item: Key) -> None:
        listeners, routes = among(self.registry), self.registry.list(gateway_api.KEY)
        services = self.registry.list("services")
        instances = gateway_status.instances(services, self.registry.list("endpointslices"))
        now = self.registry.now()

        def say(gateway: Obj) -> None:
            gateway["status"] = gateway_status.status(gateway, listeners, routes, instances, now)

        self.registry.mutate(gateway_api.GATEWAYS, *item, say, manager=self.name, subresource="status")


class GatewayClassController(Controller[str]):
    """Makes the class istio, as istiod does when it starts, and accepts each class that is its own."""

    name = "istio.io/gateway-controller"
    resources: ClassVar[set[str]] = {_CLASSES}

    def start(self) -> None:
        spec = {"controllerName": CONTROLLER, "description": "The default Istio GatewayClass"}
        try:
            self.registry.create(
                _CLASSES, None, {"metadata": {"name": CLASS}, "spec": spec}, manager="pilot-discovery"
            )
        except StatusError as error:
            if error.code != 409:
                raise
        super().start()

    def items(self, event: Event) -> Iterable[str]:
        if event.type != "DELETED" and event.object["spec"]["controllerName"] == CONTROLLER:
            yield event.object["metadata"]["name"]

    def reconcile(self, item: str) -> None:
        now = self.registry.now()

        def say(found: Obj) -> None:
            before = found.get("status", {}).get("conditions", ())
            generation = found["metadata"].get("generation", 1)
            found["status"] = {"conditions": written([_HANDLED], generation, before, now)}

        self.registry.mutate(_CLASSES, None, item, say, manager=self.name, subresource="status")
