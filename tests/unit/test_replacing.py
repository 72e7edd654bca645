"""kata_lib.cluster.replacing: a reset brings the step's start from whatever a person has in the namespace."""

import pytest
from api_server import Api, StartApi

from kata_lib.cluster import inventory, replacing
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.location import MANAGED_BY
from kata_lib.cluster.replacing import replace
from kata_lib.course import originals
from kata_lib.errors import ClusterError

V1, V2, CANARY = "deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml"
APPS = "apps/v1"
START = originals.manifests(V1, V2)
HELD = {"finalizers": ["example.com/hold"]}


def config_map(name: str, **metadata: object) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}


def pod(name: str, **labels: str) -> Obj:
    container = {"name": "a", "image": "kata/sentences:v1"}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def service(name: str, **spec: object) -> Obj:
    ports = [{"port": 5000}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": ports, **spec},
    }


def job(name: str) -> Obj:
    template = {"spec": {"containers": pod("a")["spec"]["containers"], "restartPolicy": "Never"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": template},
    }


def relabelled(cluster: Cluster, name: str, **labels: str) -> None:
    """Put a Deployment of the same name with other labels in place of one."""
    live = cluster.get(APPS, "Deployment", name)
    assert live
    cluster.remove(APPS, "Deployment", name)
    spec = {**live["spec"], "selector": {"matchLabels": labels}}
    spec["template"]["metadata"]["labels"] = labels
    metadata = {"name": name, "labels": labels}
    cluster.create({"apiVersion": APPS, "kind": "Deployment", "metadata": metadata, "spec": spec})


def there(cluster: Cluster) -> set[tuple[str, str]]:
    """Return kind and name of what is in the namespace, but for what others own."""
    return {(obj["kind"], obj["metadata"]["name"]) for obj in inventory.contents(cluster)}


def reset(cluster: Cluster) -> list[str]:
    return replace(cluster, START, originals.is_ours)


@pytest.fixture
def cluster(start_api: StartApi) -> Cluster:
    return start_api(V1, V2).cluster()


WANTED = {(obj["kind"], obj["metadata"]["name"]) for obj in START}


def is_the_start(cluster: Cluster) -> bool:
    """Return whether nothing is there but what the step wants, and its pods, each with a sidecar."""
    pods = cluster.pods()
    return (
        there(cluster) == WANTED
        and len(pods) == 5
        and all(len(pod["spec"]["containers"]) == 2 for pod in pods)
        and all(len(cluster.objects("v1", "Pod", f"app={app}")) for app in ("age", "name", "sentences"))
        and reset(cluster) == []
    )


def test_a_namespace_that_is_the_start_stays_so(cluster: Cluster) -> None:
    assert is_the_start(cluster)


def test_whatever_others_teach_is_gone(cluster: Cluster) -> None:
    made = [config_map("mine"), pod("lone", app="name", version="v1"), service("extra"), job("once")]
    for obj in made:
        cluster.create(obj)
    cluster.apply(CANARY)
    lines = reset(cluster)
    assert {
        f"{name} deleted" for name in ("configmap/mine", "pod/lone", "service/extra", "job.batch/once")
    } <= {*lines}
    assert is_the_start(cluster)


@pytest.mark.parametrize("name", ["age", "name-v1", "name-v2", "sentences"])
def test_what_cannot_be_changed_is_made_anew(cluster: Cluster, name: str) -> None:
    relabelled(cluster, name, app="sentences", mode="other")
    assert any(line.startswith(f"deployment.apps/{name} deleted and created") for line in reset(cluster))
    assert is_the_start(cluster)


def test_a_service_without_an_address_gets_one(cluster: Cluster) -> None:
    cluster.remove("v1", "Service", "age")
    cluster.create(service("age", clusterIP="None", selector={"app": "age"}))
    reset(cluster)
    live = cluster.get("v1", "Service", "age")
    assert live
    assert live["spec"]["clusterIP"] != "None"
    assert is_the_start(cluster)


def test_pods_without_a_sidecar_get_one(start_api: StartApi) -> None:
    cluster = start_api(V1, V2, injection=False).cluster()
    cluster.enable_injection()
    assert sum(line.endswith("deleted: it had no sidecar") for line in reset(cluster)) == 5
    assert is_the_start(cluster)


def test_what_somebody_holds_is_said_and_the_rest_is_done(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replacing, "HELD_SECONDS", 0.0)
    cluster.create(config_map("held", **HELD))
    cluster.create(config_map("mine"))
    lines = reset(cluster)
    assert "configmap/mine deleted" in lines
    assert "configmap/held deleted" not in lines
    assert any("its finalizer example.com/hold asks to wait" in line for line in lines)
    cluster.patch("v1", "ConfigMap", "held", {"metadata": {"finalizers": None}})
    assert is_the_start(cluster)


def test_what_is_wanted_and_held_is_an_error_that_says_what_to_do(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replacing, "HELD_SECONDS", 0.0)
    cluster.patch("v1", "Service", "age", {"metadata": HELD})
    cluster.remove("v1", "Service", "age")
    with pytest.raises(ClusterError, match=r"service/age is still there.*kubectl patch service/age"):
        reset(cluster)
    cluster.patch("v1", "Service", "age", {"metadata": {"finalizers": None}})
    reset(cluster)
    assert is_the_start(cluster)


def shared(api: Api, cluster: Cluster, labels: dict[str, str]) -> Cluster:
    """Return the cluster as one that other people use, its namespace with these labels."""
    cluster.api.request(
        "PATCH",
        "/api/v1/namespaces/default",
        {"metadata": {"labels": labels}},
        content_type="application/merge-patch+json",
    )
    return Cluster(api.kubeconfig, node_host=cluster.node_host, shared=True)


def test_in_a_namespace_that_others_use_only_ours_is_touched(start_api: StartApi) -> None:
    api = start_api(V1, V2, CANARY)
    cluster = shared(api, api.cluster(), {})
    cluster.create(config_map("theirs"))
    cluster.create(service("shop"))
    lines = reset(cluster)
    assert "virtualservice.networking.istio.io/name deleted" in lines
    assert lines[-1] == "Left as they are, since others made them: configmap/theirs, service/shop."
    assert there(cluster) == WANTED | {("ConfigMap", "theirs"), ("Service", "shop")}


def test_what_is_not_ours_is_not_replaced(start_api: StartApi) -> None:
    api = start_api(V1, V2, CANARY)
    cluster = shared(api, api.cluster(), {})
    cluster.remove("v1", "Service", "name")
    cluster.create(service("name"))
    with pytest.raises(ClusterError, match=r"has service/name that others made.*Nothing was changed"):
        reset(cluster)
    assert ("VirtualService", "name") in there(cluster)


def test_a_namespace_that_the_workshop_made_is_the_learners_own(start_api: StartApi) -> None:
    api = start_api(V1, V2)
    cluster = shared(api, api.cluster(), {MANAGED_BY: "canary-kata"})
    cluster.create(config_map("mine"))
    assert "configmap/mine deleted" in reset(cluster)
