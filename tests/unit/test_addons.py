"""kata_lib.addons and kata_lib.addons.kiali without a cluster: manifests, refusals, and what a graph says."""

import gc
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import psutil
import pytest
import yaml

from kata_lib import addons, versions
from kata_lib.addons import flagger, grafana, kiali, manifests, prometheus, rollouts_gateway_api
from kata_lib.addons.processes import without_containers
from kata_lib.cluster.location import Location
from kata_lib.cluster.waiting import Progress
from kata_lib.course.application import APPLICATION
from kata_lib.engines import istioctl
from kata_lib.engines.addons import Addons, Site
from kata_lib.engines.containers import ContainerAddons, images_of
from kata_lib.engines.embedded import EmbeddedEngine
from kata_lib.engines.embedded.api import scrape
from kata_lib.engines.folder import Folder
from kata_lib.engines.forwarding import port_forward
from kata_lib.engines.kind import KindEngine
from kata_lib.engines.programs import program
from kata_lib.errors import EngineError, KataError


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KATA_HOME", str(tmp_path))


class RunningContainers:
    """An engine whose cluster runs containers, by the one thing that add-ons ask of it."""

    name = "kind"

    def __init__(self) -> None:
        self.folder = Folder("kata")

    def unavailable(self) -> str | None:
        return None

    def start(self, progress: Progress) -> Location:
        raise AssertionError("nothing is started")

    def stop(self) -> None:
        raise AssertionError("nothing is stopped")

    def where(self) -> Location | None:
        return Location(self.folder.kubeconfig, "127.0.0.1")

    def load(self, images: Sequence[str], progress: Progress) -> None:
        raise AssertionError("nothing is loaded")

    def addons(self) -> Addons:
        return ContainerAddons(self.folder, self.load)


def quiet(line: str) -> None:
    """Take what is said."""


def embedded() -> EmbeddedEngine:
    return EmbeddedEngine("kata", APPLICATION)


def test_what_cannot_be_installed_is_refused() -> None:
    with pytest.raises(
        EngineError, match=r"runs programs of this machine.*`live\.show_graph\(lab\)`.*--engine kind"
    ):
        addons.install(embedded(), ["prometheus", "kiali"], quiet)
    with pytest.raises(KataError, match="no add-on 'jaeger'; there are: prometheus, kiali, grafana"):
        addons.install(RunningContainers(), ["jaeger"], quiet)


def test_each_engine_can_have_its_own() -> None:
    assert addons.with_page(embedded()) == ["prometheus"]
    assert addons.with_page(RunningContainers()) == ["prometheus", "kiali", "grafana"]


def test_without_a_cluster_there_is_nothing_to_install_in() -> None:
    with pytest.raises(EngineError, match="does not run: `kata up` starts it"):
        addons.install(KindEngine("kata", APPLICATION), ["kiali"], quiet)


def test_an_image_that_stands_for_no_program_cannot_be_loaded() -> None:
    with pytest.raises(EngineError, match=r"runs no containers, so it cannot load nginx:1"):
        embedded().load(["nginx:1"], quiet)


def test_a_manifest_is_taken_from_the_folder_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KATA_ADDONS", str(tmp_path))
    with pytest.raises(EngineError, match=r"there is no kiali\.yaml in it"):
        kiali.KIALI.manifest()
    (tmp_path / "kiali.yaml").write_text("kind: Deployment\n")
    assert kiali.KIALI.manifest() == "kind: Deployment\n"


def test_a_manifest_is_fetched_for_istioctls_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KATA_ADDONS", raising=False)
    monkeypatch.setattr(istioctl, "version", lambda: versions.ISTIO)
    asked = []

    def get(url: str, **_: object) -> httpx2.Response:
        asked.append(url)
        return httpx2.Response(200, text="kind: Deployment\n", request=httpx2.Request("GET", url))

    monkeypatch.setattr(httpx2, "get", get)
    assert grafana.GRAFANA.manifest() == "kind: Deployment\n"
    assert asked[0].endswith(f"/release-{versions.minor(versions.ISTIO)}/samples/addons/grafana.yaml")

    def refuse(url: str, **_: object) -> httpx2.Response:
        raise httpx2.ConnectError("no network")

    monkeypatch.setattr(httpx2, "get", refuse)
    with pytest.raises(EngineError, match=r"cannot be fetched from .*no network.*KATA_ADDONS names a folder"):
        manifests.of_istio("kiali")


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
def with_kiali(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunningContainers:
    """Return an engine whose kubectl is a stand-in that knows Kiali alone."""
    file = tmp_path / "kubectl"
    file.write_text(KUBECTL)
    file.chmod(0o755)
    monkeypatch.setenv("KATA_KUBECTL", str(file))
    monkeypatch.setenv("FOLDER", str(tmp_path))
    return RunningContainers()


def lab(engine: Any) -> Any:
    return SimpleNamespace(engine=engine, cluster=SimpleNamespace(namespace="class"))


def test_the_dashboards_that_are_there_are_linked_and_the_others_explained(
    with_kiali: RunningContainers, tmp_path: Path
) -> None:
    found = addons.dashboards(lab(with_kiali), "name")
    assert list(found.links) == ["kiali"]
    assert found.links["kiali"].startswith(
        "http://127.0.0.1:41234/kiali/console/graph/namespaces?namespaces=class&"
    )
    assert "Traffic Distribution" in repr(found)
    assert "`kata addons install prometheus` installs it" in found._repr_html_()
    pid = int((tmp_path / "pid").read_text())
    assert psutil.pid_exists(pid)
    del found
    gc.collect()
    assert not psutil.pid_exists(pid)


def test_the_embedded_engine_has_no_dashboards_of_containers() -> None:
    said = repr(addons.dashboards(lab(embedded()), "name"))
    assert said.startswith("prometheus: The cluster does not run")
    assert "kiali, grafana: The embedded engine runs programs of this machine" in said
    assert said.count("embedded") == 1


@pytest.mark.usefixtures("with_kiali")
def test_a_port_forward_ends_with_the_process_that_opened_it(tmp_path: Path) -> None:
    """Killed, so that nothing of its own could end it."""
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom kata_lib.engines.forwarding import port_forward\n"
        "with port_forward(Path('k'), 'istio-system', 'service/kiali', 20001):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    pid = int((tmp_path / "pid").read_text())
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(5)


@pytest.mark.usefixtures("with_kiali")
def test_what_kubectl_says_of_a_way_that_cannot_be_opened() -> None:
    with (
        pytest.raises(EngineError, match="could not be opened: error: no such service"),
        port_forward(Path("k"), "istio-system", "service/jaeger", 80),
    ):
        pass


FLAGGER = """
kind: ServiceAccount
metadata:
  name: flagger
  namespace: default
---
kind: Deployment
metadata:
  name: flagger
  namespace: default
spec:
  template:
    spec:
      containers:
      - name: flagger
        image: ghcr.io/fluxcd/flagger:1
        command:
        - ./flagger
        - -log-level=info
"""

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
    first, deployment = without_containers(ARGO, ["--metricsPort=-1", "--healthzPort=-1"])
    assert first == {"kind": "Namespace", "metadata": {"name": "a"}}
    spec = deployment["spec"]["template"]["spec"]
    assert spec.keys() == {"containers"}
    assert spec["containers"][0].keys() == {"name", "image", "args"}
    assert spec["containers"][0]["args"] == ["--metricsPort=-1", "--healthzPort=-1"]


def test_the_controller_is_told_where_its_plugin_is_and_begins_anew() -> None:
    objects = without_containers(ARGO, [])
    objects[1]["spec"]["template"]["metadata"] = {"labels": {"app": "argo"}}
    _, deployment, settings, role, binding = rollouts_gateway_api.with_plugin(objects, "file:///bin/plugin")
    (plugin,) = yaml.safe_load(settings["data"]["trafficRouterPlugins"])
    assert plugin == {"name": "argoproj-labs/gatewayAPI", "location": "file:///bin/plugin"}
    assert deployment["spec"]["template"]["metadata"]["annotations"] == {plugin["name"]: plugin["location"]}
    assert role["metadata"]["name"] == binding["roleRef"]["name"]


def test_in_a_real_cluster_the_controller_fetches_the_plugin_of_the_pinned_release(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KATA_ADDONS", str(tmp_path))
    (tmp_path / "rollouts.yaml").write_text(ARGO.replace("template:", "template:\n    metadata: {}"))
    text = rollouts_gateway_api.manifest()
    assert images_of(text) == ["quay.io/argoproj/argo-rollouts:v1"]
    settings = next(obj for obj in yaml.safe_load_all(text) if obj["kind"] == "ConfigMap")
    (plugin,) = yaml.safe_load(settings["data"]["trafficRouterPlugins"])
    assert f"/v{versions.GATEWAY_API_PLUGIN}/gatewayapi-plugin-linux-" in plugin["location"]
    (tmp_path / "rollouts-gateway-api.yaml").write_text("kind: Deployment\n")
    assert rollouts_gateway_api.manifest() == "kind: Deployment\n"


def test_flagger_comes_in_its_own_namespace_and_asks_the_meshs_prometheus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KATA_ADDONS", str(tmp_path))
    (tmp_path / "flagger.yaml").write_text(FLAGGER)
    account, deployment = map(dict, yaml.safe_load_all(flagger.manifest()))
    assert account["metadata"]["namespace"] == deployment["metadata"]["namespace"] == "flagger-system"
    command = deployment["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command == ["./flagger", "-log-level=info", f"-metrics-server={flagger.METRICS}"]
    site = Site(tmp_path, "https://127.0.0.1:6443", tmp_path / "token", tmp_path / "ca.pem", "")
    container = flagger.as_process(site)[1]["spec"]["template"]["spec"]["containers"][0]
    assert container["args"][0] == "-log-level=info"
    assert "-kubeconfig=$(KUBECONFIG)" in container["args"]
    assert "command" not in container


def test_a_program_that_is_missing_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match=r"no-such is not there: a shop sells it, or KATA_NO_SUCH names it"):
        program("no-such", "a shop sells it")
    monkeypatch.setenv("KATA_NO_SUCH", "/nowhere")
    with pytest.raises(EngineError, match="KATA_NO_SUCH names '/nowhere', which is not there"):
        program("no-such", "a shop sells it")


def test_prometheus_asks_the_api_whom_to_scrape(tmp_path: Path) -> None:
    targets = "https://127.0.0.1:6443/targets"
    site = Site(tmp_path, "https://127.0.0.1:6443", tmp_path / "token", tmp_path / "ca.pem", targets)
    deployment, service = prometheus.as_process(site)
    assert service["metadata"]["name"] == deployment["metadata"]["name"] == prometheus.PROMETHEUS.deployment
    (scraped,) = json.loads((tmp_path / "prometheus.yaml").read_text())["scrape_configs"]
    assert scraped["http_sd_configs"][0]["url"] == targets
    assert scraped["authorization"]["credentials_file"] == str(tmp_path / "token")


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
