"""Namespaces in: what each has from its beginning, and the end of all that is in it when it is deleted."""

from collections.abc import Iterable
from typing import ClassVar

from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.objects import being_deleted, key
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Event, Obj

FIRST = ("default", "kube-node-lease", "kube-public", "kube-system")
CERTIFICATE_IS = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such "
    "as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions "
    "of Kubernetes clusters."
)


class NamespaceController(Controller[str]):
    """Gives a namespace its ServiceAccount and certificate; empties it before it is deleted."""

    name = "kube-controller-manager"
    resources: ClassVar[set[str]] = {"namespaces", "pods"}
    subject = "namespaces"

    def __init__(self, registry: Registry, certificate: str) -> None:
        super().__init__(registry)
        self._certificate = certificate

    def start(self) -> None:
        for name in FIRST:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._ensure("namespaces", None, namespace)
        super().start()

    def items(self, event: Event) -> Iterable[str]:
        if event.resource == "namespaces":
            if event.type != "DELETED":
                yield event.object["metadata"]["name"]
        elif event.type == "DELETED":
            yield event.object["metadata"]["namespace"]

    def reconcile(self, item: str) -> float | None:
        try:
            namespace = self.registry.get("namespaces", None, item)
        except StatusError as error:
            if error.code == 404:
                return None
            raise
        if not being_deleted(namespace):
            self._furnish(item)
            return None
        for resource, obj in self._contents(item):
            if not being_deleted(obj):
                self.registry.delete(resource, *key(obj))
        if self._contents(item):
            return 0.5  # a finalizer of someone else's may hold what no event of a pod tells
        self._finalize(item)
        return None

    def _contents(self, namespace: str) -> list[tuple[str, Obj]]:
        rows = [row for row in self.registry.resources if row.namespaced and not row.unsupported]
        return [(row.key, obj) for row in rows for obj in self.registry.list(row.key, namespace)]

    def _furnish(self, name: str) -> None:
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": name},
        }
        self._ensure("serviceaccounts", name, account)
        certificate = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "kube-root-ca.crt",
                "namespace": name,
                "annotations": {"kubernetes.io/description": CERTIFICATE_IS},
            },
            "data": {"ca.crt": self._certificate},
        }
        self._ensure("configmaps", name, certificate)

    def _ensure(self, resource: str, namespace: str | None, obj: Obj) -> None:
        try:
            self.registry.get(resource, namespace, obj["metadata"]["name"])
        except StatusError as error:
            if error.code != 404:
                raise
            self.registry.create(resource, namespace, obj, manager=self.name)

    def _finalize(self, name: str) -> None:
        def write(obj: Obj) -> None:
            obj["spec"]["finalizers"] = []

        self.registry.mutate("namespaces", None, name, write, manager=self.name, subresource="finalize")
