"""HTTPRoutes and what they refer to in, the routes' statuses out: whether parents and backends are there."""

from collections.abc import Iterable
from typing import ClassVar

from kata_lib.cluster.hosts import of_object
from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.controllers.gateway import among
from kata_lib.engines.embedded.mesh.translate import gateway_api
from kata_lib.engines.embedded.mesh.translate.gateway_api import conditions
from kata_lib.engines.embedded.objects import Key, key
from kata_lib.engines.embedded.store import Event, Obj


class HTTPRouteController(Controller[Key]):
    """Says of each route what istiod says of it."""

    name = "pilot-discovery"
    resources: ClassVar[set[str]] = {*gateway_api.RESOURCES, "services", "namespaces"}
    _writes = False  # what it writes itself is no news

    def items(self, event: Event) -> Iterable[Key]:
        if event.resource == gateway_api.KEY:
            if event.type != "DELETED" and not self._writes:
                yield key(event.object)
        elif event.resource != "services" or event.type != "MODIFIED":  # what is there, and what no longer
            yield from map(key, self.registry.list(gateway_api.KEY))

    def reconcile(self, item: Key) -> None:
        hostnames = {of_object(service) for service in self.registry.list("services")}
        listeners, now = among(self.registry), self.registry.now()

        def say(route: Obj) -> None:
            if parents := conditions.statuses(route, hostnames, now, listeners):
                route["status"] = {"parents": parents}

        self._writes = True
        try:
            self.registry.mutate(gateway_api.KEY, *item, say, manager=self.name, subresource="status")
        finally:
            self._writes = False
