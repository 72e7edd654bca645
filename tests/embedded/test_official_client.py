"""The official Kubernetes client of Python finds here what it expects of an API server."""

import pytest
from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException

from embedded.engine_cluster import Cluster

NAMESPACE = "default"


@pytest.fixture(scope="module")
def api(cluster: Cluster) -> client.ApiClient:
    return config.new_client_from_config(str(cluster.location.kubeconfig))


def test_typed_objects(api: client.ApiClient) -> None:
    deployment = client.AppsV1Api(api).read_namespaced_deployment("name-v1", NAMESPACE)
    assert deployment.status.available_replicas == 2
    slices = client.DiscoveryV1Api(api).list_namespaced_endpoint_slice(
        NAMESPACE, label_selector="kubernetes.io/service-name=name"
    )
    assert [endpoint.conditions.ready for endpoint in slices.items[0].endpoints] == [True] * 3


def test_dynamic_objects_of_istio(api: client.ApiClient) -> None:
    rules = dynamic.DynamicClient(api).resources.get(
        api_version="networking.istio.io/v1", kind="DestinationRule"
    )
    body = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "age"},
        "spec": {"host": "age"},
    }
    assert rules.create(body=body, namespace=NAMESPACE).spec.host == "age"
    patched = rules.server_side_apply(
        body={**body, "spec": {"host": "age", "subsets": [{"name": "all"}]}},
        namespace=NAMESPACE,
        name="age",
        field_manager="test",
        force_conflicts=True,
    )
    assert patched.spec.subsets[0].name == "all"
    assert {entry.manager for entry in patched.metadata.managedFields} >= {"test"}
    rules.delete(name="age", namespace=NAMESPACE)
    with pytest.raises(ApiException) as refused:
        rules.get(name="age", namespace=NAMESPACE)
    assert refused.value.status == 404


def test_a_watch_tells_what_happens(api: client.ApiClient) -> None:
    core = client.CoreV1Api(api)
    name = "watched"
    begin = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": name}, "data": {"a": "1"}})
    core.patch_namespaced_config_map(name, NAMESPACE, {"data": {"a": "2"}})
    core.delete_namespaced_config_map(name, NAMESPACE)
    seen = [
        (event["type"], event["object"].data["a"])
        for event in watch.Watch().stream(
            core.list_namespaced_config_map,
            NAMESPACE,
            resource_version=begin,
            field_selector=f"metadata.name={name}",
            timeout_seconds=1,
        )
    ]
    assert seen == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]
