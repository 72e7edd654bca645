"""kata_lib.course.beginning on the embedded engine's API: what is set right, what is a person's own."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from api_server import Api, StartApi
from shell import Shell

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.location import MANAGED_BY
from kata_lib.course import beginning, originals, service
from kata_lib.course.beginning import Begun
from kata_lib.course.exercises import step
from kata_lib.mesh import weights
from kata_lib.mesh.virtual_services import ISTIO

V1, V2, V3 = "deploy/v1", "deploy/v2", "deploy/v3-faulty"
CANARY, PROMOTE = "deploy/virtual-service-canary.yaml", "deploy/virtual-service-canary-promote.yaml"
CANARY_V3 = "deploy/virtual-service-canary-v3.yaml"
APPS = "apps/v1"
BY_HAND = {"fieldManager": "kubectl-edit"}


@pytest.fixture
def cluster(start_api: StartApi) -> Cluster:
    """A namespace that is where the step observe begins."""
    return start_api(V1, V2, CANARY).cluster()


def begin(cluster: Cluster, name: str = "observe") -> Begun:
    return beginning.begin(cluster, step(name))


def by_hand(cluster: Cluster, kind: str, name: str, body: Obj, version: str = APPS) -> None:
    """Change an object as `kubectl edit` does."""
    path = cluster.api.path(version, kind, name)
    cluster.api.request("PATCH", path, body, content_type="application/merge-patch+json", query=BY_HAND)


def route(v1: int, v2: int, **more: Any) -> Obj:
    destinations = [("name-v1", v1), ("name-v2", v2)]
    entries = [{"destination": {"host": "name", "subset": s}, "weight": w} for s, w in destinations]
    return {"spec": {"http": [{"route": entries, **more}]}}


def container(**fields: Any) -> Obj:
    original = originals.manifests(f"{V2}/name-v2.yaml")[0]["spec"]["template"]["spec"]["containers"][0]
    return {"spec": {"template": {"spec": {"containers": [{**original, **fields}]}}}}


def made(kind: str, version: str, name: str, **spec: Any) -> Obj:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


Make = Callable[[Cluster], object]


def each(*steps: Make) -> Make:
    return lambda cluster: [do(cluster) for do in steps]


def test_nothing_is_said_where_a_step_can_begin(cluster: Cluster) -> None:
    assert begin(cluster) == Begun([])


def test_what_argo_rollouts_adds_to_subsets_is_no_difference(cluster: Cluster) -> None:
    """It says of which pods a subset is now; by a person's hand the same label is one."""
    subsets = cluster.get(ISTIO, "DestinationRule", "name")["spec"]["subsets"]  # type: ignore[index]
    for subset in subsets:
        subset["labels"]["rollouts-pod-template-hash"] = "6d49777c"
    path = cluster.api.path(ISTIO, "DestinationRule", "name")
    for manager, found in (("rollouts-controller", 0), ("kubectl-edit", 1)):
        body = {"spec": {"subsets": copy.deepcopy(subsets)}}
        query = {"fieldManager": manager}
        cluster.api.request("PATCH", path, body, content_type="application/merge-patch+json", query=query)
        assert len(beginning.differences(cluster, step("observe"))) == found
        subsets[0]["labels"]["rollouts-pod-template-hash"] = "by-hand"


OURS: dict[str, tuple[Make, str]] = {
    "the slider, or kata weights": (
        lambda c: weights.set_weights(c, "name", {"name-v2": 24}),
        "set back VirtualService name (spec.http[0].route[name-v1].weight 76 → 90, "
        "spec.http[0].route[name-v2].weight 24 → 10)",
    ),
    "the promote file": (lambda c: c.apply(PROMOTE), "route[name-v2].weight 100 → 10"),
    "lab.scale": (lambda c: c.scale("name-v2", 3), "set back Deployment name-v2 (spec.replicas 3 → 1)"),
    "kubectl scale as notebook 02 asks": (
        lambda c: by_hand(c, "Deployment", "name-v2", {"spec": {"replicas": 4}}),
        "set back Deployment name-v2 (spec.replicas 4 → 1)",
    ),
    "the faulty version": (
        each(lambda c: c.apply(V3), lambda c: c.apply(CANARY_V3)),
        f"removed DestinationRule name-v3 ({V3}/destination-rule.yaml), Deployment name-v3 ({V3}/name-v3",
    ),
    "several at once": (
        each(
            lambda c: c.scale("name-v2", 3),
            lambda c: weights.set_weights(c, "name", {"name-v2": 24}),
            lambda c: c.delete(f"{V1}/age.yaml"),
        ),
        "set up Service age, Deployment age.",
    ),
}


@pytest.mark.parametrize("name", OURS)
def test_what_the_workshop_made_otherwise_is_set_right_in_one_line(cluster: Cluster, name: str) -> None:
    make, said = OURS[name]
    make(cluster)
    begun = begin(cluster)
    assert len(begun.lines) == 1
    assert begun.lines[0].startswith("Brought to where this step begins: ")
    assert said in begun.lines[0]
    assert not begun.kept
    assert beginning.differences(cluster, step("observe")) == []


OWN: dict[str, tuple[Make, str]] = {
    "weights by hand": (
        lambda c: by_hand(c, "VirtualService", "name", route(60, 40), ISTIO),
        "VirtualService name (spec.http[0].route[name-v1].weight 60 → 90, "
        f"spec.http[0].route[name-v2].weight 40 → 10). To make it so: kubectl apply -f {CANARY}",
    ),
    "retries by hand": (
        lambda c: by_hand(c, "VirtualService", "name", route(90, 10, retries={"attempts": 2}), ISTIO),
        'VirtualService name (spec.http[0].retries {"attempts": 2} → none)',
    ),
    "retries by hand, then the slider": (
        each(
            lambda c: by_hand(c, "VirtualService", "name", route(90, 10, timeout="2s"), ISTIO),
            lambda c: weights.set_weights(c, "name", {"name-v2": 24}),
        ),
        "VirtualService name",
    ),
    "replicas by hand": (
        lambda c: by_hand(c, "Deployment", "name-v2", {"spec": {"replicas": 7}}),
        f"Deployment name-v2 (spec.replicas 7 → 1). To make it so: kubectl apply -f {V2}/name-v2.yaml",
    ),
    "another image": (
        lambda c: by_hand(c, "Deployment", "name-v2", container(image="kata/sentences:v3")),
        'containers[name].image "kata/sentences:v3" → "kata/sentences:v2"',
    ),
    "a command": (
        lambda c: by_hand(c, "Deployment", "name-v2", container(args=["--slow"])),
        'containers[name].args ["--slow"] → none',
    ),
    "a label of the pods": (
        lambda c: by_hand(
            c, "Deployment", "name-v2", {"spec": {"template": {"metadata": {"labels": {"tier": "web"}}}}}
        ),
        '"tier": "web"} → {"app": "name", "version": "v2"})',
    ),
    "a roll-out that is paused": (
        lambda c: by_hand(c, "Deployment", "name-v2", {"spec": {"paused": True}}),
        "Deployment name-v2 (spec.paused true → false)",
    ),
    "another selector": (
        lambda c: by_hand(c, "Service", "name", {"spec": {"selector": {"version": "v1"}}}, "v1"),
        'Service name (spec.selector {"app": "name", "version": "v1"} → {"app": "name"})',
    ),
    "another port": (
        lambda c: by_hand(
            c,
            "Service",
            "name",
            {"spec": {"ports": [{"name": "tcp", "port": 5000, "targetPort": 5000}]}},
            "v1",
        ),
        'Service name (spec.ports[http].name "tcp" → "http")',
    ),
    "another type": (
        lambda c: by_hand(c, "Service", "sentences", {"spec": {"type": "ClusterIP"}}, "v1"),
        'Service sentences (spec.type "ClusterIP" → "NodePort"',
    ),
    "a rule of another name for our host": (
        lambda c: c.create(
            made("VirtualService", ISTIO, "mine", hosts=["name"], http=route(1, 1)["spec"]["http"])
        ),
        "VirtualService mine (it speaks for name). To make it so: kubectl delete virtualservice",
    ),
    "a rule for every host": (
        lambda c: c.create(made("DestinationRule", ISTIO, "all", host="*.svc.cluster.local")),
        "DestinationRule all (it speaks for *.svc.cluster.local)",
    ),
    "a pod of their own behind our Service": (
        lambda c: c.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "mine", "labels": {"app": "name"}},
                "spec": {"containers": [{"name": "name", "image": "kata/sentences:v1"}]},
            }
        ),
        "Pod mine (the Service name chooses its pods)",
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_a_persons_own_work_is_said_and_kept_and_the_line_makes_it_so(
    start_api: StartApi, tmp_path: Path, name: str
) -> None:
    api = start_api(V1, V2, CANARY)
    cluster, (make, said) = api.cluster(), OWN[name]
    make(cluster)
    before = beginning.differences(cluster, step("observe"))
    begun = begin(cluster)
    assert said in begun.lines[0]
    assert begun.lines[0].startswith("Not as this step begins, and kept: ")
    assert 'open_lab(step="observe", reset=True)' in begun.lines[-1]
    assert len(begun.lines) == 2
    assert [str(d) for d in beginning.differences(cluster, step("observe"))] == [str(d) for d in before]
    Shell(api, tmp_path / "shell")(begun.lines[0].partition("To make it so: ")[2])
    assert beginning.differences(cluster, step("observe")) == []


def test_beside_a_persons_own_work_the_workshops_is_kept_too_and_said(cluster: Cluster) -> None:
    cluster.scale("name-v2", 4)
    by_hand(cluster, "VirtualService", "name", route(60, 40), ISTIO)
    cluster.delete(f"{V1}/age.yaml")
    begun = begin(cluster)
    assert begun.lines[0] == "Missing for this step, and set up now: Service age, Deployment age."
    assert [line.split("kept: ")[1].split(" (")[0] for line in begun.lines[1:3]] == [
        "Deployment name-v2",
        "VirtualService name",
    ]
    assert not begun.is_as_it_should_be("Deployment", "name-v2")
    assert begun.is_as_it_should_be("Deployment", "name-v1")


def test_an_edited_file_is_a_persons_own_even_where_the_slider_moved_on(cluster: Cluster) -> None:
    edited = originals.manifests(CANARY)[1]
    edited["spec"]["http"][0]["retries"] = {"attempts": 2}
    cluster.apply_object(edited)
    service.set_weights(cluster, {"name-v2": 24})
    assert [d.ours for d in beginning.differences(cluster, step("observe"))] == [False]


def test_what_others_hold_in_the_namespace_stays_and_is_no_difference(cluster: Cluster) -> None:
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes"}})
    cluster.create(made("VirtualService", ISTIO, "shop", hosts=["shop"], http=route(1, 1)["spec"]["http"]))
    cluster.patch(ISTIO, "VirtualService", "name", {"metadata": {"annotations": {"note": "mine"}}})
    service.set_weights(cluster, {"name-v2": 24})
    begin(cluster)
    assert cluster.get("v1", "ConfigMap", "notes")
    assert cluster.get(ISTIO, "VirtualService", "shop")
    live = cluster.get(ISTIO, "VirtualService", "name")
    assert live
    assert live["metadata"]["annotations"]["note"] == "mine"
    assert service.in_force(cluster).versions == {"v1": 0.9, "v2": 0.1}


def test_pods_older_than_the_namespaces_label_are_made_anew(start_api: StartApi) -> None:
    cluster = start_api(V1, V2, injection=False).cluster()
    cluster.enable_injection()
    assert "new pods for Deployment age (pods without a sidecar)" in begin(cluster, "canary").lines[0]
    assert all(len(pod["spec"]["containers"]) == 2 for pod in cluster.pods())


def test_in_a_namespace_of_others_their_objects_are_theirs(start_api: StartApi) -> None:
    api: Api = start_api(V1)
    cluster = Cluster(api.kubeconfig, node_host="127.0.0.9", shared=True)
    path = cluster.api.path("v1", "Service", "name")
    cluster.api.request("DELETE", path)
    cluster.create(made("Service", "v1", "name", selector={"app": "theirs"}, ports=[{"port": 5000}]))
    (difference,) = beginning.differences(cluster, step("deploy"))
    assert not difference.ours
    assert difference.line == "export KATA_NAMESPACE=other"
    assert MANAGED_BY not in str(difference)
