"""The pilot: which of the registry's changes are changes of an Envoy's configuration."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from kata_lib.engines.embedded.addresses import PortPlan
from kata_lib.engines.embedded.mesh.bootstrap import node_id
from kata_lib.engines.embedded.mesh.discovery import DiscoveryServer
from kata_lib.engines.embedded.mesh.pilot import Pilot
from kata_lib.engines.embedded.mesh.translate import ProxyConfig
from kata_lib.engines.embedded.mesh.translate.gateway_api import KEY
from kata_lib.engines.embedded.state import State
from kata_lib.engines.embedded.store import Event, Obj


class Objects:
    """What the pilot asks of a registry: by default nothing is there at first."""

    def __init__(self, **there: list[Obj]) -> None:
        self._tell: Callable[[Event], None] = lambda event: None
        self._there = there

    def list(self, resource: str) -> list[Obj]:
        return self._there.get(resource, [])

    def subscribe(self, callback: Callable[[Event], None], resources: set[str]) -> Callable[[], None]:
        self._tell = callback
        return lambda: None

    def put(self, obj: Obj, old: Obj | None, resource: str = KEY) -> None:
        self._tell(Event("ADDED" if old is None else "MODIFIED", resource, obj, old))


class NotedDiscovery(DiscoveryServer):
    """Notes which nodes are aimed at a configuration."""

    def __init__(self) -> None:
        super().__init__()
        self.aimed: list[str] = []
        self.aims = asyncio.Event()

    def set_config(self, node_id: str, config: ProxyConfig) -> None:
        self.aimed.append(node_id)
        self.aims.set()
        super().set_config(node_id, config)


def route(weight: int, **status: object) -> Obj:
    parent = {"group": "", "kind": "Service", "name": "web"}
    rule = {"backendRefs": [{"name": "web", "port": 80, "weight": weight}]}
    metadata = {"name": "web", "namespace": "default"}
    spec = {"parentRefs": [parent], "rules": [rule]}
    return {"kind": "HTTPRoute", "metadata": metadata, "spec": spec, "status": status}


@pytest.mark.asyncio
async def test_a_route_whose_status_is_written_is_as_it_was(tmp_path: Path) -> None:
    registry, discovery = Objects(), NotedDiscovery()
    plan = PortPlan(State(tmp_path), {"kind": "ports", "server": 20000})
    pilot = Pilot(registry, discovery, plan)
    pilot.add_node("node")
    counted = []
    written = [None, route(90), route(90, parents=[]), route(80, parents=[])]
    for old, new in pairwise(written):
        assert new is not None
        registry.put(new, old)
        await asyncio.sleep(0)
        counted.append(len(discovery.aimed))
    pilot.close()
    assert counted == [1, 1, 2]


def pod(app: str) -> Obj:
    metadata = {"name": app, "namespace": "default", "uid": f"uid-{app}", "labels": {"app": app}}
    return {"metadata": metadata, "spec": {"containers": [{"name": app}]}}


def web_and_a_rule() -> tuple[Obj, Obj]:
    metadata = {"name": "web", "namespace": "default"}
    service = {"metadata": metadata, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    http = [{"route": [{"destination": {"host": "web"}}]}]
    return service, {"metadata": metadata, "spec": {"hosts": ["web"], "http": http}}


@pytest.mark.asyncio
async def test_who_calls_what_a_rule_is_for_hears_of_it_before_who_stands_behind_it(tmp_path: Path) -> None:
    service, rule = web_and_a_rule()
    registry, discovery = Objects(services=[service]), NotedDiscovery()
    pilot = Pilot(registry, discovery, PortPlan(State(tmp_path), {"kind": "ports", "server": 20000}))
    pods = [pod("web"), pod("caller")]
    pilot.add_node("node")
    for one in pods:
        pilot.add_proxy(one)
    await pilot.settled(1)  # no Envoy is connected, so that none is waited for
    begun = len(discovery.aimed)
    registry.put(rule, None, "virtualservices")
    await asyncio.sleep(0)
    assert discovery.aimed[begun:] == [node_id(pods[1])]
    await pilot.settled(1)
    assert sorted(discovery.aimed[begun + 1 :]) == sorted(["node", node_id(pods[0])])
    pilot.close()


@pytest.mark.asyncio
async def test_who_stands_behind_a_rule_hears_of_it_by_itself(tmp_path: Path) -> None:
    service, rule = web_and_a_rule()
    registry, discovery = Objects(services=[service]), NotedDiscovery()
    pilot = Pilot(registry, discovery, PortPlan(State(tmp_path), {"kind": "ports", "server": 20000}))
    pilot.add_proxy(pod("web"))
    await pilot.settled(1)
    discovery.aims.clear()
    registry.put(rule, None, "virtualservices")
    await asyncio.wait_for(discovery.aims.wait(), 10)
    pilot.close()


@pytest.mark.asyncio
async def test_a_pod_whose_status_is_written_is_as_it_was(tmp_path: Path) -> None:
    registry, discovery = Objects(), NotedDiscovery()
    pilot = Pilot(registry, discovery, PortPlan(State(tmp_path), {"kind": "ports", "server": 20000}))
    pilot.add_node("node")
    first = pod("web")
    metadata = {**first["metadata"], "labels": {"app": "other"}}
    changes = [None, first, {**first, "status": {"phase": "Running"}}, {**first, "metadata": metadata}]
    counted = []
    for old, new in pairwise(changes):
        assert new is not None
        registry.put(new, old, "pods")
        await asyncio.sleep(0)
        counted.append(len(discovery.aimed))
    pilot.close()
    assert counted == [1, 1, 2]
