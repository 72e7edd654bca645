"""ReplicaSets in, as many pods as they ask for out."""

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, ClassVar, TypeVar

from kata_lib.cluster import labels
from kata_lib.cluster.pods import is_ready
from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.objects import (
    Key,
    being_deleted,
    condition,
    controller_of,
    is_active,
    is_ended,
    key,
    owner_reference,
    put_condition,
    seconds,
    timestamp,
)
from kata_lib.engines.embedded.registry.selectors import selector_object
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Event, Obj

COMPONENT = "replicaset-controller"
T = TypeVar("T")
BURST = 50
"""How many pods one look creates or deletes at most."""
BURST_SECONDS = 0.02
"""How long one look creates or deletes; the first pod's event leads to the next look."""


class ReplicaSetController(Controller[Key]):
    """Adopts, creates, deletes and counts the pods of each ReplicaSet."""

    name = "kube-controller-manager"
    resources: ClassVar[set[str]] = {"replicasets", "pods"}
    subject = "replicasets"

    def items(self, event: Event) -> Iterable[Key]:
        if event.resource == "replicasets":
            yield key(event.object)
            return
        namespace = event.object["metadata"]["namespace"]
        owners = {owner["name"] for pod in (event.object, event.old) if pod and (owner := _replicaset(pod))}
        yield from ((namespace, name) for name in owners)
        if not controller_of(event.object):
            labels = event.object["metadata"].get("labels", {})
            for found in self.registry.list("replicasets", namespace):
                if selector_object(found["spec"]["selector"])(labels):
                    yield key(found)

    def reconcile(self, item: Key) -> float | None:
        namespace, name = item
        try:
            replicaset = self.registry.get("replicasets", namespace, name)
        except StatusError as error:
            if error.code == 404:
                return None
            raise
        claimed = self._claim(replicaset)
        pods = [pod for pod in claimed if is_active(pod)]
        terminating = sum(being_deleted(pod) and not is_ended(pod) for pod in claimed)
        failure: StatusError | None = None
        if not being_deleted(replicaset):
            try:
                pods = self._scale(replicaset, pods)
            except StatusError as error:
                failure = error
        status, again = _status(replicaset, pods, failure)

        def write(obj: Obj) -> None:
            obj["status"] = {**status, "terminatingReplicas": terminating}

        self.registry.mutate("replicasets", namespace, name, write, manager=self.name, subresource="status")
        if failure:
            raise failure
        return again

    def _claim(self, replicaset: Obj) -> list[Obj]:
        """Return the ReplicaSet's pods: adopt those that match, let go of those that no longer do."""
        namespace, _ = key(replicaset)
        uid = replicaset["metadata"]["uid"]
        matches = selector_object(replicaset["spec"]["selector"])
        claimed = []
        for pod in self.registry.list("pods", namespace):
            owner = controller_of(pod)
            matching = matches(pod["metadata"].get("labels", {}))
            if owner and owner["uid"] == uid:
                if matching or being_deleted(replicaset):
                    claimed.append(pod)
                else:
                    self._own(pod, [ref for ref in pod["metadata"]["ownerReferences"] if ref["uid"] != uid])
            elif not owner and matching and is_active(pod) and not being_deleted(replicaset):
                kept = pod["metadata"].get("ownerReferences", [])
                if adopted := self._own(pod, [*kept, owner_reference(replicaset)]):
                    claimed.append(adopted)
        return claimed

    def _own(self, pod: Obj, references: list[dict[str, Any]]) -> Obj | None:
        def write(obj: Obj) -> None:
            obj["metadata"]["ownerReferences"] = references

        return self.registry.mutate("pods", *key(pod), write, manager=self.name)

    def _scale(self, replicaset: Obj, pods: list[Obj]) -> list[Obj]:
        """Create or delete pods; return those that are there afterwards."""
        namespace, _ = key(replicaset)
        missing = replicaset["spec"]["replicas"] - len(pods)
        if missing < 0:
            ranked = sorted(pods, key=deletion_rank)
            going = []
            for pod in _in_a_burst(ranked[:-missing]):
                going.append(pod)
                self.registry.delete("pods", *key(pod))
                self._event(
                    replicaset, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}"
                )
            return ranked[len(going) :]
        for _ in _in_a_burst(range(missing)):
            try:
                pod = self.registry.create("pods", namespace, pod_of(replicaset), manager=self.name)
            except StatusError as error:
                self._event(replicaset, "Warning", "FailedCreate", f"Error creating: {error.message}")
                raise
            self._event(replicaset, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
            pods = [*pods, pod]
        return pods

    def _event(self, replicaset: Obj, type_: str, reason: str, message: str) -> None:
        self.registry.record_event(replicaset, type_, reason, message, component=COMPONENT)


def _in_a_burst(items: Iterable[T]) -> Iterator[T]:
    """Yield as many items as one look may take, at least one."""
    over = time.monotonic() + BURST_SECONDS
    for item in islice(items, BURST):
        yield item
        if time.monotonic() > over:
            return


def _replicaset(pod: Obj) -> dict[str, Any] | None:
    owner = controller_of(pod)
    return owner if owner and owner["kind"] == "ReplicaSet" else None


def pod_of(replicaset: Obj) -> Obj:
    """Return a new pod as the ReplicaSet's template asks for."""
    template = replicaset["spec"]["template"]
    metadata = {
        name: dict(template["metadata"][name])
        for name in ("labels", "annotations")
        if template["metadata"].get(name)
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **metadata,
            "generateName": f"{replicaset['metadata']['name']}-",
            "ownerReferences": [owner_reference(replicaset)],
        },
        "spec": template["spec"],
    }


def deletion_rank(pod: Obj) -> tuple[bool, int, bool, int, float]:
    """Return what sorts pods by who goes first: unbound, pending, not ready, often restarted, youngest."""
    status = pod.get("status", {})
    phase = {"Pending": 0, "Unknown": 1}.get(status.get("phase", "Pending"), 2)
    restarts = sum(container["restartCount"] for container in status.get("containerStatuses", ()))
    age = -seconds(pod["metadata"]["creationTimestamp"])
    return bool(pod["spec"].get("nodeName")), phase, is_ready(pod), -restarts, age


def _status(
    replicaset: Obj, pods: list[Obj], failure: StatusError | None
) -> tuple[dict[str, Any], float | None]:
    """Return the status, and seconds until a ready pod becomes available by its minReadySeconds."""
    wanted_labels = labels.of(replicaset["spec"]["template"])
    wait = replicaset["spec"].get("minReadySeconds", 0)
    ready = [pod for pod in pods if is_ready(pod)]
    ages = [_ready_for(pod) for pod in ready]
    available = sum(age >= wait for age in ages)
    counts = {
        "fullyLabeledReplicas": sum(labels.carries(pod, wanted_labels) for pod in pods),
        "readyReplicas": len(ready),
        "availableReplicas": available,
    }
    status: dict[str, Any] = {
        "replicas": len(pods),
        "observedGeneration": replicaset["metadata"]["generation"],
        **{name: count for name, count in counts.items() if count},
    }
    if failure:
        old = condition(replicaset, "ReplicaFailure")
        new = {
            "type": "ReplicaFailure",
            "status": "True",
            "reason": "FailedCreate",
            "message": failure.message,
            "lastTransitionTime": timestamp(),
        }
        status["conditions"] = put_condition([old] if old else [], new)
    soonest = [wait - age for age in ages if age < wait]
    return status, min(soonest, default=None)


def _ready_for(pod: Obj) -> float:
    found = condition(pod, "Ready")
    return time.time() - seconds(found["lastTransitionTime"]) if found else 0.0
