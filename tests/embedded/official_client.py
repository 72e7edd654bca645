"""What a program does with the official Kubernetes client, of whichever release: prints its answers as JSON.

    python official_client.py KUBECONFIG NAMESPACE

The namespace is there, and empty. A step that fails answers with the error's text.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.exceptions import ApiException

KUBECONFIG, NAMESPACE = sys.argv[1:]
API = config.new_client_from_config(KUBECONFIG)
CORE, APPS = client.CoreV1Api(API), client.AppsV1Api(API)
RULE = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "DestinationRule",
    "metadata": {"name": "age"},
    "spec": {"host": "age"},
}
RULES = ("networking.istio.io", "v1", NAMESPACE, "destinationrules")
STEPS: list[Callable[[], Any]] = []


def step(function: Callable[[], Any]) -> Callable[[], Any]:
    STEPS.append(function)
    return function


@step
def discovery() -> Any:
    groups = {group.name for group in client.ApisApi(API).get_api_versions().groups}
    return [
        client.VersionApi(API).get_code().major,
        client.CoreApi(API).get_api_versions().versions,
        sorted(groups & {"apps", "networking.istio.io"}),
        client.AppsApi(API).get_api_group().preferred_version.version,
        "deployments" in {found.name for found in APPS.get_api_resources().resources},
    ]


@step
def typed_lists() -> Any:
    found = [
        CORE.list_namespace(),
        CORE.list_node(),
        CORE.list_pod_for_all_namespaces(),
        CORE.list_service_for_all_namespaces(),
        CORE.list_event_for_all_namespaces(),
        CORE.list_namespaced_secret(NAMESPACE),
        CORE.list_namespaced_service_account(NAMESPACE),
        APPS.list_replica_set_for_all_namespaces(),
        client.DiscoveryV1Api(API).list_endpoint_slice_for_all_namespaces(),
        client.ApiextensionsV1Api(API).list_custom_resource_definition(),
        client.CoordinationV1Api(API).list_lease_for_all_namespaces(),
        client.RbacAuthorizationV1Api(API).list_cluster_role(),
        client.NetworkingV1Api(API).list_ingress_for_all_namespaces(),
        client.BatchV1Api(API).list_job_for_all_namespaces(),
        client.PolicyV1Api(API).list_pod_disruption_budget_for_all_namespaces(),
        client.AutoscalingV2Api(API).list_horizontal_pod_autoscaler_for_all_namespaces(),
    ]
    return [type(one).__name__ for one in found]


@step
def a_deployment_is_made() -> Any:
    container = client.V1Container(
        name="age", image="kata/sentences:v1", env=[client.V1EnvVar(name="SENTENCE_MODE", value="age")]
    )
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels={"app": "age"}),
        spec=client.V1PodSpec(containers=[container], termination_grace_period_seconds=1),
    )
    spec = client.V1DeploymentSpec(
        replicas=1, selector=client.V1LabelSelector(match_labels={"app": "age"}), template=template
    )
    wanted = client.V1Deployment(metadata=client.V1ObjectMeta(name="age"), spec=spec)
    made = APPS.create_namespaced_deployment(NAMESPACE, wanted)
    return [made.metadata.generation, made.spec.strategy.type]


@step
def it_is_patched() -> Any:
    patched = APPS.patch_namespaced_deployment("age", NAMESPACE, {"metadata": {"labels": {"a": "b"}}})
    body = [{"op": "replace", "path": "/metadata/labels/a", "value": "c"}]
    again = APPS.patch_namespaced_deployment("age", NAMESPACE, body)
    return [patched.metadata.labels, again.metadata.labels]


@step
def it_is_scaled() -> Any:
    APPS.patch_namespaced_deployment_scale("age", NAMESPACE, {"spec": {"replicas": 2}})
    return APPS.read_namespaced_deployment_scale("age", NAMESPACE).spec.replicas


@step
def it_is_replaced() -> Any:
    for _ in range(20):
        found = APPS.read_namespaced_deployment("age", NAMESPACE)
        found.metadata.annotations = {"note": "here"}
        try:
            return APPS.replace_namespaced_deployment("age", NAMESPACE, found).metadata.annotations["note"]
        except ApiException as error:
            if error.status != 409:
                raise
    return "its status changed each time"


@step
def a_pod_is_waited_for_and_its_log_read() -> Any:
    stream = watch.Watch().stream(
        CORE.list_namespaced_pod, NAMESPACE, label_selector="app=age", timeout_seconds=60
    )
    for event in stream:
        conditions = {found.type: found.status for found in event["object"].status.conditions or ()}
        if conditions.get("Ready") == "True":
            return _has_written(event["object"].metadata.name)
    return "no pod became ready"


def _has_written(pod: str) -> bool:
    for _ in range(300):
        if "age listens on" in CORE.read_namespaced_pod_log(pod, NAMESPACE, container="age", tail_lines=1):
            return True
        time.sleep(0.1)
    return False


@step
def istios_objects() -> Any:
    api = client.CustomObjectsApi(API)
    api.create_namespaced_custom_object(*RULES, RULE)
    patched = api.patch_namespaced_custom_object(*RULES, "age", {"spec": {"subsets": [{"name": "all"}]}})
    api.delete_namespaced_custom_object(*RULES, "age")
    return patched["spec"]


@step
def istios_objects_dynamically() -> Any:
    rules = dynamic.DynamicClient(API).resources.get(
        api_version="networking.istio.io/v1", kind="DestinationRule"
    )
    made = rules.create(body=RULE, namespace=NAMESPACE)
    body = {**RULE, "spec": {"host": "age", "subsets": [{"name": "all"}]}}
    options = {"name": "age", "namespace": NAMESPACE, "field_manager": "test", "force_conflicts": True}
    applied = rules.server_side_apply(body=body, **options)
    managers = {entry.manager for entry in applied.metadata.managedFields}
    rules.delete(name="age", namespace=NAMESPACE)
    return [made.spec.host, applied.spec.subsets[0].name, "test" in managers]


@step
def what_is_not_there() -> Any:
    try:
        CORE.read_namespaced_config_map("nothing", NAMESPACE)
    except ApiException as error:
        return [error.status, error.reason, json.loads(error.body)["message"]]


@step
def a_watch() -> Any:
    begin = CORE.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    CORE.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "watched"}, "data": {"a": "1"}})
    CORE.patch_namespaced_config_map("watched", NAMESPACE, {"data": {"a": "2"}})
    CORE.delete_namespaced_config_map("watched", NAMESPACE)
    events = watch.Watch().stream(
        CORE.list_namespaced_config_map,
        NAMESPACE,
        resource_version=begin,
        field_selector="metadata.name=watched",
        timeout_seconds=1,
    )
    return [[event["type"], event["object"].data["a"]] for event in events]


@step
def a_manifest() -> Any:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "b"}}
    utils.create_from_dict(API, manifest, namespace=NAMESPACE)
    return CORE.read_namespaced_config_map("m", NAMESPACE).data


@step
def a_review() -> Any:
    attributes = client.V1ResourceAttributes(verb="get", resource="pods")
    spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
    review = client.V1SelfSubjectAccessReview(spec=spec)
    return client.AuthorizationV1Api(API).create_self_subject_access_review(review).status.allowed


@step
def coroutines() -> Any:
    """Since 36 there is a client for them, too."""
    from kubernetes.aio import client as aio_client
    from kubernetes.aio import config as aio_config

    async def names() -> list[str]:
        await aio_config.load_kube_config(KUBECONFIG)
        async with aio_client.ApiClient() as api:
            found = await aio_client.CoreV1Api(api).list_namespaced_config_map(NAMESPACE)
        return [one.metadata.name for one in found.items if one.metadata.name == "m"]

    return asyncio.run(names())


def answer(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


print(json.dumps({function.__name__: answer(function) for function in STEPS}))
