"""Which pods get a sidecar, what it is called, and Envoy's counters under Istio's names."""

from typing import Any

import pytest
from control_plane import make_registry

from kata_lib.cluster.pods import has_sidecar, is_gateway
from kata_lib.engines.embedded.mesh import scraping
from kata_lib.engines.embedded.mesh.injection import inject, is_proxy, workload_name
from kata_lib.engines.embedded.mesh.metrics import prometheus
from kata_lib.engines.embedded.registry.patches import MERGE_PATCH, STRATEGIC_MERGE_PATCH
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Obj


def pod(labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    metadata = {"name": "p", "labels": labels or {}, "annotations": annotations or {}}
    return {"metadata": metadata, "spec": {"containers": [{"name": "app"}]}}


def namespace(injection: str | None) -> dict[str, Any]:
    return {"metadata": {"labels": {"istio-injection": injection} if injection else {}}}


@pytest.mark.parametrize(
    ("injection", "label", "annotation", "injected"),
    [
        ("enabled", None, None, True),
        ("enabled", "false", None, False),
        ("enabled", None, "false", False),
        ("enabled", "true", "false", True),
        (None, None, None, False),
        (None, None, "true", False),
        (None, "true", None, True),
        ("disabled", "true", None, False),
    ],
)
def test_who_gets_a_sidecar(
    injection: str | None, label: str | None, annotation: str | None, injected: bool
) -> None:
    key = "sidecar.istio.io/inject"
    asked = pod({key: label} if label else None, {key: annotation} if annotation else None)
    inject(asked, namespace(injection))
    assert has_sidecar(asked) is injected


def test_sidecar_comes_last_once_and_is_described() -> None:
    asked = pod({"app": "name", "version": "v2"})
    inject(asked, namespace("enabled"))
    inject(asked, namespace("enabled"))
    assert [container["name"] for container in asked["spec"]["containers"]] == ["app", "istio-proxy"]
    annotations, labels = asked["metadata"]["annotations"], asked["metadata"]["labels"]
    assert annotations["kubectl.kubernetes.io/default-container"] == "app"
    assert annotations["prometheus.io/port"] == "15020"
    assert labels["service.istio.io/canonical-name"] == "name"
    assert labels["service.istio.io/canonical-revision"] == "v2"


def test_a_pod_with_a_sidecar_can_be_changed_as_any_other() -> None:
    def give_sidecar(resource: str, obj: Obj, operation: str) -> None:
        if resource == "pods":
            inject(obj, namespace("enabled"))

    registry = make_registry(mutations=[give_sidecar])
    bare = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "app", "image": "i"}]}}
    made = registry.create("pods", "default", bare, manager="test")
    body = {"metadata": {"labels": {"tier": "front"}, "annotations": {"note": "here"}}}
    for patch in (MERGE_PATCH, STRATEGIC_MERGE_PATCH):
        after = registry.patch("pods", "default", "p", body, patch, manager="test")
        assert after["metadata"]["labels"]["tier"] == "front"
        assert after["spec"] == made["spec"]
    assert registry.update("pods", "default", "p", after, manager="test") == after


def test_workload_is_the_deployment() -> None:
    owned = pod({"pod-template-hash": "5cb79"})
    owned["metadata"]["ownerReferences"] = [{"controller": True, "name": "name-v1-5cb79"}]
    assert workload_name(owned) == "name-v1"
    assert workload_name(pod()) == "p"


def test_counters_get_istios_names_and_words() -> None:
    text = (
        "# TYPE envoy_istio_requests_total counter\n"
        'envoy_istio_requests_total{response_flags="-",destination_app=""} 3\n'
        'envoy_istio_requests_total{destination_service="tcp|5000|name.default.svc.cluster.local"} 2\n'
        'envoy_other{a=""} 1\n'
    )
    assert prometheus(text) == (
        "# TYPE istio_requests_total counter\n"
        'istio_requests_total{response_flags="-",destination_app="unknown"} 3\n'
        'envoy_other{a=""} 1\n'
    )


OWN = {"prometheus.io/scrape": "true", "prometheus.io/port": "8000", "prometheus.io/path": "/metrics"}
AGENTS = {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": "15020",
    "prometheus.io/path": "/stats/prometheus",
}


@pytest.mark.parametrize(
    ("annotations", "afterwards", "told"),
    [
        ({}, AGENTS, None),
        (OWN, AGENTS, (8000, "/metrics")),
        ({"prometheus.io/port": "9"}, AGENTS, (9, "/metrics")),
        ({"prometheus.io/scrape": "true"}, AGENTS, (80, "/metrics")),
        ({**OWN, "prometheus.io/scrape": "false"}, {**OWN, "prometheus.io/scrape": "false"}, None),
        ({**OWN, "prometheus.istio.io/merge-metrics": "false"}, OWN, None),
    ],
)
def test_annotations_for_prometheus_point_at_the_agent_which_asks_the_application(
    annotations: dict[str, str], afterwards: dict[str, str], told: tuple[int, str] | None
) -> None:
    asked = pod(annotations=dict(annotations))
    inject(asked, namespace("enabled"))
    assert {k: v for k, v in asked["metadata"]["annotations"].items() if k in AGENTS} == afterwards
    assert scraping.application(asked["spec"]["containers"][-1]) == told


def test_the_agent_is_told_as_the_webhook_tells_it() -> None:
    """What Istio put into the sidecar's environment of a pod with these annotations."""
    asked = pod(annotations=dict(OWN))
    inject(asked, namespace("enabled"))
    assert asked["spec"]["containers"][-1]["env"] == [
        {
            "name": "ISTIO_PROMETHEUS_ANNOTATIONS",
            "value": '{"scrape":"true","path":"/metrics","port":"8000"}',
        }
    ]


@pytest.mark.parametrize("port", ["abc", "0", "70000", " 80"])
def test_a_port_for_prometheus_that_is_none_is_refused_in_the_webhooks_words(port: str) -> None:
    with pytest.raises(StatusError) as refusal:
        inject(pod(annotations={"prometheus.io/port": port}), namespace("enabled"))
    assert refusal.value.message == (
        'admission webhook "namespace.sidecar-injector.istio.io" denied the request: failed to process pod: '
        f'invalid prometheus scrape configuration: invalid port "{port}"'
    )


def test_a_gateway_is_a_router_alone_with_what_its_manifest_says() -> None:
    written = {"name": "istio-proxy", "image": "auto", "ports": [{"containerPort": 8080}]}
    asked = pod({"sidecar.istio.io/inject": "true"}, {"inject.istio.io/templates": "gateway"})
    asked["spec"]["containers"] = [written]
    inject(asked, namespace(None))
    (container,) = asked["spec"]["containers"]
    assert is_gateway(asked)
    assert is_proxy(container)
    assert container["ports"] == [{"containerPort": 8080}]
    assert "kubectl.kubernetes.io/default-container" not in asked["metadata"]["annotations"]


def test_a_proxy_is_probed_as_istio_has_it() -> None:
    """Often until it is ready, then seldom: Istio's `startupProbe` and `readinessPeriodSeconds`."""
    asked = pod()
    inject(asked, namespace("enabled"))
    proxy = asked["spec"]["containers"][-1]
    settings = ("periodSeconds", "failureThreshold", "timeoutSeconds")
    assert [proxy["startupProbe"][name] for name in settings] == [1, 600, 3]
    assert [proxy["readinessProbe"][name] for name in settings] == [15, 4, 3]
    assert proxy["startupProbe"]["httpGet"] == proxy["readinessProbe"]["httpGet"]


def test_the_image_auto_that_nobody_injects_is_no_proxy() -> None:
    asked = pod(annotations={"inject.istio.io/templates": "gateway"})
    asked["spec"]["containers"] = [{"name": "istio-proxy", "image": "auto"}]
    inject(asked, namespace(None))
    assert not any(map(is_proxy, asked["spec"]["containers"]))
