"""kata_lib.addons and kata_lib.addons.kiali without a cluster: manifests, refusals, and what a graph says."""

import gc
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import psutil
import pytest
import yaml

from kata_lib import addons
from kata_lib.addons import kiali, manifests, prometheus_embedded, rollouts_embedded
from kata_lib.addons.embedded import Program
from kata_lib.cluster.location import Location
from kata_lib.engines.embedded.api import scrape
from kata_lib.engines.embedded.kubelet import images
from kata_lib.engines.forwarding import port_forward
from kata_lib.engines.kind import istio
from kata_lib.errors import EngineError, KataError


class Engine:
    """An engine by its name and where its cluster is."""

    def __init__(self, name: str, place: Path | None, folder: Path) -> None:
        self.name, self.place, self.folder = name, place, folder

    def unavailable(self) -> str | None:
        return None

    def start(self, progress: Any) -> Location:
        raise AssertionError("nothing is started")

    def stop(self) -> None:
        raise AssertionError("nothing is stopped")

    def where(self) -> Location | None:
        return Location(self.place, "127.0.0.1") if self.place else None

    def logs(self) -> Path:
        return self.folder / "logs"


def quiet(line: str) -> None:
    """Take what is said."""


@pytest.mark.parametrize(
    ("engine", "names", "said"),
    [
        ("embedded", ["prometheus", "kiali"], "The embedded engine has no Kiali and no Grafana"),
        ("kind", ["jaeger"], "no add-on 'jaeger'; there are: prometheus, kiali, grafana, rollouts"),
    ],
)
def test_what_cannot_be_installed_is_refused(
    engine: str, names: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(KataError, match=said):
        addons.install(Engine(engine, tmp_path / "kubeconfig", tmp_path), names, quiet)


def test_each_engine_can_have_its_own(tmp_path: Path) -> None:
    assert addons.of_istio(Engine("embedded", None, tmp_path)) == ["prometheus"]
    assert addons.of_istio(Engine("context", None, tmp_path)) == ["prometheus", "kiali", "grafana"]


def test_without_a_cluster_there_is_nothing_to_install_in(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not run: `kata up` starts it"):
        addons.install(Engine("kind", None, tmp_path), ["kiali"], quiet)


def test_a_manifest_is_taken_from_the_folder_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KATA_ADDONS", str(tmp_path))
    with pytest.raises(EngineError, match=r"there is no kiali\.yaml in it"):
        manifests.manifest_of("kiali", tmp_path)
    (tmp_path / "kiali.yaml").touch()
    assert manifests.manifest_of("kiali", tmp_path) == tmp_path / "kiali.yaml"


def test_a_manifest_is_fetched_for_istioctls_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KATA_ADDONS", raising=False)
    monkeypatch.setattr(istio, "version", lambda: "1.31.2")
    asked = []

    def get(url: str, **_: object) -> httpx2.Response:
        asked.append(url)
        return httpx2.Response(200, text="kind: Deployment\n", request=httpx2.Request("GET", url))

    monkeypatch.setattr(httpx2, "get", get)
    assert manifests.manifest_of("kiali", tmp_path).read_text() == "kind: Deployment\n"
    assert asked[0].endswith("/release-1.31/samples/addons/kiali.yaml")

    def refuse(url: str, **_: object) -> httpx2.Response:
        raise httpx2.ConnectError("no network")

    monkeypatch.setattr(httpx2, "get", refuse)
    with pytest.raises(EngineError, match=r"cannot be fetched from .*no network.*KATA_ADDONS names a folder"):
        manifests.manifest_of("kiali", tmp_path)


def graph(*rates: tuple[str, dict[str, str]]) -> dict[str, Any]:
    """Return a graph as Kiali's API has it: sentences to the Service name, and that to its versions."""
    nodes = [
        {"data": {"id": "s", "nodeType": "app", "app": "sentences", "version": "v1"}},
        {"data": {"id": "n", "nodeType": "service", "service": "name"}},
    ]
    edges: list[Any] = [{"data": {"source": "s", "target": "n", "traffic": {"rates": {"http": "50.00"}}}}]
    for version, rate in rates:
        nodes.append({"data": {"id": version, "nodeType": "app", "app": "name", "version": version}})
        edges.append({"data": {"source": "n", "target": version, "traffic": {"rates": rate}}})
    return {"elements": {"nodes": nodes, "edges": edges}}


def test_the_distribution_of_a_graph() -> None:
    both = graph(
        ("v1", {"http": "45.30", "httpPercentReq": "90.6"}), ("v2", {"http": "4.70", "httpPercentReq": "9.4"})
    )
    assert kiali.of_graph(both, "name") == pytest.approx({"v1": 0.906, "v2": 0.094})
    assert kiali.of_graph(graph(("v2", {"http": "50.00"})), "name") == {"v2": 1.0}
    assert kiali.of_graph(graph(), "name") == {}


KUBECTL = """#!/bin/sh
# As kubectl: a Deployment that is there or not, and a port-forward that stays until it is ended.
case "$*" in
  *"get deployment kiali"*) echo '{"status": {"availableReplicas": 1}}' ;;
  *"get deployment"*) echo 'Error from server (NotFound): deployments.apps not found' >&2; exit 1 ;;
  *"service/kiali"*)
    echo "$$" > "$FOLDER/pid"
    echo "Forwarding from 127.0.0.1:41234 -> 20001"
    exec sleep 60 ;;
  *) echo 'error: no such service' >&2; exit 1 ;;
esac
"""


@pytest.fixture
def kind_with_kiali(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    """Return an engine whose kubectl is a stand-in that knows Kiali alone."""
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL)
    program.chmod(0o755)
    monkeypatch.setenv("KATA_KUBECTL", str(program))
    monkeypatch.setenv("FOLDER", str(tmp_path))
    return Engine("kind", tmp_path / "kubeconfig", tmp_path)


def test_the_dashboards_that_are_there_are_linked_and_the_others_explained(kind_with_kiali: Engine) -> None:
    lab = SimpleNamespace(engine=kind_with_kiali, cluster=SimpleNamespace(namespace="class"))
    found = addons.dashboards(lab)
    assert list(found.links) == ["kiali"]
    assert found.links["kiali"].startswith(
        "http://127.0.0.1:41234/kiali/console/graph/namespaces?namespaces=class&"
    )
    assert "Traffic Distribution" in repr(found)
    assert "`kata addons install prometheus` installs it" in found._repr_html_()
    pid = int((kind_with_kiali.folder / "pid").read_text())
    assert psutil.pid_exists(pid)
    del found
    gc.collect()
    assert not psutil.pid_exists(pid)


def test_the_embedded_engine_has_no_dashboards(tmp_path: Path) -> None:
    lab = SimpleNamespace(
        engine=Engine("embedded", tmp_path, tmp_path), cluster=SimpleNamespace(namespace="default")
    )
    said = repr(addons.dashboards(lab))
    assert said.startswith("prometheus: prometheus is not ready in this cluster: `kata addons install")
    assert "kiali, grafana: The embedded engine has no" in said
    assert said.count("embedded") == 1


def test_a_port_forward_ends_with_the_process_that_opened_it(kind_with_kiali: Engine) -> None:
    """Killed, so that nothing of its own could end it."""
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom kata_lib.engines.forwarding import port_forward\n"
        "with port_forward(Path('k'), 'istio-system', 'service/kiali', 20001):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=30)
    assert done.returncode == -signal.SIGKILL
    pid = int((kind_with_kiali.folder / "pid").read_text())
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(5)


def test_what_kubectl_says_of_a_way_that_cannot_be_opened(kind_with_kiali: Engine) -> None:
    with (
        pytest.raises(EngineError, match="could not be opened: error: no such service"),
        port_forward(Path("k"), "istio-system", "service/jaeger", 80),
    ):
        pass


ARGO = """
kind: Namespace
metadata: {name: a}
---
kind: Deployment
metadata: {name: argo-rollouts}
spec:
  template:
    spec:
      securityContext: {runAsNonRoot: true}
      volumes: [{name: tmp, emptyDir: {}}]
      containers:
      - name: argo-rollouts
        image: quay.io/argoproj/argo-rollouts:v1
        ports: [{containerPort: 8090}]
        livenessProbe: {httpGet: {path: /healthz, port: 8080}}
        volumeMounts: [{name: tmp, mountPath: /tmp}]
"""


def test_a_controller_goes_without_what_a_process_has_not() -> None:
    first, deployment = yaml.safe_load_all(rollouts_embedded.as_process(ARGO))
    assert first == {"kind": "Namespace", "metadata": {"name": "a"}}
    spec = deployment["spec"]["template"]["spec"]
    assert spec.keys() == {"containers"}
    assert spec["containers"][0].keys() == {"name", "image", "args"}
    assert {"--metricsPort=-1", "--healthzPort=-1"} < set(spec["containers"][0]["args"])


def test_a_program_that_is_missing_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program("no-such-program", "KATA_NO_SUCH", "a shop sells it")
    with pytest.raises(
        EngineError, match=r"the program no-such-program\. It is not on PATH: a shop sells it"
    ):
        program.file()
    monkeypatch.setenv("KATA_NO_SUCH", "/nowhere")
    with pytest.raises(EngineError, match="KATA_NO_SUCH names '/nowhere', which is no program"):
        program.file()


def test_a_program_is_put_where_the_kubelet_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KATA_HOME", str(tmp_path))
    file = tmp_path / "built" / "prometheus"
    file.parent.mkdir()
    file.touch(mode=0o755)
    monkeypatch.setenv("KATA_PROMETHEUS", str(file))
    program = prometheus_embedded.PROGRAM
    assert images.find("prom/prometheus:v3", tmp_path / "tools") is None
    for _ in range(2):
        program.offer(program.file())
    image = images.find("prom/prometheus:v3", tmp_path / "tools")
    assert image
    assert image.client
    assert Path(image.argv[0]).resolve() == file
    other = tmp_path / "other" / "prometheus"
    other.parent.mkdir()
    other.touch(mode=0o755)
    monkeypatch.delenv("KATA_PROMETHEUS")
    monkeypatch.setenv("PATH", str(other.parent))
    program.offer(program.file())
    assert (tmp_path / "tools" / "prometheus").resolve() == other


def test_prometheus_asks_the_api_whom_to_scrape(tmp_path: Path) -> None:
    found = prometheus_embedded.configuration("https://127.0.0.1:6443", tmp_path)
    assert found["scrape_configs"][0]["http_sd_configs"][0]["url"] == f"https://127.0.0.1:6443{scrape.PATH}"


def test_the_targets_of_a_prometheus() -> None:
    annotations = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "15020",
        "prometheus.io/path": "/stats",
    }
    pod: dict[str, Any] = {
        "metadata": {"name": "a", "namespace": "n", "annotations": annotations},
        "status": {"phase": "Running"},
    }
    silent = {"metadata": {"name": "b", "namespace": "n"}, "status": {"phase": "Running"}}
    waiting = {**pod, "status": {"phase": "Pending"}}
    (target,) = scrape.targets([pod, silent, waiting], "127.0.0.1:6443")
    assert target["targets"] == ["127.0.0.1:6443"]
    assert target["labels"]["__metrics_path__"] == "/api/v1/namespaces/n/pods/a:15020/proxy/stats"
