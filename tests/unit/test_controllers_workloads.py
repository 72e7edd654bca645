"""Deployments, ReplicaSets and the scheduler over a registry in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from control_plane import deployment, make_ready, make_registry, names, pod, settled

from kata_lib.engines.embedded.controllers import (
    Controller,
    DeploymentController,
    GarbageCollector,
    ReplicaSetController,
    Scheduler,
)
from kata_lib.engines.embedded.controllers.revisions import REVISION
from kata_lib.engines.embedded.objects import condition, controller_of
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.store import Obj

STRATEGIC = "application/strategic-merge-patch+json"


@dataclass
class Plane:
    registry: Registry
    controllers: list[Controller[Any]]

    async def settle(self, ready: bool = True) -> None:
        """Let controllers work; pods become ready, and those that are deleted go, until nothing changes."""
        while True:
            await settled(*self.controllers)
            before = self.registry.store.revision
            for found in self.registry.list("pods", "default"):
                name = found["metadata"]["name"]
                if "deletionTimestamp" in found["metadata"]:
                    self.registry.delete("pods", "default", name, grace_seconds=0)
                elif ready and not condition(found, "Ready"):
                    make_ready(self.registry, name)
            if self.registry.store.revision == before:
                return

    def change(self, **spec: Any) -> None:
        self.registry.patch("deployments", "default", "web", {"spec": spec}, STRATEGIC, manager="test")

    def change_template(self, value: str) -> None:
        container = {"name": "main", "env": [{"name": "V", "value": value}]}
        self.change(template={"spec": {"containers": [container]}})

    def status(self) -> Obj:
        found: Obj = self.registry.get("deployments", "default", "web")["status"]
        return found

    def events(self, kind: str) -> list[str]:
        found = self.registry.list("events", "default", fields=f"involvedObject.kind={kind}")
        return [event["message"] for event in found]


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    registry = make_registry()
    controllers: list[Controller[Any]] = [
        DeploymentController(registry),
        ReplicaSetController(registry),
        Scheduler(registry, "node"),
        GarbageCollector(registry),
    ]
    for controller in controllers:
        controller.start()
    yield Plane(registry, controllers)
    for controller in controllers:
        controller.stop()


async def test_a_deployment_makes_a_replicaset_that_makes_pods(plane: Plane) -> None:
    plane.registry.create("deployments", "default", deployment(), manager="test")
    await plane.settle(ready=False)
    [replicaset] = plane.registry.list("replicasets", "default")
    hash_ = replicaset["spec"]["selector"]["matchLabels"]["pod-template-hash"]
    assert replicaset["metadata"]["name"] == f"web-{hash_}"
    assert set(hash_) <= set("456789bcdf")
    pods = plane.registry.list("pods", "default")
    assert [controller_of(found)["name"] for found in pods] == [f"web-{hash_}"] * 2  # type: ignore[index]
    assert {found["spec"]["nodeName"] for found in pods} == {"node"}
    assert plane.events("Deployment") == [f"Scaled up replica set web-{hash_} from 0 to 2"]
    found = condition({"status": plane.status()}, "Available")
    assert found is not None
    assert (found["status"], found["reason"]) == ("False", "MinimumReplicasUnavailable")


async def test_a_deployment_is_complete_when_all_pods_are_ready(plane: Plane) -> None:
    plane.registry.create("deployments", "default", deployment(), manager="test")
    await plane.settle()
    status = plane.status()
    counts = {
        name: status[name] for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    }
    assert set(counts.values()) == {2}
    assert "unavailableReplicas" not in status
    progress = condition({"status": status}, "Progressing")
    assert progress is not None
    assert progress["reason"] == "NewReplicaSetAvailable"
    assert progress["message"].endswith("has successfully progressed.")


async def test_a_new_template_is_rolled_out_and_back(plane: Plane) -> None:
    plane.registry.create("deployments", "default", deployment(), manager="test")
    await plane.settle()
    [first] = names(plane.registry, "replicasets")
    plane.change_template("2")
    await plane.settle()
    sizes = {rs["metadata"]["name"]: rs["spec"]["replicas"] for rs in plane.registry.list("replicasets")}
    assert sizes.pop(first) == 0
    assert list(sizes.values()) == [2]
    assert _revision(plane) == "2"
    plane.change_template("1")
    await plane.settle()
    again = plane.registry.get("replicasets", "default", first)
    assert again["spec"]["replicas"] == 2
    assert again["metadata"]["annotations"][REVISION] == _revision(plane) == "3"
    assert again["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"


def _revision(plane: Plane) -> str:
    annotations = plane.registry.get("deployments", "default", "web")["metadata"]["annotations"]
    return str(annotations[REVISION])


async def test_recreate_ends_all_old_pods_first(plane: Plane) -> None:
    wanted = deployment(strategy={"type": "Recreate"})
    plane.registry.create("deployments", "default", wanted, manager="test")
    await plane.settle()
    [first] = names(plane.registry, "replicasets")
    plane.change_template("2")
    await settled(*plane.controllers)
    assert names(plane.registry, "replicasets") == [first]
    await plane.settle()
    assert plane.status()["updatedReplicas"] == 2


async def test_a_paused_deployment_scales_but_does_not_roll(plane: Plane) -> None:
    plane.registry.create("deployments", "default", deployment(paused=True), manager="test")
    await plane.settle()
    assert names(plane.registry, "pods") == []
    plane.change(paused=False)
    await plane.settle()
    plane.change(paused=True, replicas=3)
    plane.change_template("2")
    await plane.settle()
    assert len(names(plane.registry, "replicasets")) == 1
    assert len(names(plane.registry, "pods")) == 3
    found = condition({"status": plane.status()}, "Progressing")
    assert found is not None
    assert found["reason"] == "DeploymentPaused"


async def test_old_revisions_beyond_the_limit_go(plane: Plane) -> None:
    wanted = deployment(replicas=1, revisionHistoryLimit=1)
    plane.registry.create("deployments", "default", wanted, manager="test")
    for version in ("1", "2", "3", "4"):
        plane.change_template(version)
        await plane.settle()
    assert len(names(plane.registry, "replicasets")) == 2


async def test_a_replicaset_adopts_a_matching_orphan_and_replaces_a_deleted_pod(plane: Plane) -> None:
    plane.registry.create("deployments", "default", deployment(replicas=1), manager="test")
    await plane.settle()
    [mine] = names(plane.registry, "pods")
    labels = plane.registry.get("pods", "default", mine)["metadata"]["labels"]
    plane.registry.delete("pods", "default", mine)
    await plane.settle()
    [new] = names(plane.registry, "pods")
    assert new != mine
    plane.registry.create("pods", "default", pod("orphan", labels), manager="test")
    await plane.settle()
    assert len(names(plane.registry, "pods")) == 1


async def test_a_pod_that_loses_its_labels_is_let_go_and_replaced(plane: Plane) -> None:
    plane.registry.create("deployments", "default", deployment(replicas=1), manager="test")
    await plane.settle()
    [mine] = names(plane.registry, "pods")
    body = {"metadata": {"labels": {"app": "other"}}}
    plane.registry.patch("pods", "default", mine, body, STRATEGIC, manager="test")
    await plane.settle()
    assert len(names(plane.registry, "pods")) == 2
    assert controller_of(plane.registry.get("pods", "default", mine)) is None


async def test_scaling_down_spares_the_ready_pods(plane: Plane) -> None:
    plane.registry.create("deployments", "default", deployment(replicas=3), manager="test")
    await plane.settle(ready=False)
    kept = names(plane.registry, "pods")[1]
    make_ready(plane.registry, kept)
    plane.change(replicas=1)
    await plane.settle(ready=False)
    assert names(plane.registry, "pods") == [kept]


async def test_deleting_the_deployment_deletes_what_it_owns(plane: Plane) -> None:
    plane.registry.create("deployments", "default", deployment(), manager="test")
    await plane.settle()
    plane.registry.delete("deployments", "default", "web")
    await plane.settle()
    assert names(plane.registry, "replicasets") == names(plane.registry, "pods") == []


async def test_foreground_deletion_waits_for_what_is_owned(plane: Plane) -> None:
    plane.registry.create("deployments", "default", deployment(), manager="test")
    await plane.settle()
    plane.registry.delete("deployments", "default", "web", propagation="Foreground")
    await settled(*plane.controllers)
    assert names(plane.registry, "deployments") == ["web"]
    await plane.settle()
    assert names(plane.registry, "deployments") == names(plane.registry, "pods") == []


async def test_orphaned_replicasets_stay(plane: Plane) -> None:
    plane.registry.create("deployments", "default", deployment(), manager="test")
    await plane.settle()
    plane.registry.delete("deployments", "default", "web", propagation="Orphan")
    await plane.settle()
    assert names(plane.registry, "deployments") == []
    assert len(names(plane.registry, "replicasets")) == 1
    assert len(names(plane.registry, "pods")) == 2
