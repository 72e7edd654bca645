"""What is refused, and in which words."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Keys, OneOf, not_understood
from kata_lib.engines.embedded.mesh.translate.numbers import duration
from kata_lib.engines.embedded.registry.status import StatusError

INVALID = Path(__file__).parent.parent / "reference" / "istio" / "invalid"
ROUTE = {"route": [{"destination": {"host": "name"}}]}
VALID: dict[str, dict[str, Any]] = {
    "destinationrules": {"host": "name"},
    "virtualservices": {"hosts": ["name"], "http": [ROUTE]},
}
LET_THROUGH_BY_THE_SCHEMA = (
    "empty-http-route",
    "fault-percent-over-100",
    "match-empty-regex",
    "total-weight-zero",
    "tcp-gateway",
    "tcp-no-route",
    "tcp-port-out-of-range",
    "tcp-total-zero",
)


def virtual_service(**rule: Any) -> dict[str, Any]:
    route = [{"destination": {"host": "name"}}]
    return {"metadata": {"name": "name"}, "spec": {"hosts": ["name"], "http": [{"route": route, **rule}]}}


@pytest.mark.parametrize("name", LET_THROUGH_BY_THE_SCHEMA)
def test_istios_validation_speaks_in_its_own_words(name: str) -> None:
    lines = (INVALID / f"{name}.txt").read_text().splitlines()
    words = next(line.split("//name: ")[1] for line in lines if line.startswith("istio validation"))
    document = yaml.safe_load((INVALID / f"{name}.yaml").read_text())
    with pytest.raises(StatusError) as refusal:
        refuse("virtualservices", document, "CREATE")
    webhook = 'admission webhook "validation.istio.io" denied the request: configuration is invalid: '
    assert refusal.value.message == webhook + words


@pytest.mark.parametrize(
    ("resource", "spec", "named"),
    [
        ("virtualservices", {"http": [{**ROUTE, "mirrorPercent": 5}]}, r"spec\.http\[0\]\.mirrorPercent"),
        ("virtualservices", {"tls": [{}]}, r"spec\.tls"),
        (
            "destinationrules",
            {"trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}},
            r"spec\.trafficPolicy\.tls\.mode: ISTIO_MUTUAL",
        ),
        (
            "destinationrules",
            {
                "subsets": [
                    {"name": "a", "trafficPolicy": {"loadBalancer": {"localityLbSetting": {"enabled": 1}}}}
                ]
            },
            r"spec\.subsets\[0\]\.trafficPolicy\.loadBalancer\.localityLbSetting",
        ),
        ("destinationrules", {"workloadSelector": {"matchLabels": {}, "x": 1}}, r"spec\.workloadSelector"),
        ("services", {"type": "ExternalName"}, r"spec\.type: ExternalName"),
        ("services", {"ports": [{"port": 1, "protocol": "UDP"}]}, r"spec\.ports\[0\]\.protocol: UDP"),
        (
            "gateways",
            {"servers": [{"port": {"number": 1, "name": "a", "protocol": "TCP"}, "hosts": ["*"]}]},
            r"spec\.servers\[0\]\.port\.protocol: TCP",
        ),
        (
            "gateways",
            {
                "servers": [
                    {"port": {"number": 1, "name": "a", "protocol": "HTTPS"}, "hosts": ["*"], "tls": {}}
                ]
            },
            r"spec\.servers\[0\]\.tls without mode SIMPLE",
        ),
        ("sidecars", {}, "kind Sidecar"),
        ("serviceentries", {}, "kind ServiceEntry"),
    ],
)
def test_what_has_no_effect_is_refused_by_name(resource: str, spec: dict[str, Any], named: str) -> None:
    with pytest.raises(
        StatusError, match=rf"{named}.*not supported by the embedded engine.*a cluster that runs Istio itself"
    ):
        refuse(resource, {"metadata": {"name": "x"}, "spec": {**VALID.get(resource, {}), **spec}}, "CREATE")


def test_ordinary_services_and_other_kinds_pass() -> None:
    refuse(
        "services",
        {"spec": {"type": "NodePort", "sessionAffinity": "None", "ports": [{"port": 1}]}},
        "CREATE",
    )
    refuse("configmaps", {"data": {"tcp": "x"}}, "UPDATE")
    refuse("virtualservices", virtual_service(timeout="1s"), "UPDATE")


def test_not_understood_names_each_field_once() -> None:
    tree = {"a": LEAF, "b": [{"c": LEAF}], "d": Keys({"e": LEAF}), "f": OneOf(("x",))}
    value = {"a": {"any": 1}, "b": [{"c": 1}, {"z": 1}], "d": {"k": {"y": 1}}, "f": "no", "g": 1, "h": None}
    assert list(not_understood(value, tree, "spec")) == ["spec.b[1].z", "spec.d[k].y", "spec.f: no", "spec.g"]


@given(st.integers(0, 10**6), st.sampled_from([("ms", 1000), ("s", 1)]))
def test_durations_keep_their_value(number: int, unit: tuple[str, int]) -> None:
    name, parts = unit
    assert float(duration(f"{number}{name}").removesuffix("s")) == number / parts


@pytest.mark.parametrize(
    ("text", "written"), [("1m30s", "90s"), ("250ms", "0.250s"), ("1.5s", "1.500s"), ("0", "0s")]
)
def test_durations_are_written_as_protobuf_does(text: str, written: str) -> None:
    assert duration(text) == written
