"""Refusals in the real server's words: those that were recorded, and the rules behind them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kata_lib.cluster.quantities import amount
from kata_lib.engines.embedded.registry.decoding import check_fields
from kata_lib.engines.embedded.registry.defaults import apply_defaults
from kata_lib.engines.embedded.registry.patches import merge_patch, strategic_merge_patch
from kata_lib.engines.embedded.registry.schemas import schema_for
from kata_lib.engines.embedded.registry.status import StatusError, invalid
from kata_lib.engines.embedded.registry.table import RESOURCES
from kata_lib.engines.embedded.registry.validation import unknown_fields, validate

REFERENCE = Path(__file__).parents[1] / "reference"
RECORDED: dict[str, str] = {
    entry["command"]: entry["stderr"]
    for entry in json.loads((REFERENCE / "kubectl" / "4-mistakes.expected.json").read_text())
}

Obj = dict[str, Any]


def recorded(*words: str) -> str:
    """Return what kubectl said to the one recorded command that has all these words."""
    (found,) = [said for command, said in RECORDED.items() if all(word in command for word in words)]
    return found


def spoken(error: StatusError) -> str:
    """Return a refusal as kubectl prints it, with the recordings' single spaces."""
    details = error.details or {}
    if error.code == 400:
        return f"Error from server (BadRequest): {error.message}"
    head = (
        f'The {details["kind"]} "{details["name"]}" is invalid:'
        if "kind" in details
        else "The request is invalid:"
    )
    causes = [f"{cause['field']}: {cause['message']}" for cause in details["causes"]]
    text = f"{head} {causes[0]}" if len(causes) == 1 else head + "".join(f"\n* {cause}" for cause in causes)
    return re.sub(" +", " ", text)


def admitted(obj: Obj, old: Obj | None = None, **options: Any) -> Obj:
    """Send an object through decoding, defaults and validation, as the registry does."""
    kind = next(resource for resource in RESOURCES.values() if resource.kind == obj["kind"])
    check_fields(kind, schema_for(kind.plural), obj, "Strict", None, **options)
    apply_defaults(kind.plural, obj)
    if causes := validate(kind, schema_for(kind.plural), obj, old):
        raise invalid(kind.kind, kind.group, obj["metadata"]["name"], causes)
    return obj


def said(act: Callable[[], Any]) -> str:
    with pytest.raises(StatusError) as caught:
        act()
    return spoken(caught.value)


def manifest(*path: str) -> Obj:
    loaded: Obj = yaml.safe_load(REFERENCE.joinpath(*path).read_text())
    return loaded


def sleeper() -> Obj:
    return admitted(manifest("kubectl", "bad-image.yaml"))


def test_deployment_without_selector() -> None:
    assert said(lambda: admitted(manifest("kubectl", "no-selector.yaml"))) == recorded("no-selector")


def test_misspelt_field() -> None:
    found = said(lambda: admitted(manifest("kubectl", "misspelt.yaml")))
    assert found.removeprefix("Error from server (BadRequest): ") in recorded("misspelt")


def test_selector_is_immutable_and_must_match() -> None:
    old = sleeper()
    new = merge_patch(old, {"spec": {"selector": {"matchLabels": {"app": "other"}}}})
    assert said(lambda: admitted(new, old)) == recorded("--type=merge")


def test_strategic_patch_with_a_wrong_type() -> None:
    patch = {"spec": {"replicas": "two"}}
    new = strategic_merge_patch(sleeper(), patch, schema_for("deployments"))
    assert said(lambda: admitted(new, strategic=patch)) == recorded('"two"')


def test_negative_replicas() -> None:
    new = merge_patch(sleeper(), {"spec": {"replicas": -1}})
    assert said(lambda: admitted(new)) == recorded("replicas", "-1")


def test_names_and_labels() -> None:
    namespace = {"kind": "Namespace", "metadata": {"name": "UPPER"}}
    assert said(lambda: admitted(namespace)) == recorded("UPPER")
    labelled = merge_patch(sleeper(), {"metadata": {"labels": {"bad key": "1"}}})
    assert said(lambda: admitted(labelled)) == recorded("bad key")
    misnamed = merge_patch(sleeper(), {"metadata": {"name": "name_v1"}})
    assert said(lambda: admitted(misnamed)).split("is invalid: ")[1] in recorded("name_v1")


def test_service_port() -> None:
    service = {"kind": "Service", "metadata": {"name": "bad"}, "spec": {"ports": [{"port": 99999}]}}
    assert said(lambda: admitted(service)) == recorded("99999")


def test_weight_that_is_no_number() -> None:
    rule = {"destination": {"host": "name"}, "weight": "ten"}
    spec = {"hosts": ["name"], "http": [{"route": [rule]}]}
    found = said(lambda: admitted({"kind": "VirtualService", "metadata": {"name": "bad"}, "spec": spec}))
    assert found == recorded("weight: ten")


@pytest.mark.parametrize("path", sorted((REFERENCE / "istio" / "cases").glob("*.yaml")), ids=lambda p: p.stem)
def test_istio_resources_that_a_cluster_took_are_valid(path: Path) -> None:
    for obj in filter(None, yaml.safe_load_all(path.read_text())):
        admitted(obj)


@pytest.mark.parametrize(
    "name", ["bad-duration", "destination-no-host", "rule-no-host", "rule-subset-no-name", "weight-string"]
)
def test_istio_resources_that_a_cluster_refused(name: str) -> None:
    text = (REFERENCE / "istio" / "invalid" / f"{name}.txt").read_text()
    lines = [line.removeprefix("api server: ") for line in text.splitlines() if line.startswith("api server")]
    found = said(lambda: admitted(manifest("istio", "invalid", f"{name}.yaml")))
    assert [line.strip() for line in found.splitlines()] == [line.strip() for line in lines]


def test_fields_that_exclude_one_another() -> None:
    match = {"uri": {"exact": "/a", "prefix": "/b"}}
    spec = {"hosts": ["name"], "http": [{"match": [match], "route": [{"destination": {"host": "name"}}]}]}
    found = said(lambda: admitted({"kind": "VirtualService", "metadata": {"name": "bad"}, "spec": spec}))
    assert '"spec.http[0].match[0].uri" must validate one and only one schema (oneOf). Found 2' in found


def test_wrong_types_in_a_body() -> None:
    deployment = manifest("kubectl", "bad-image.yaml")
    deployment["spec"]["replicas"] = "two"
    words = "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
    assert words in said(lambda: admitted(deployment))


def test_unknown_fields_are_named_with_their_place() -> None:
    deployment = manifest("kubectl", "bad-image.yaml")
    deployment["spec"]["template"]["spec"]["containers"][0]["imag"] = "i"
    path = "spec.template.spec.containers[0].imag"
    assert unknown_fields(schema_for("deployments"), deployment) == [f'unknown field "{path}"']
    warnings: list[str] = []
    check_fields(RESOURCES["deployments"], schema_for("deployments"), deployment, "", warnings)
    assert warnings == [f'unknown field "{path}"']
    assert unknown_fields(schema_for("deployments"), deployment) == []


def test_decoding_leaves_out_what_says_nothing() -> None:
    obj = {
        "kind": "Pod",
        "metadata": {"name": "p", "creationTimestamp": None, "labels": {}},
        "spec": {"containers": [], "volumes": [{"name": "v", "emptyDir": {}}], "nodeSelector": {}},
    }
    check_fields(RESOURCES["pods"], schema_for("pods"), obj, "", None)
    assert obj["metadata"] == {"name": "p"}
    assert obj["spec"] == {"containers": [], "volumes": [{"name": "v", "emptyDir": {}}]}


CONTAINER = {"name": "a", "image": "i:v1"}


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"image": "i"}, "containers[0].name: Required value"),
        ({"name": "a"}, "containers[0].image: Required value"),
        (CONTAINER | {"imagePullPolicy": "Now"}, 'Unsupported value: "Now": supported values: "Always"'),
        (CONTAINER | {"ports": [{"containerPort": 70000}]}, "must be between 1 and 65535, inclusive"),
        (CONTAINER | {"env": [{"name": "a=b", "value": "c"}]}, "printable ASCII characters other than '='"),
        (CONTAINER | {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, 'Not found: "v"'),
        (CONTAINER | {"readinessProbe": {"periodSeconds": 1}}, "Required value: must specify a handler type"),
        (CONTAINER | {"livenessProbe": {"tcpSocket": {"port": 0}}}, "tcpSocket.port: Invalid value: 0"),
        (
            CONTAINER | {"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1500m"}}},
            'Invalid value: "1500m": must be less than or equal to cpu limit of 1',
        ),
    ],
)
def test_rules_of_containers(container: Obj, words: str) -> None:
    deployment = manifest("kubectl", "bad-image.yaml")
    deployment["spec"]["template"]["spec"]["containers"] = [container]
    assert words in said(lambda: admitted(deployment))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "spec.ports: Required value"),
        ({"type": "Odd", "ports": [{"port": 1}]}, 'spec.type: Unsupported value: "Odd"'),
        ({"ports": [{"port": 1}, {"port": 2}]}, "spec.ports[0].name: Required value"),
        ({"ports": [{"port": 1, "nodePort": 30000}]}, "may not be used when `type` is 'ClusterIP'"),
        ({"ports": [{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]}, "spec.ports[1]: Duplicate value"),
        ({"type": "ExternalName"}, "spec.externalName: Required value"),
        ({"ports": [{"port": 1, "targetPort": "-x"}]}, "must not begin or end with a hyphen"),
    ],
)
def test_rules_of_services(spec: Obj, words: str) -> None:
    service = {"kind": "Service", "metadata": {"name": "a"}, "spec": spec}
    assert words in said(lambda: admitted(service))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strategy": {"type": "Odd"}}, "spec.strategy: Unsupported value"),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}},
            "may not be 0 when `maxSurge` is 0",
        ),
        ({"strategy": {"rollingUpdate": {"maxSurge": "a"}}}, "a valid percent string"),
        ({"minReadySeconds": 700}, "must be greater than minReadySeconds"),
        ({"selector": {"matchLabels": None}}, "empty selector is invalid for deployment"),
        ({"template": {"spec": {"restartPolicy": "Never"}}}, 'supported values: "Always"'),
    ],
)
def test_rules_of_deployments(change: Obj, words: str) -> None:
    deployment = merge_patch(manifest("kubectl", "bad-image.yaml"), {"spec": change})
    assert words in said(lambda: admitted(deployment))


def test_a_pod_changes_little() -> None:
    old = admitted({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [CONTAINER]}})
    admitted(merge_patch(old, {"spec": {"containers": [CONTAINER | {"image": "i:v2"}]}}), old)
    moved = merge_patch(old, {"spec": {"nodeName": "m"}})
    assert "pod updates may not change fields other than" in said(lambda: admitted(moved, old))


def test_sealed_config_map() -> None:
    old = admitted({"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}, "immutable": True})
    assert "data: Forbidden: field is immutable" in said(
        lambda: admitted(merge_patch(old, {"data": {"a": "c"}}), old)
    )


@pytest.mark.parametrize(
    ("text", "number"), [("100m", 0.1), ("1Ki", 1024), ("1.5G", 1.5e9), ("1e3", 1000), ("2", 2), ("-1", -1)]
)
def test_quantities(text: str, number: float) -> None:
    assert float(amount(text)) == number


def test_what_is_no_quantity() -> None:
    with pytest.raises(ValueError, match="no quantity"):
        amount("many")
