"""Watches the registry and gives every Envoy its configuration: what istiod and kube-proxy's watch do."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from kata_lib.cluster.labels import selects
from kata_lib.engines.embedded.mesh.bootstrap import node_id, proxy_kind
from kata_lib.engines.embedded.mesh.discovery import DiscoveryServer
from kata_lib.engines.embedded.mesh.envoy_log import LogPath
from kata_lib.engines.embedded.mesh.translate import (
    Addresses,
    MeshSnapshot,
    Proxy,
    gateway_api,
    translate,
    virtual_services,
)
from kata_lib.engines.embedded.mesh.translate.gateway_api import parents
from kata_lib.engines.embedded.objects import key
from kata_lib.engines.embedded.retries import back_off
from kata_lib.engines.embedded.store import Event, Obj

log = logging.getLogger(__name__)

_WATCHED: Mapping[str, str] = {
    "services": "services",
    "endpointslices": "endpoint_slices",
    "pods": "pods",
    "secrets": "secrets",
    "virtualservices": "virtual_services",
    "destinationrules": "destination_rules",
    "gateways": "gateways",
    gateway_api.KEY: "http_routes",
    gateway_api.GATEWAYS: "api_gateways",
    gateway_api.GRANTS: "reference_grants",
    "namespaces": "namespaces",
}
"""The resources that the pilot watches, and what a snapshot calls them."""


CALLERS_FIRST_SECONDS = 0.005
"""How long Envoys wait that hardly call what a rule is for: reading their route tables would keep the
processors from the callers, and from the first requests on the new route."""


def _of_status_alone(event: Event) -> bool:
    """Return whether nothing changed that routes: the status of an HTTPRoute or of a pod was written."""
    if event.type != "MODIFIED" or event.resource not in (gateway_api.KEY, "pods") or event.old is None:
        return False
    return bool(_without_status(event.object) == _without_status(event.old))


def _without_status(obj: Obj) -> tuple[Any, ...]:
    metadata = obj["metadata"]
    return obj["spec"], metadata.get("labels"), metadata.get("ownerReferences")


def _routed(event: Event) -> list[str]:
    """Return the hosts, by their full names, of which an event changes the routes and nothing else."""
    if event.resource == "virtualservices":
        return virtual_services.hosts(event.object)
    if event.resource == gateway_api.KEY:
        return [parents.host(parent, event.object) for parent in parents.services(event.object)]
    return []


class Registry(Protocol):
    """What the pilot asks of the registry."""

    def list(self, resource: str) -> list[Obj]: ...
    def subscribe(self, callback: Callable[[Event], None], resources: set[str]) -> Callable[[], None]: ...


class Pilot:
    """Makes every proxy's configuration after a change, from the loop's next turn on: in each turn one.

    So an Envoy has its answer while the next one's is made; after a change of a rule callers come first. One
    that cannot be made is tried again, later each time, and the others get theirs; `on_failure` is told its
    node id and why.
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
        self._failed: set[str] = set()
        self._again: asyncio.TimerHandle | None = None
        self._discovery = discovery
        self._addresses = addresses
        self._objects: dict[str, dict[tuple[str, str], Obj]] = {
            resource: {key(obj): obj for obj in registry.list(resource)} for resource in _WATCHED
        }
        self._changed = set(_WATCHED)
        self._snapshot = MeshSnapshot()
        self._proxies: dict[str, Proxy] = {}
        self._due: dict[str, None] = {}
        self._turn: asyncio.Handle | None = None
        self._waiting: set[str] = set()
        self._callers_first: asyncio.TimerHandle | None = None
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
        for handle in (self._again, self._turn, self._callers_first):
            if handle:
                handle.cancel()

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
        self._wait_no_longer()
        while self._turn:
            self._turn.cancel()
            self._next()
        await self._discovery.settled(timeout)

    def _add(self, name: str, proxy: Proxy, log: LogPath | None) -> None:
        self._proxies[name] = proxy
        self._discovery.register(name, log)
        self._schedule([name])

    def _remove(self, name: str) -> None:
        self._proxies.pop(name, None)
        self._due.pop(name, None)
        self._discovery.forget(name)

    def _on_event(self, event: Event) -> None:
        objects = self._objects[event.resource]
        if event.type == "DELETED":
            objects.pop(key(event.object), None)
        else:
            objects[key(event.object)] = event.object
        self._changed.add(event.resource)
        if not _of_status_alone(event):
            behind = self._behind(_routed(event))
            self._schedule(name for name in self._proxies if name not in behind)
            self._schedule_later(behind)

    def _behind(self, hosts: Iterable[str]) -> set[str]:
        """Return the proxies that hardly call any of the hosts: those of their pods, and the node's."""
        services = [self._snapshot.services[host] for host in hosts if host in self._snapshot.services]
        return {
            name
            for name, proxy in self._proxies.items()
            for service in services
            if proxy.pod is None
            or (service.namespace == proxy.namespace and selects(service.selector, proxy.pod))
        }

    def _schedule_later(self, names: set[str]) -> None:
        self._waiting |= names
        if self._waiting and self._callers_first is None:
            loop = asyncio.get_running_loop()
            self._callers_first = loop.call_later(CALLERS_FIRST_SECONDS, self._wait_no_longer)

    def _wait_no_longer(self) -> None:
        if self._callers_first:
            self._callers_first.cancel()
            self._callers_first = None
        waited, self._waiting = self._waiting, set()
        self._schedule(waited)

    def _schedule(self, names: Iterable[str]) -> None:
        self._due |= {name: None for name in names if name in self._proxies}
        if self._due and self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        """Configure the proxy that waits longest, of the registry's present state."""
        self._turn = None
        if self._changed:
            parts = {_WATCHED[resource]: self._objects[resource].values() for resource in self._changed}
            self._snapshot = self._snapshot.then(**parts)
            self._changed = set()
        if self._due:
            name = next(iter(self._due))
            del self._due[name]
            if not self._configured(name):
                self._failed.add(name)
        if self._due:
            self._schedule(())
        else:
            self._see_to_failed()

    def _see_to_failed(self) -> None:
        """Try those again whose configuration could not be made, later each time."""
        self._failures = self._failures + 1 if self._failed else 0
        if self._failed:
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(back_off(self._failures), self._schedule, self._failed)
            self._failed = set()

    def _configured(self, name: str) -> bool:
        """Aim one proxy at its configuration; return whether that could be made."""
        try:
            config = translate(self._snapshot, self._proxies[name], self._addresses)
            self._discovery.set_config(name, config)
        except Exception as error:
            log.exception("the configuration of %s cannot be computed", name)
            self._on_failure(name, f"its configuration cannot be computed: {type(error).__name__}: {error}")
            return False
        return True
