"""The live view of a release without a browser: what a frame holds, and what its buttons do."""

from typing import Any

import pandas as pd
import pytest
from argo_stages import put
from fake_api import make_cluster
from release_plans import plan

from kata_lib.delivery import Release, argo, events, record
from kata_lib.delivery.record import Record
from kata_lib.lab.live import by_argo, by_plan
from kata_lib.lab.live import release as live_release
from kata_lib.lab.live.by_argo import ByArgo
from kata_lib.lab.live.by_plan import ByPlan
from kata_lib.lab.live.release import LiveRelease
from kata_lib.lab.live.widget import ReleaseWidget
from kata_lib.mesh import old_weights as mesh
from kata_lib.mesh import telemetry


class Lab:
    """As much of a Lab as the view asks for."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster


def reading(v1: float, v2: float) -> pd.DataFrame:
    keys = [
        ("sentences-0", "source", "sentences", "v1", "name", f"name-{v}", v, "200", "-", "")
        for v in ("v1", "v2")
    ]
    index = pd.MultiIndex.from_tuples(keys, names=telemetry.READING)
    return pd.DataFrame({"requests": [v1, v2], "timed": 0.0, "milliseconds": 0.0}, index=index)


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> LiveRelease:
    cluster, _ = make_cluster(monkeypatch)
    for path in ("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml"):
        cluster.apply(path)
    record.save(cluster, Record(events.begin(plan({"setWeight": 20}, {"analysis": {}}), 1.0)))
    readings = iter([reading(0, 0), reading(75, 25), reading(75, 25)])
    monkeypatch.setattr(telemetry, "counters", lambda *_: next(readings))
    made = LiveRelease(Lab(cluster), ByPlan(cluster, Release(cluster, "name")))  # type: ignore[arg-type]
    made.sent = []  # type: ignore[attr-defined]
    monkeypatch.setattr(made.widget, "send", made.sent.append)  # type: ignore[attr-defined]
    return made


def frames(view: LiveRelease) -> list[dict[str, Any]]:
    return view.sent  # type: ignore[attr-defined, no-any-return]


def test_a_frame_holds_the_plan_the_shares_and_the_decisions(view: LiveRelease) -> None:
    view._draw()
    view._draw()
    frame = frames(view)[-1]
    (row,) = frame["seconds"]
    assert row[1:3] == [100, 0.0]
    assert row[3]["name-v2"] == [25.0, 17.5, 34.3]
    assert [(c["mark"], c["after"]["name-v2"]) for c in frame["changes"]] == [("", 0), ("20 %", 20)]
    words = frame["words"]
    assert (words["steps"], words["step"]) == (["setWeight 20", "analysis"], 1)
    assert words["may"] == ["pause", "promote", "promote fully", "abort"]
    assert words["decisions"][0].endswith("20 % of the requests go to name-v2, 80 % to name-v1.")
    assert [m["version"] for m in words["metrics"]] == ["name-v2", "name-v1"]


def test_a_button_decides_and_a_refusal_is_told(view: LiveRelease) -> None:
    view._hear({"type": "do", "command": "abort"})
    assert mesh.weights(view._cluster)["name-v2"] == 0.0
    view._hear({"type": "do", "command": "promote"})
    view._draw()
    words = frames(view)[-1]["words"]
    assert "promote does nothing; retry begins it again" in words["note"]
    assert (words["phase"], words["step"], words["may"]) == ("Degraded", -1, ["retry"])
    view._hear({"type": "do", "command": "rm -rf"})


def test_each_button_of_the_browser_is_a_command() -> None:
    script = ReleaseWidget._esm
    for button in live_release.BUTTONS:
        assert f'"{button}"' in str(script)
    assert set(live_release.BUTTONS) == set(by_plan.COMMANDS)
    assert set(by_argo.COMMANDS) < set(live_release.BUTTONS)


def test_a_release_that_was_forgotten_is_told(view: LiveRelease) -> None:
    view._cluster.remove("v1", "ConfigMap", "release-name")
    view._draw()
    assert "There is no release of name" in frames(view)[-1]["words"]["note"]


def test_a_release_by_argo_rollouts_gives_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, api = make_cluster(monkeypatch)
    put(api, "at-50")
    readings = iter([reading(0, 0), reading(60, 40), *[reading(120, 80)] * 3])
    monkeypatch.setattr(telemetry, "counters", lambda *_: next(readings))
    view = LiveRelease(Lab(cluster), ByArgo(argo.find(cluster)))  # type: ignore[arg-type]
    view.sent = []  # type: ignore[attr-defined]
    monkeypatch.setattr(view.widget, "send", view.sent.append)  # type: ignore[attr-defined]
    for _ in range(3):
        view._draw()
    frame = frames(view)[-1]
    assert frame["seconds"][-1][3]["v2"] == [40.0, 30.9, 49.8]
    assert [change["after"] for change in frame["changes"]] == [{"v2": 50, "v1": 50}]
    words = frame["words"]
    assert words["steps"] == [
        "setWeight 1",
        "analysis",
        "setWeight 10",
        "analysis",
        "setWeight 50",
        "analysis",
    ]
    assert words["may"] == ["pause", "promote", "promote fully", "abort"]
    assert [(m["version"], m["requests"], m["least"]) for m in words["metrics"]] == [
        ("v2", 40, 95.0),
        ("v1", 60, None),
    ]
    put(api, "promoted")
    view._draw()
    words = frames(view)[-1]["words"]
    assert (words["phase"], words["step"], words["may"]) == ("Healthy", 6, [])
    view._hear({"type": "do", "command": "abort"})
    put(api, "aborted-by-analysis")
    view._draw()
    words = frames(view)[-1]["words"]
    assert "abort does nothing" in words["note"]
    assert (words["phase"], words["step"], words["may"]) == ("Degraded", -1, ["retry"])
    assert "RolloutAborted" in view._as_text()
