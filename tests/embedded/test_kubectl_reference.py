"""kubectl answers here as it was recorded on a real cluster: every command, every word."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import recording

from embedded.engine_cluster import Cluster


@pytest.fixture
def environment(cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """A fresh namespace, and an environment whose kubectl works in it."""
    namespace = f"reference-{request.node.callspec.id.replace('.', '-')}"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_bytes(cluster.location.kubeconfig.read_bytes())
    kubeconfig.chmod(0o600)
    cluster.kubectl("create", "namespace", namespace)
    cluster.kubectl(
        "config", "set-context", "--current", f"--namespace={namespace}", f"--kubeconfig={kubeconfig}"
    )
    yield {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "KUBECONFIG": str(kubeconfig),
        "KUBECTL_EXTERNAL_DIFF": "diff -u",
        "NAMESPACE": namespace,
    }
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.mark.parametrize("name", [path.stem for path in sorted(recording.COMMANDS.glob("*.commands"))])
def test_kubectl_answers_as_recorded(name: str, environment: dict[str, str], cluster: Cluster) -> None:
    expected = json.loads((recording.COMMANDS / f"{name}.expected.json").read_text())
    node = cluster.kubectl("get", "nodes", "--output=jsonpath={.items[0].metadata.name}")
    assert recording.play_all(name, environment, node) == expected
