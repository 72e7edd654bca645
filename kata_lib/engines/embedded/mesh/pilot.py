"""Watches the registry and gives every Envoy its configuration: what istiod and kube-proxy's watch do."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from kata_lib.engines.embedded.mesh.bootstrap import node_id, proxy_kind
from kata_lib.engines.embedded.mesh.discovery import DiscoveryServer
from kata_lib.engines.embedded.mesh.envoy_log import LogPath
from kata_lib.engines.embedded.mesh.translate import (
    Addresses,
    MeshSnapshot,
    Proxy,
    gateway_api,
    translate,
)
from kata_lib.engines.embedded.objects import key
from kata_lib.engines.embedded.retries import back_off
from kata_lib.engines.embedded.store import Event, Obj

log = logging.getLogger(__name__)

_WATCHED = (
    *("services", "endpointslices", "pods", "secrets"),
    *("virtualservices", "destinationrules", "gateways"),
    *gateway_api.RESOURCES,
    "namespaces",
)


def _of_status_alone(event: Event) -> bool:
    """Return whether nothing changed that routes: a controller has written an HTTPRoute's status."""
    if event.type != "MODIFIED" or event.resource != gateway_api.KEY or event.old is None:
        return False
    return bool(event.object["spec"] == event.old["spec"])


class Registry(Protocol):
    """What the pilot asks of the registry."""

    def list(self, resource: str) -> list[Obj]: ...
    def subscribe(self, callback: Callable[[Event], None], resources: set[str]) -> Callable[[], None]: ...


class Pilot:
    """Recomputes every proxy's configuration on the loop's next turn after a change.

    One that cannot be computed is tried again, later each time, and the others get theirs; `on_failure` is
    told its node id and why.
    """

    def __init__(
        self,
        registry: Registry,
        discovery: DiscoveryServer,
        addresses: Addresses,
        on_failure: Callable[[str, str], None] = lambda node_id, why: None,
    ) -> None:
        self._on_failure = on_failure
        self._failures = 0
        self._again: asyncio.TimerHandle | None = None
        self._discovery = discovery
        self._addresses = addresses
        self._objects: dict[str, dict[tuple[str, str], Obj]] = {
            resource: {key(obj): obj for obj in registry.list(resource)} for resource in _WATCHED
        }
        self._proxies: dict[str, Proxy] = {}
        self._scheduled = False
        self._unsubscribe = registry.subscribe(self._on_event, set(_WATCHED))

    def add_proxy(self, pod: Obj, log: LogPath | None = None) -> None:
        """Serve a pod's Envoy from now on; `log` says where it writes why it rejects something."""
        metadata = pod["metadata"]
        proxy = Proxy(proxy_kind(pod), metadata["namespace"], metadata.get("labels", {}), pod)
        self._add(node_id(pod), proxy, log)

    def remove_proxy(self, pod: Obj) -> None:
        """Serve a pod's Envoy no longer."""
        self._remove(node_id(pod))

    def add_node(self, node_name: str, log: LogPath | None = None) -> None:
        """Serve the node's Envoy, whose node id is the node's name."""
        self._add(node_name, Proxy("node", "default"), log)

    def close(self) -> None:
        """Stop watching."""
        self._unsubscribe()
        if self._again:
            self._again.cancel()

    async def caught_up(self, timeout: float) -> None:  # noqa: ASYNC109
        """Return once every Envoy is connected and has what it should: for one that finds them running.

        Raise MeshError after `timeout` seconds with the last thing seen.
        """
        await self._discovery.connected(timeout)
        await self.settled(timeout)

    async def settled(self, timeout: float) -> None:  # noqa: ASYNC109
        """Return once every connected Envoy acknowledged the configuration of the registry's present state.

        Raise MeshError after `timeout` seconds or at a rejection, with the last thing seen.
        """
        if self._scheduled:
            self._recompute()
        await self._discovery.settled(timeout)

    def _add(self, name: str, proxy: Proxy, log: LogPath | None) -> None:
        self._proxies[name] = proxy
        self._discovery.register(name, log)
        self._schedule()

    def _remove(self, name: str) -> None:
        self._proxies.pop(name, None)
        self._discovery.forget(name)

    def _on_event(self, event: Event) -> None:
        objects = self._objects[event.resource]
        if event.type == "DELETED":
            objects.pop(key(event.object), None)
        else:
            objects[key(event.object)] = event.object
        if not _of_status_alone(event):
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._recompute)

    def _recompute(self) -> None:
        if not self._scheduled:
            return
        self._scheduled = False
        snapshot = MeshSnapshot(
            services=self._objects["services"].values(),
            endpoint_slices=self._objects["endpointslices"].values(),
            pods=self._objects["pods"].values(),
            virtual_services=self._objects["virtualservices"].values(),
            destination_rules=self._objects["destinationrules"].values(),
            http_routes=self._objects[gateway_api.KEY].values(),
            gateways=self._objects["gateways"].values(),
            secrets=self._objects["secrets"].values(),
            namespaces=self._objects["namespaces"].values(),
            api_gateways=self._objects[gateway_api.GATEWAYS].values(),
            reference_grants=self._objects[gateway_api.GRANTS].values(),
        )
        failed = [name for name in tuple(self._proxies) if not self._configured(name, snapshot)]
        self._failures = self._failures + 1 if failed else 0
        if failed:
            self._again = asyncio.get_running_loop().call_later(back_off(self._failures), self._schedule)

    def _configured(self, name: str, snapshot: MeshSnapshot) -> bool:
        """Aim one proxy at its configuration; return whether that could be computed."""
        try:
            self._discovery.set_config(name, translate(snapshot, self._proxies[name], self._addresses))
        except Exception as error:
            log.exception("the configuration of %s cannot be computed", name)
            self._on_failure(name, f"its configuration cannot be computed: {type(error).__name__}: {error}")
            return False
        return True
