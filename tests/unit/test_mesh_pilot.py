"""The pilot: which of the registry's changes are changes of an Envoy's configuration."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from kata_lib.engines.embedded.addresses import PortPlan
from kata_lib.engines.embedded.mesh.discovery import DiscoveryServer
from kata_lib.engines.embedded.mesh.pilot import Pilot
from kata_lib.engines.embedded.mesh.translate import ProxyConfig
from kata_lib.engines.embedded.mesh.translate.gateway_api import KEY
from kata_lib.engines.embedded.state import State
from kata_lib.engines.embedded.store import Event, Obj


class Objects:
    """What the pilot asks of a registry: nothing is there at first."""

    def __init__(self) -> None:
        self._tell: Callable[[Event], None] = lambda event: None

    def list(self, resource: str) -> list[Obj]:
        return []

    def subscribe(self, callback: Callable[[Event], None], resources: set[str]) -> Callable[[], None]:
        self._tell = callback
        return lambda: None

    def put(self, obj: Obj, old: Obj | None) -> None:
        self._tell(Event("ADDED" if old is None else "MODIFIED", KEY, obj, old))


class CountingDiscovery(DiscoveryServer):
    """Counts how often a node is aimed at a configuration."""

    def __init__(self) -> None:
        super().__init__()
        self.aimed = 0

    def set_config(self, node_id: str, config: ProxyConfig) -> None:
        self.aimed += 1
        super().set_config(node_id, config)


def route(weight: int, **status: object) -> Obj:
    parent = {"group": "", "kind": "Service", "name": "web"}
    rule = {"backendRefs": [{"name": "web", "port": 80, "weight": weight}]}
    metadata = {"name": "web", "namespace": "default"}
    spec = {"parentRefs": [parent], "rules": [rule]}
    return {"kind": "HTTPRoute", "metadata": metadata, "spec": spec, "status": status}


@pytest.mark.asyncio
async def test_a_route_whose_status_is_written_is_as_it_was(tmp_path: Path) -> None:
    registry, discovery = Objects(), CountingDiscovery()
    plan = PortPlan(State(tmp_path), {"kind": "ports", "server": 20000})
    pilot = Pilot(registry, discovery, plan)
    pilot.add_node("node")
    counted = []
    written = [None, route(90), route(90, parents=[]), route(80, parents=[])]
    for old, new in pairwise(written):
        assert new is not None
        registry.put(new, old)
        await asyncio.sleep(0)
        counted.append(discovery.aimed)
    pilot.close()
    assert counted == [1, 1, 2]
