"""The kubelet's pure parts: environment, status, images, logs, refusals."""

from pathlib import Path
from typing import Any

import pytest
from control_plane import deployment, pod

from kata_lib.engines.embedded.images import Image, Images
from kata_lib.engines.embedded.kubelet import logs
from kata_lib.engines.embedded.kubelet.admission import refuse_pod
from kata_lib.engines.embedded.kubelet.environment import ConfigError, environment, expand, field
from kata_lib.engines.embedded.kubelet.launchers import pull_policy
from kata_lib.engines.embedded.kubelet.status import phase, pod_status, restarts
from kata_lib.engines.embedded.objects import condition
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Obj


class Plan:
    """Addresses by role; with `shift`, ports are reassigned."""

    def __init__(self, shift: int = 0) -> None:
        self.shift = shift

    def listen_at(self, owner: str, port: int) -> tuple[str, int]:
        return f"at-{owner}", port + self.shift

    def application_at(self, pod_uid: str, port: int) -> tuple[str, int]:
        return f"application-of-{pod_uid}", port + self.shift


def nothing(resource: str, namespace: str, name: str) -> Obj | None:
    return None


def a_pod(sidecar: bool = False, **container: Any) -> Obj:
    made = pod("web-1", {"app": "web"})
    made["metadata"] |= {"namespace": "default", "uid": "uid-1"}
    made["spec"]["containers"][0] |= container
    if sidecar:
        made["spec"]["containers"].append({"name": "istio-proxy", "image": "envoy"})
    return made


def env_of(made: Obj, plan: Any = None, read: Any = nothing) -> dict[str, str]:
    chosen: Any = plan or Plan()
    return environment(made, made["spec"]["containers"][0], read, chosen, 5000)


def test_with_a_sidecar_the_application_listens_elsewhere_and_asks_its_proxy() -> None:
    env = env_of(a_pod(sidecar=True))
    assert env["LISTEN_ADDRESS"] == "application-of-uid-1"
    assert env["http_proxy"] == "http://at-uid-1:15080"
    assert "PORT" not in env


def test_without_one_it_listens_on_the_pods_address_and_asks_the_nodes() -> None:
    env = env_of(a_pod())
    assert env["LISTEN_ADDRESS"] == "at-uid-1"
    assert env["http_proxy"] == "http://at-node:15080"


def test_a_reassigned_port_is_told() -> None:
    assert env_of(a_pod(), Plan(shift=20000))["PORT"] == "25000"


def test_values_come_from_the_manifest_its_fields_and_objects() -> None:
    env = [
        {"name": "PLAIN", "value": "a"},
        {"name": "MADE", "value": "$(PLAIN)-$$(PLAIN)-$(UNKNOWN)"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "SET", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "k"}}},
        {"name": "HID", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "k"}}},
        {"name": "OUT", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "x", "optional": True}}},
    ]
    data = {"configmaps": {"k": "v"}, "secrets": {"k": "dg=="}}
    found = env_of(a_pod(env=env), read=lambda resource, namespace, name: {"data": data[resource]})
    assert found["MADE"] == "a-$(PLAIN)-$(UNKNOWN)"
    assert (found["POD"], found["SET"], found["HID"]) == ("web-1", "v", "v")
    assert "OUT" not in found


def test_the_engines_addresses_win_over_the_manifests() -> None:
    env = env_of(a_pod(env=[{"name": "LISTEN_ADDRESS", "value": "0.0.0.0"}]))
    assert env["LISTEN_ADDRESS"] == "at-uid-1"


def test_nothing_of_the_daemons_environment_leaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_LEARNER", "1")
    assert "SECRET_OF_THE_LEARNER" not in env_of(a_pod())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"configMapKeyRef": {"name": "gone", "key": "k"}}, 'configmap "gone" not found'),
        ({"fieldRef": {"fieldPath": "spec.colour"}}, "unsupported fieldPath: spec.colour"),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, "resourceFieldRef is not supported"),
    ],
)
def test_a_missing_source_is_named(source: Obj, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        env_of(a_pod(env=[{"name": "A", "valueFrom": source}]))


def test_labels_are_fields() -> None:
    assert field(a_pod(), "metadata.labels['app']") == "web"
    assert expand("$(A)", {"A": "1"}) == "1"


def entry(name: str, ready: bool = True, **state: Any) -> Obj:
    return {"name": name, "ready": ready, "state": state or {"running": {}}, "lastState": {}}


def test_a_pod_is_ready_when_all_its_containers_are() -> None:
    status = pod_status(a_pod(), [entry("b"), entry("a")], "10.0.0.1", "10.0.0.9")
    assert [found["name"] for found in status["containerStatuses"]] == ["a", "b"]
    assert {found["type"]: found["status"] for found in status["conditions"]} == dict.fromkeys(
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"], "True"
    )
    assert (status["podIP"], status["hostIP"], status["phase"]) == ("10.0.0.1", "10.0.0.9", "Running")


def test_an_unready_container_is_named() -> None:
    status = pod_status(a_pod(), [entry("a"), entry("b", ready=False)], "", "")
    found = condition({"status": status}, "Ready")
    assert found is not None
    assert (found["reason"], found["message"]) == (
        "ContainersNotReady",
        "containers with unready status: [b]",
    )


def test_a_condition_that_stays_keeps_its_time() -> None:
    made = a_pod()
    made["status"] = pod_status(made, [entry("a")], "", "")
    for found in made["status"]["conditions"]:
        found["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    status = pod_status(made, [entry("a", ready=False)], "", "")
    times = {found["type"]: found["lastTransitionTime"] for found in status["conditions"]}
    assert times["Initialized"] == "2026-01-01T00:00:00Z"
    assert times["Ready"] != "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([entry("a", waiting={})], "Pending"),
        ([entry("a"), entry("b", waiting={})], "Pending"),
        ([entry("a")], "Running"),
        ([entry("a", terminated={"exitCode": 0})], "Succeeded"),
        ([entry("a", terminated={"exitCode": 0}), entry("b", terminated={"exitCode": 1})], "Failed"),
    ],
)
def test_the_phase_follows_from_the_containers(states: list[Obj], expected: str) -> None:
    assert phase({}, states) == expected


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [("Always", 0, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_the_restart_policy_decides(policy: str, code: int, again: bool) -> None:
    assert restarts(policy, code) is again


def test_images_are_found_by_their_names(tmp_path: Path) -> None:
    images, ours, theirs = (
        Images(tmp_path / "images.json"),
        Image(("a", "b"), 5000),
        Image(("c",), client=True),
    )
    assert images.find("kata/example:v1") is None
    images.add(["kata/example:v1", "kata/example:v2"], ours)
    images.add(["prom/prometheus"], theirs)
    assert images.find("kata/example:v2") == images.find("docker.io/kata/example:v2") == ours
    assert images.find("prom/prometheus") == images.find("docker.io/prom/prometheus:v3") == theirs
    for unknown in ("kata/example:v9", "kata/example", "nginx", "host:5000/prom/prometheus"):
        assert images.find(unknown) is None
    assert images.names() == ["kata/example:v1", "kata/example:v2", "prom/prometheus"]


@pytest.mark.parametrize(
    ("container", "policy"),
    [
        ({"image": "a"}, "Always"),
        ({"image": "host:5000/a"}, "Always"),
        ({"image": "a:v1"}, "IfNotPresent"),
        ({"image": "a", "imagePullPolicy": "Never"}, "Never"),
    ],
)
def test_the_pull_policy_defaults_by_the_tag(container: dict[str, str], policy: str) -> None:
    assert pull_policy(container) == policy


async def text(path: Path, **options: Any) -> str:
    asked: dict[str, Any] = {"tail": None, "since": None, "limit": None, "follow": None, **options}
    return b"".join([piece async for piece in logs.read(path, **asked)]).decode()


async def test_logs_are_read_whole_or_from_their_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntwo\nthree\n")
    assert await text(path) == "one\ntwo\nthree\n"
    assert await text(path, tail=2) == "two\nthree\n"
    assert await text(path, tail=9) == "one\ntwo\nthree\n"
    assert await text(path, tail=0) == ""
    assert await text(path, limit=5) == "one\nt"
    path.write_text("no end")
    assert await text(path, tail=1) == "no end"


async def test_following_a_log_ends_with_its_container(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\n")
    answers = iter([True, False])

    def runs() -> bool:
        with path.open("a") as file:
            file.write("more\n")
        return next(answers)

    assert await text(path, follow=runs) == "one\nmore\nmore\n"


def test_the_logs_of_the_latest_gone_pods_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "KEPT_PODS", 2)
    for name in "abcde":
        (tmp_path / name).mkdir()
    logs.prune(tmp_path, {"a"})
    assert len(list(tmp_path.iterdir())) == 3
    assert (tmp_path / "a").exists()


def test_what_processes_cannot_give_is_refused_by_name() -> None:
    wanted = deployment()
    template = wanted["spec"]["template"]["spec"]
    template["initContainers"] = [{"name": "a", "image": "b"}]
    template["containers"][0]["livenessProbe"] = {"exec": {"command": ["true"]}}
    with pytest.raises(StatusError) as refused:
        refuse_pod("deployments", wanted, "CREATE")
    assert "spec.template.spec.initContainers, " in refused.value.message
    assert "spec.template.spec.containers[0].livenessProbe.exec: not supported" in refused.value.message
    refuse_pod("deployments", deployment(), "CREATE")
    refuse_pod("services", {}, "CREATE")
