"""Deployments in, one ReplicaSet for each template they had out, sized step by step."""

import time
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from kata_lib.engines.embedded.controllers import rollout
from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.controllers.deployment_status import (
    deadline_in,
    is_complete,
    progressing,
    put_last,
    status_of,
)
from kata_lib.engines.embedded.controllers.revisions import (
    REVISION,
    copied_annotations,
    find_new,
    raise_revision,
    replicaset_of,
    revision_of,
    size_annotations,
)
from kata_lib.engines.embedded.objects import (
    Key,
    being_deleted,
    condition,
    controller_of,
    key,
    owner_reference,
)
from kata_lib.engines.embedded.registry.selectors import selector_object
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Event, Obj

COMPONENT = "deployment-controller"
TURN_SECONDS = 0.02
"""Processor time after which one look has done enough, if it has done something: the next one goes on."""


class DeploymentController(Controller[Key]):
    """Rolls each Deployment towards its template: RollingUpdate or Recreate, paused, scaled, resumed."""

    name = "kube-controller-manager"
    resources: ClassVar[set[str]] = {"deployments", "replicasets", "pods"}
    subject = "deployments"

    def items(self, event: Event) -> Iterable[Key]:
        namespace, name = key(event.object)
        if event.resource == "deployments":
            yield namespace, name
        elif event.resource == "replicasets":
            found = {owner["name"] for rs in (event.object, event.old) if rs and (owner := controller_of(rs))}
            yield from ((namespace, owner) for owner in found)
        elif event.type == "DELETED":  # Recreate waits for the last old pod
            for deployment in self.registry.list("deployments", namespace):
                if deployment["spec"]["strategy"]["type"] == "Recreate":
                    yield key(deployment)

    def reconcile(self, item: Key) -> float | None:
        try:
            deployment = self.registry.get("deployments", *item)
        except StatusError as error:
            if error.code == 404:
                return None
            raise
        if being_deleted(deployment):
            return None
        over, before = time.thread_time() + TURN_SECONDS, self.registry.store.revision
        for _ in self._steps(deployment):
            if self.registry.store.revision > before and time.thread_time() > over:
                self.look_at(item)
                return None
        return self._report(deployment)

    def _steps(self, deployment: Obj) -> Iterator[None]:
        """Do what is to be done, and yield where the rest can as well be the next look's."""
        replicasets = self._claim(deployment)
        new = find_new(deployment, replicasets)
        if deployment["spec"].get("paused") or rollout.needs_scaling(deployment["spec"], replicasets):
            self._resize(
                deployment, rollout.proportional(deployment["spec"], new, _without(replicasets, new))
            )
            return
        new = self._newest(deployment, replicasets, new)
        yield
        if new is not None:
            self._roll(deployment, new, _without(replicasets, new))
            yield

    def _claim(self, deployment: Obj) -> list[Obj]:
        """Return the Deployment's ReplicaSets, oldest first; adopt those that match and are nobody's."""
        claimed = []
        matches = selector_object(deployment["spec"]["selector"])
        for replicaset in self.registry.list("replicasets", deployment["metadata"]["namespace"]):
            owner = controller_of(replicaset)
            if owner is None and matches(replicaset["metadata"].get("labels", {})):
                self._change(
                    replicaset,
                    lambda obj: obj["metadata"].update(ownerReferences=[owner_reference(deployment)]),
                )
                claimed.append(replicaset)
            elif owner and owner["uid"] == deployment["metadata"]["uid"]:
                claimed.append(replicaset)
        return sorted(claimed, key=rollout.created)

    def _newest(self, deployment: Obj, replicasets: list[Obj], new: Obj | None) -> Obj | None:
        """Return the ReplicaSet of the present template, with the latest revision; make it if there is none.

        None while Recreate still waits for old pods to end.
        """
        spec = deployment["spec"]
        old = _without(replicasets, new)
        if spec["strategy"]["type"] == "Recreate" and self._recreate_waits(deployment, old):
            return None
        revision = max((revision_of(replicaset) for replicaset in old), default=0) + 1
        if new is None:
            replicas = rollout.new_replicas(spec, None, old)
            new = self._create(deployment, revision, replicas)
        elif revision_of(new) < revision:
            self._change(new, lambda obj: raise_revision(obj, deployment, revision))
        if deployment["metadata"].get("annotations", {}).get(REVISION) != str(revision_of(new)):
            number = str(max(revision, revision_of(new)))
            self._change(
                deployment,
                lambda obj: obj["metadata"].setdefault("annotations", {}).update({REVISION: number}),
                subresource="status",
            )
        return new

    def _recreate_waits(self, deployment: Obj, old: list[Obj]) -> bool:
        self._resize(deployment, [(replicaset, 0) for replicaset in old])
        uids = {replicaset["metadata"]["uid"] for replicaset in old}
        pods = self.registry.list("pods", deployment["metadata"]["namespace"])
        return any(
            (owner := controller_of(pod)) is not None
            and owner["uid"] in uids
            and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
            for pod in pods
        )

    def _create(self, deployment: Obj, revision: int, replicas: int) -> Obj:
        wanted = replicaset_of(deployment, revision, replicas)
        namespace = deployment["metadata"]["namespace"]
        try:
            made = self.registry.create("replicasets", namespace, wanted, manager=self.name)
        except StatusError as error:
            if error.reason == "AlreadyExists":  # another template with this hash: count on to the next
                self._count_collision(deployment)
            raise
        name = made["metadata"]["name"]
        self._condition(deployment, "NewReplicaSetCreated", f'Created new replica set "{name}"')
        if replicas:
            self._event(deployment, f"Scaled up replica set {name} from 0 to {replicas}")
        return made

    def _roll(self, deployment: Obj, new: Obj, old: list[Obj]) -> None:
        spec = deployment["spec"]
        size = rollout.new_replicas(spec, new, old)
        if size != rollout.wanted(new):
            self._resize(deployment, [(new, size)])
        elif spec["strategy"]["type"] == "RollingUpdate":
            self._resize(deployment, rollout.scale_down_old(spec, new, old))
        self._annotate(deployment, new)
        if is_complete(deployment, status_of(deployment, new, old)):
            self._forget(deployment, old)

    def _resize(self, deployment: Obj, sizes: Iterable[rollout.Scale]) -> None:
        annotations = size_annotations(deployment["spec"])
        for replicaset, size in sizes:
            before = rollout.wanted(replicaset)

            def write(obj: Obj, size: int = size) -> None:
                obj["spec"]["replicas"] = size
                obj["metadata"].setdefault("annotations", {}).update(annotations)

            self._change(replicaset, write)
            if size != before:
                way, name = "up" if size > before else "down", replicaset["metadata"]["name"]
                self._event(deployment, f"Scaled {way} replica set {name} from {before} to {size}")

    def _annotate(self, deployment: Obj, replicaset: Obj) -> None:
        """Copy the Deployment's size and annotations to the newest ReplicaSet."""
        annotations = {**copied_annotations(deployment), **size_annotations(deployment["spec"])}
        self._change(
            replicaset, lambda obj: obj["metadata"].setdefault("annotations", {}).update(annotations)
        )

    def _forget(self, deployment: Obj, old: list[Obj]) -> None:
        """Delete the oldest empty ReplicaSets beyond revisionHistoryLimit."""
        kept = deployment["spec"].get("revisionHistoryLimit", 10)
        empty = [rs for rs in old if not rollout.wanted(rs) and not rs.get("status", {}).get("replicas")]
        for replicaset in sorted(empty, key=revision_of)[: max(0, len(old) - kept)]:
            self.registry.delete("replicasets", *key(replicaset))

    def _report(self, deployment: Obj) -> float | None:
        """Write the status; return the seconds until the progress deadline, if one runs."""
        fresh = self.registry.get("deployments", *key(deployment))
        replicasets = self._claim(fresh)
        new = find_new(fresh, replicasets)
        status = status_of(fresh, new, _without(replicasets, new))
        self._change(fresh, lambda obj: obj.update(status=status), subresource="status")
        found = condition({"status": status}, "Progressing")
        if found is None or found["status"] != "True" or found["reason"] == "NewReplicaSetAvailable":
            return None
        return max(0.0, deadline_in(fresh, found)) + 1

    def _condition(self, deployment: Obj, reason: str, message: str) -> None:
        def write(obj: Obj) -> None:
            status = obj.setdefault("status", {})
            new = progressing("True", reason, message)
            status["conditions"] = put_last(status.get("conditions", ()), new)

        self._change(deployment, write, subresource="status")

    def _count_collision(self, deployment: Obj) -> None:
        def write(obj: Obj) -> None:
            status = obj.setdefault("status", {})
            status["collisionCount"] = status.get("collisionCount", 0) + 1

        self._change(deployment, write, subresource="status")

    def _change(self, obj: Obj, write: Any, subresource: str = "") -> None:
        """Write to the stored object and bring `obj` itself up to date."""
        plural = {"Deployment": "deployments", "ReplicaSet": "replicasets"}[obj["kind"]]
        fresh = self.registry.mutate(plural, *key(obj), write, manager=self.name, subresource=subresource)
        if fresh is not None:
            obj.update(fresh)

    def _event(self, deployment: Obj, message: str) -> None:
        self.registry.record_event(deployment, "Normal", "ScalingReplicaSet", message, component=COMPONENT)


def _without(replicasets: list[Obj], new: Obj | None) -> list[Obj]:
    return [replicaset for replicaset in replicasets if replicaset is not new]
