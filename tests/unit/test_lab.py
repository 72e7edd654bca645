"""kata_lib.lab.lab on the embedded engine's API: what a step sets up, keeps, and resets."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from api_server import Api, StartApi
from argo_stages import install
from counted import Counters, OneEnvoy

from kata_lib import engines
from kata_lib.cluster.client import Obj
from kata_lib.cluster.location import Location
from kata_lib.cluster.waiting import Progress
from kata_lib.course.application import APPLICATION
from kata_lib.delivery import argo
from kata_lib.engines.folder import Folder
from kata_lib.errors import ClusterError, EngineError, EngineUnavailable, KataError
from kata_lib.lab.lab import Lab, open_lab
from kata_lib.mesh import hops
from kata_lib.statistics.shares import share_of

CANARY = "deploy/virtual-service-canary.yaml"


class Started:
    """An engine whose cluster is an API server that runs already."""

    name = "started"

    def __init__(self, cluster: str, kubeconfig: Path, lacks: str | None = None) -> None:
        self.cluster = cluster
        self.folder = Folder(cluster)
        self.kubeconfig = kubeconfig
        self.lacks = lacks

    def unavailable(self) -> str | None:
        return self.lacks

    def start(self, progress: Progress) -> Location:
        return Location(self.kubeconfig, "127.0.0.9")

    def stop(self) -> None:
        pass

    def where(self) -> Location | None:
        return None

    def logs(self) -> Path:
        return Path("logs")


@pytest.fixture
def api(start_api: StartApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Api:
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "home"))
    api = start_api(injection=False)
    monkeypatch.setattr(engines, "select", lambda *_: Started("kata", api.kubeconfig))
    return api


def test_a_step_sets_up_what_is_missing_and_says_so(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    lab = open_lab(step="canary")
    said = capsys.readouterr().out
    assert "get a sidecar: istio-injection=enabled" in said
    assert "Missing for this step, and set up now: Deployment name-v2." in said
    assert "Ready. This step begins with deploy/v1 and deploy/v2." in said
    assert list(lab.pods()["ready"]) == ["2/2"] * 5
    assert lab.url().startswith("http://127.0.0.9:")


@pytest.mark.parametrize(
    "before", [[], ["deploy/v1"], ["deploy/v2", CANARY], ["deploy/v1", "deploy/v2", CANARY]]
)
@pytest.mark.parametrize("step", ["setup", "deploy", "canary"])
def test_a_reset_brings_exactly_the_start(api: Api, step: str, before: list[str]) -> None:
    lab = open_lab()
    for path in before:
        lab.apply(path)
    if "deploy/v2" in before:
        lab.scale("name-v2", 4)
    wanted = open_lab(step=step, reset=True)
    count = {"setup": 0, "deploy": 4, "canary": 5}[step]
    assert len(wanted.pods()) == count
    assert wanted.weights() == {}
    assert len(wanted.left_over()) == {"setup": 0, "deploy": 6, "canary": 7}[step]


def test_without_a_person_every_step_is_reset(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    open_lab(step="canary").apply(CANARY)
    monkeypatch.setenv("KATA_RESET", "1")
    assert open_lab(step="02-canary").weights() == {}


def test_a_rollout_takes_the_place_of_deployments_where_there_is_a_controller(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_lab(step="canary").apply(CANARY)
    with pytest.raises(ClusterError, match=r"no Argo Rollouts.*kata addons install rollouts"):
        open_lab(step="argo-rollouts")
    assert open_lab().weights() == {"name-v1": 90, "name-v2": 10}
    install(api)
    monkeypatch.setattr(argo, "until_healthy", lambda *_: None)
    left = open_lab(step="argo-rollouts").left_over()
    assert "set back DestinationRule name (" in capsys.readouterr().out
    assert "Rollout name" in left
    assert [line for line in left if line.startswith("Deployment")] == [
        "Deployment age",
        "Deployment sentences",
    ]
    assert open_lab(step="argo-rollouts").weights() == {"stable": 100, "canary": 0}
    assert "Rollout name" not in open_lab(step="deploy").left_over()
    assert "removed VirtualService name (weights stable=100 canary=0)" in capsys.readouterr().out


def test_an_unknown_step_lists_those_there_are(api: Api) -> None:
    with pytest.raises(KataError, match="setup, deploy, canary"):
        open_lab(step="canaries")


def test_predictions_stand_beside_the_truth_and_at_the_end(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = open_lab(step="deploy")
    lab.predict("share of v2 beside v1", 50)
    lab.predict("share of v2 on a kept connection", ...)
    said = capsys.readouterr().out
    assert "Noted, share of v2 beside v1: 50 %. Now look." in said
    assert "No prediction (share of v2 on a kept connection): put a number" in said
    shown = lab.compare("share of v2 beside v1", share_of("v2", 98, 300))
    assert "You said 50 %: 17.3 percentage points too many. Many say half" in repr(shown)
    end = lab.done()._repr_markdown_()
    assert "What you have done in 01-deploy: 0 of 2 checks" in end
    assert "| share of v2 beside v1 | 50 % | 32.7 % of 300" in end
    assert "| share of v2 on a kept connection | nothing | not looked at yet | |" in end


class Numbers:
    """Sidecars that have counted these requests, by pod."""

    def __init__(self, received: Mapping[str, int], sent: Mapping[str, int]) -> None:
        self._received, self._sent = received, sent

    def answer(self, pod: Obj, path: str) -> tuple[int, str]:
        name = pod["metadata"]["name"]
        return 200, (
            f'istio_requests_total{{reporter="destination",response_code="200"}} {self._received[name]}\n'
            f'istio_requests_total{{reporter="source",response_code="200"}} {self._sent.get(name, 0)}\n'
            "other_total 7\n"
        )


def test_hops_are_the_differences_of_the_sidecars_counters(api: Api) -> None:
    lab = open_lab(step="deploy")
    (age,), (sentences,), (first, second) = map(api.pods, ("age", "sentences", "name-v1"))
    received = {age: 5, first: 2, second: 3, sentences: 5}
    sent = {sentences: 10}
    api.sidecars = Numbers(received, sent)

    def request() -> None:
        for pod in (age, second, sentences):
            received[pod] += 1
        sent[sentences] += 2

    table = hops.count(lab.cluster, request)
    assert table.to_dict("index") == {
        sentences: {"received": 1, "sent": 2},
        age: {"received": 1, "sent": 0},
        second: {"received": 1, "sent": 0},
    }
    assert table.index[0] == sentences


@pytest.mark.parametrize(("by_istio", "left_out"), [(True, ()), (False, ("latency",))])
def test_what_the_sidecars_do_not_count_is_said(
    by_istio: bool,
    left_out: tuple[str, ...],
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lab = open_lab(step="deploy")
    counters = Counters(api.sidecars)
    counters.add("v1", 1)
    api.sidecars = counters if by_istio else OneEnvoy()
    monkeypatch.setattr(lab, "sample", lambda requests: None)
    capsys.readouterr()
    assert lab.uncounted() == left_out
    assert ("Left out: latency" in capsys.readouterr().out) == bool(left_out)


def test_engines_are_chosen_by_name_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(engines, "ENGINES", {"first": "", "second": ""})
    lacks = {"first": "no Envoy for this machine"}
    monkeypatch.setattr(
        engines, "_make", lambda engine, cluster, _: Started(f"{engine}/{cluster}", Path(), lacks.get(engine))
    )
    monkeypatch.setenv("KATA_NAME", "ours")
    chosen = engines.select(APPLICATION)
    assert isinstance(chosen, Started)
    assert chosen.cluster == "second/ours"
    with pytest.raises(EngineUnavailable, match="first: no Envoy for this machine"):
        engines.select(APPLICATION, "first")
    with pytest.raises(EngineError, match="There is no engine 'minikube'; choose one of: first, second"):
        engines.select(APPLICATION, "minikube")
    with pytest.raises(EngineError, match=r"not '\.\./x'"):
        engines.select(APPLICATION, cluster="../x")


def test_a_lab_says_what_it_is(api: Api) -> None:
    assert isinstance(open_lab(), Lab)
    assert repr(open_lab()) == "Lab on the started engine, namespace default"
