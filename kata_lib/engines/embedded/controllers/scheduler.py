"""Pods without a node in, pods bound to the only node out."""

from collections.abc import Iterable
from typing import ClassVar

from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.objects import Key, being_deleted, key
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.store import Event, Obj


class Scheduler(Controller[Key]):
    """Binds each pod to the node; there is nothing to choose."""

    name = "kube-scheduler"
    resources: ClassVar[set[str]] = {"pods"}
    subject = "pods"

    def __init__(self, registry: Registry, node_name: str) -> None:
        super().__init__(registry)
        self._node_name = node_name

    def items(self, event: Event) -> Iterable[Key]:
        if event.type == "ADDED" and not event.object["spec"].get("nodeName"):
            yield key(event.object)

    def reconcile(self, item: Key) -> None:
        namespace, name = item

        def bind(pod: Obj) -> None:
            if not being_deleted(pod):
                pod["spec"]["nodeName"] = self._node_name

        pod = self.registry.mutate("pods", namespace, name, bind, manager=self.name, subresource="binding")
        if pod and not being_deleted(pod):
            message = f"Successfully assigned {namespace}/{name} to {self._node_name}"
            self.registry.record_event(pod, "Normal", "Scheduled", message, component="default-scheduler")
