"""The context engine on a real cluster that does not serve: clear words, and nothing changed there.

Runs where KATA_TEST_ENGINE=context asks for it; the cluster is a kind cluster of a stranger's (conftest.py).
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kata_lib.cluster import waiting
from kata_lib.course.application import APPLICATION
from kata_lib.engines import kubectl
from kata_lib.engines.context import ContextEngine
from kata_lib.engines.folder import Folder
from kata_lib.engines.kind.nodes import configuration
from kata_lib.engines.kind.settings import KindSettings
from kata_lib.errors import EngineError

pytestmark = pytest.mark.needs("context")

NAME = "refused"
PLAIN = "kata-plain"
"""A kind cluster without Istio."""


@pytest.fixture(scope="module")
def admin(engine_environment: dict[str, str]) -> Iterator[Path]:
    """The kubeconfig of whoever runs the cluster."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in engine_environment.items():
            patch.setenv(name, value)
        yield Path(engine_environment["KATA_CONTEXT_KUBECONFIG"])


def namespaces(admin: Path) -> set[str]:
    return {n["metadata"]["name"] for n in kubectl.read(admin, "get", "namespaces")["items"]}


@pytest.fixture
def unchanged(admin: Path) -> Iterator[None]:
    """Afterwards the cluster has the namespaces that it had, and the workshop keeps nothing."""
    before = namespaces(admin)
    yield
    waiting.until(lambda: ", ".join(namespaces(admin) ^ before), 60.0, quiet, "the namespaces differ")
    assert Folder(NAME).note() is None


def quiet(line: str) -> None:
    """Take what is said."""


def refused(said: str) -> None:
    try:
        with pytest.raises(EngineError, match=said):
            ContextEngine(NAME, APPLICATION).start(quiet)
    finally:
        ContextEngine(NAME, APPLICATION).stop()


def service_account(admin: Path, folder: Path) -> Path:
    """Return a kubeconfig of somebody who may log in and do nothing."""
    kubectl.kubectl(admin, "create", "serviceaccount", "nobody", "--namespace=default")
    token = kubectl.kubectl(admin, "create", "token", "nobody", "--namespace=default").strip()
    config = yaml.safe_load(admin.read_text())
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    file = folder / "nobody.kubeconfig"
    file.write_text(json.dumps(config))
    file.chmod(0o600)
    return file


@pytest.mark.usefixtures("unchanged")
def test_without_rights_each_that_lacks_is_named(
    admin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        monkeypatch.setenv("KATA_CONTEXT_KUBECONFIG", str(service_account(admin, tmp_path)))
        refused(
            r"You may not do on this cluster .*get namespaces; create namespaces; .*list deployments\.apps"
        )
    finally:
        kubectl.kubectl(admin, "delete", "serviceaccount", "nobody", "--namespace=default")


@pytest.mark.usefixtures("unchanged")
def test_without_room(admin: Path) -> None:
    (node,) = kubectl.read(admin, "get", "nodes")["items"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "all-there-is", "namespace": "default"},
        "spec": {
            "nodeSelector": {"no": "such-node"},
            "containers": [
                {
                    "name": "idle",
                    "image": "kata/sentences:v1",
                    "resources": {"requests": {"cpu": node["status"]["allocatable"]["cpu"]}},
                }
            ],
        },
    }
    kubectl.create(admin, [pod])
    try:
        refused(r"no room on the cluster: 8 pods ask for .* cores of cpu, 0 are free")
    finally:
        kubectl.kubectl(admin, "delete", "pod", "all-there-is", "--namespace=default")


@pytest.mark.usefixtures("unchanged")
def test_without_injection(admin: Path) -> None:
    hooks = kubectl.read(admin, "get", "mutatingwebhookconfigurations")["items"]
    assert hooks
    kubectl.kubectl(admin, "delete", "mutatingwebhookconfigurations", "--all")
    try:
        refused("Istio without injection of sidecars")
    finally:
        for hook in hooks:
            hook["metadata"] = {key: hook["metadata"][key] for key in ("name", "labels")}
        kubectl.create(admin, hooks)


@pytest.mark.usefixtures("unchanged")
def test_a_namespace_of_somebody_elses(admin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_NAMESPACE", "kube-public")
    refused("'kube-public' was not made by the workshop; it stays as it is")


@pytest.fixture
def plain(admin: Path, tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of a cluster without Istio."""
    image = KindSettings.read().node_image
    file, config = tmp_path / "plain.kubeconfig", tmp_path / "kind.json"
    config.write_text(json.dumps({**configuration(0, 0), "nodes": [{"role": "control-plane"}]}))
    kind = ["kind", "create", "cluster", f"--name={PLAIN}", f"--kubeconfig={file}", f"--config={config}"]
    subprocess.run([*kind, f"--image={image}"], check=True, timeout=180, capture_output=True)
    try:
        yield file
    finally:
        delete = ["kind", "delete", "cluster", f"--name={PLAIN}", f"--kubeconfig={file}"]
        subprocess.run(delete, check=True, timeout=60, capture_output=True)


def test_without_istio(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_CONTEXT_KUBECONFIG", str(plain))
    monkeypatch.setenv("KATA_CONTEXT", f"kind-{PLAIN}")
    before = namespaces(plain)
    refused(
        rf"The cluster of the context 'kind-{PLAIN}' has no Istio: it does not serve networking\.istio\.io/v1"
    )
    assert namespaces(plain) == before
    assert Folder(NAME).note() is None
