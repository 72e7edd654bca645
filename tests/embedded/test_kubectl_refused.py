"""What this engine has not is refused by its name, with a word of what there is instead."""

import pytest
import yaml

from embedded.engine_cluster import Cluster


@pytest.fixture
def pod(cluster: Cluster) -> str:
    return cluster.kubectl("get", "pods", "-l", "app=age", "--output=name").splitlines()[0]


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (("port-forward", "POD", "0:5000"), "kata url NAME says where"),
        (("exec", "POD", "-c", "age", "--", "ls"), "look at it in a terminal"),
        (("cp", "-c", "age", "NAME:/etc/hosts", "/tmp/hosts"), "look at it in a terminal"),
        (("attach", "POD", "-c", "age"), "kubectl logs -f shows"),
        (("debug", "POD", "--image=busybox"), "look at it in a terminal"),
        (("top", "pod"), "top in a terminal shows what they take"),
        (("top", "node"), "top in a terminal shows what they take"),
        (("logs", "POD", "-c", "age", "--timestamps"), "ask without --timestamps"),
    ],
)
def test_a_command_says_what_there_is_instead(
    cluster: Cluster, pod: str, words: tuple[str, ...], instead: str
) -> None:
    name = pod.removeprefix("pod/")
    said = cluster.kubectl(*(word.replace("POD", pod).replace("NAME", name) for word in words), ok=False)
    assert "the embedded engine" in said
    assert instead in said


@pytest.mark.parametrize(
    ("api_version", "kind", "spec", "words"),
    [
        (
            "security.istio.io/v1",
            "PeerAuthentication",
            {},
            "the embedded engine does not support PeerAuthentication",
        ),
        ("apps/v1", "DaemonSet", {}, "the embedded engine does not support DaemonSet"),
        (
            "networking.istio.io/v1",
            "Sidecar",
            {"egress": [{"hosts": ["./*"]}]},
            "kind Sidecar: not supported by the embedded engine",
        ),
    ],
)
def test_a_kind_that_is_not_served_is_refused_on_every_path(
    cluster: Cluster, api_version: str, kind: str, spec: dict[str, object], words: str
) -> None:
    text = yaml.safe_dump({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec})
    for command in (("create",), ("apply",), ("apply", "--server-side")):
        said = cluster.kubectl(*command, "--validate=false", "--filename=-", stdin=text, ok=False)
        assert words in said
    resource = f"{kind.lower()}.{api_version.partition('/')[0]}"
    assert cluster.kubectl("get", resource, "--output=name") == ""
    assert "not found" in cluster.kubectl("get", resource, "a", ok=False)
