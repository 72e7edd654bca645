"""What `kubectl get -o yaml` shows of a short manifest, kind by kind."""

import copy
from typing import Any

import pytest

from kata_lib.engines.embedded.registry.defaults import apply_defaults, complete


def filled(resource: str, obj: dict[str, Any]) -> dict[str, Any]:
    apply_defaults(resource, obj)
    once = copy.deepcopy(obj)
    apply_defaults(resource, obj)
    assert obj == once
    return once


TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "i:v1"}]}}
FILLED_CONTAINER = {
    "name": "a",
    "image": "i:v1",
    "imagePullPolicy": "IfNotPresent",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
FILLED_SPEC = {
    "containers": [FILLED_CONTAINER],
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}


def test_deployment() -> None:
    assert filled("deployments", {"spec": {"template": copy.deepcopy(TEMPLATE)}}) == {
        "spec": {
            "progressDeadlineSeconds": 600,
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "strategy": {
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
                "type": "RollingUpdate",
            },
            "template": {"metadata": {"labels": {"app": "a"}}, "spec": FILLED_SPEC},
        }
    }


def test_recreated_deployment_has_no_rolling_update() -> None:
    spec = filled("deployments", {"spec": {"replicas": 0, "strategy": {"type": "Recreate"}}})["spec"]
    assert spec["strategy"] == {"type": "Recreate"}
    assert spec["replicas"] == 0


def test_replica_set() -> None:
    spec = filled("replicasets", {"spec": {"template": copy.deepcopy(TEMPLATE)}})["spec"]
    assert spec == {"replicas": 1, "template": {"metadata": {"labels": {"app": "a"}}, "spec": FILLED_SPEC}}


def test_pod() -> None:
    pod = filled("pods", {"spec": copy.deepcopy(TEMPLATE["spec"])})
    complete("pods", pod)
    spec = pod["spec"]
    assert {key: spec[key] for key in FILLED_SPEC} == FILLED_SPEC
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    assert spec["enableServiceLinks"] is True
    assert spec["preemptionPolicy"] == "PreemptLowerPriority"
    assert {toleration["key"] for toleration in spec["tolerations"]} == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    }


def test_requests_are_the_limits_where_they_are_silent() -> None:
    container = {
        "name": "a",
        "image": "i",
        "resources": {"limits": {"cpu": "1"}, "requests": {"memory": "1Gi"}},
    }
    spec = filled("pods", {"spec": {"containers": [container]}})["spec"]
    assert spec["containers"][0]["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("a", "Always"),
        ("a:latest", "Always"),
        ("a:v1", "IfNotPresent"),
        ("registry:5000/a", "Always"),
        ("registry:5000/a:v1", "IfNotPresent"),
        ("a@sha256:0", "IfNotPresent"),
    ],
)
def test_pull_policy(image: str, policy: str) -> None:
    spec = filled("pods", {"spec": {"containers": [{"name": "a", "image": image}]}})["spec"]
    assert spec["containers"][0]["imagePullPolicy"] == policy


def test_probes_ports_and_references() -> None:
    container = {
        "name": "a",
        "image": "i",
        "ports": [{"containerPort": 5000}],
        "readinessProbe": {"httpGet": {"port": 5000}},
        "env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    }
    found = filled("pods", {"spec": {"containers": [container]}})["spec"]["containers"][0]
    assert found["ports"] == [{"containerPort": 5000, "protocol": "TCP"}]
    assert found["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"
    assert found["readinessProbe"] == {
        "failureThreshold": 3,
        "httpGet": {"path": "/", "port": 5000, "scheme": "HTTP"},
        "periodSeconds": 10,
        "successThreshold": 1,
        "timeoutSeconds": 1,
    }


def test_volumes() -> None:
    volumes = [{"name": "empty"}, {"name": "settings", "configMap": {"name": "s"}}]
    spec = filled("pods", {"spec": {"containers": [], "volumes": volumes}})["spec"]
    assert spec["volumes"][0]["emptyDir"] == {}
    assert spec["volumes"][1]["configMap"]["defaultMode"] == 420


def test_service() -> None:
    service = filled("services", {"spec": {"ports": [{"port": 5000}]}})
    complete("services", service)
    assert service["spec"] == {
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"port": 5000, "protocol": "TCP", "targetPort": 5000}],
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }


def test_node_port_service_with_affinity() -> None:
    spec = filled("services", {"spec": {"type": "NodePort", "sessionAffinity": "ClientIP"}})["spec"]
    assert spec["externalTrafficPolicy"] == "Cluster"
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}


def test_smaller_kinds() -> None:
    assert filled("endpointslices", {"ports": [{"port": 1}]})["ports"] == [
        {"port": 1, "name": "", "protocol": "TCP"}
    ]
    labels = filled("namespaces", {"metadata": {"name": "n"}})["metadata"]["labels"]
    assert labels == {"kubernetes.io/metadata.name": "n"}
    assert filled("secrets", {"stringData": {"a": "b"}}) == {"type": "Opaque", "data": {"a": "Yg=="}}
    assert filled("virtualservices", {"spec": {}}) == {"spec": {}}
