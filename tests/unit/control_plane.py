"""A registry in memory with controllers over it, for tests: time passes by turns of the loop only."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kata_lib.engines.embedded.addresses import PortPlan
from kata_lib.engines.embedded.controllers import Controller
from kata_lib.engines.embedded.objects import condition, put_condition, timestamp
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.state import State
from kata_lib.engines.embedded.store import Obj, Store

TURNS = 2000


def address_plan() -> PortPlan:
    """Return a plan that gives Services addresses from 10.96.0.1 on; it has no file and no socket."""
    return PortPlan(State(Path("unused")), {"kind": "ports", "server": 20000})


def make_registry(*namespaces: str, **options: Any) -> Registry:
    """Return a registry with these namespaces, by default one named default; options are Registry's own."""
    registry = Registry(Store(":memory:"), **{"addresses": address_plan(), **options})
    for name in namespaces or ("default",):
        registry.create("namespaces", None, {"metadata": {"name": name}}, manager="test")
    return registry


async def until(holds: Callable[[], bool]) -> None:
    """Give the loop turns until something holds; fail where it does not within a few thousand."""
    for _ in range(TURNS):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come to hold")


async def settled(*controllers: Controller[Any]) -> None:
    """Give the loop turns until no controller has anything to look at."""
    await until(lambda: not any(controller.busy for controller in controllers))


def deployment(name: str = "web", replicas: int = 2, version: str = "1", **spec: Any) -> Obj:
    """Return a Deployment."""
    labels = {"app": name}
    container = {"name": "main", "image": "kata/sentences:v1", "env": [{"name": "V", "value": version}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def pod(name: str, labels: dict[str, str] | None = None) -> Obj:
    """Return a pod."""
    container = {
        "name": "main",
        "image": "kata/sentences:v1",
        "ports": [{"name": "http", "containerPort": 8080}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"containers": [container], "nodeName": "node"},
    }


def service(name: str = "web", target: int | str = 8080) -> Obj:
    """Return a Service that selects the pods with the label app=<name>."""
    port = {"name": "http", "port": 80, "targetPort": target}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [port]},
    }


def make_ready(registry: Registry, name: str, ready: bool = True) -> None:
    """Let a pod be ready, as the kubelet would; its address is made of its name."""

    def write(obj: Obj) -> None:
        status = "True" if ready else "False"
        new = {"type": "Ready", "status": status, "lastTransitionTime": timestamp()}
        before = condition(obj, "Ready")
        conditions = put_condition([before] if before else [], new)
        address = f"10.1.0.{sum(name.encode()) % 250}"
        obj["status"] = {**obj["status"], "phase": "Running", "podIP": address, "conditions": conditions}

    registry.mutate("pods", "default", name, write, manager="test", subresource="status")


def names(registry: Registry, resource: str) -> list[str]:
    """Return the names of all objects of a resource in the namespace default."""
    return [obj["metadata"]["name"] for obj in registry.list(resource, "default")]
