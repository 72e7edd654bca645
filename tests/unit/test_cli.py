"""The kata command without a cluster, and on one without a node."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from api_server import Api
from click.testing import CliRunner

from kata_lib import cli
from kata_lib.errors import KataError
from kata_lib.mesh import proxy_config
from kata_lib.traffic import summary

DUMP = Path(__file__).parents[1] / "reference" / "envoy" / "config_dump.json"
"""What an Envoy of a real Istio had in force at port 5000."""


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    result = CliRunner().invoke(cli.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return str(result.output)


@pytest.fixture
def cluster(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the commands find an API server, whose container `name` has logged a line."""
    api.logs["name"] = "GET / 200\n"
    cluster = api.cluster()
    for commands in (cli.cluster, cli.workshop):
        monkeypatch.setattr(commands, "the_cluster", lambda: cluster)


@pytest.mark.usefixtures("cluster")
def test_the_exercise_by_hand(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no pods" in run(monkeypatch, "status")
    assert "deployment.apps/name-v1 created" in run(monkeypatch, "apply", "deploy/v1", "deploy/v2")
    (sentences,) = api.pods("sentences")
    assert f"name: v1 66.7 %, v2 33.3 %, as the sidecar of {sentences} has it." in " ".join(
        run(monkeypatch, "status").split()
    )
    assert "share the requests evenly" in run(monkeypatch, "weights")
    run(monkeypatch, "apply", "deploy/virtual-service-canary.yaml")
    assert run(monkeypatch, "weights") == "name-v1  90\nname-v2  10\n"
    assert run(monkeypatch, "weights", "name-v2=25") == "name-v1  75\nname-v2  25\n"
    assert run(monkeypatch, "url").startswith("http://127.0.0.9:")
    assert run(monkeypatch, "logs", *api.pods("name-v2")) == "GET / 200\n"
    assert "deleted" in run(monkeypatch, "delete", "deploy/v2")


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    "arguments",
    [
        ["apply", "deploy/v7"],
        ["weights", "name-v2"],
        ["weights", "name-v2=ten"],
        ["url"],
        ["logs", "nobody"],
        ["proxy-config", "listeners", "pod"],
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["kata", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("kata: ")
    assert said.count("\n") == 1


def test_a_name_of_before_is_refused_with_the_line_to_run() -> None:
    with pytest.raises(KataError, match=r"kata release start 'my plan.yaml'$"):
        CliRunner().invoke(cli.app, ["rollout", "start", "my plan.yaml"], catch_exceptions=False)


def test_name_may_stand_anywhere() -> None:
    assert cli._common_first(["up", "--name", "b"]) == ["--name", "b", "up"]
    assert cli._common_first(["sample", "--name=b", "-n", "5"]) == ["--name=b", "sample", "-n", "5"]
    both = ["--engine", "context", "--context=c", "up"]
    assert cli._common_first(["up", "--engine", "context", "--context=c"]) == both
    assert cli._common_first(["up"]) == ["up"]
    assert cli._common_first(["up", "--name"]) == ["--name", "up"]


CLUSTERS = [
    "inbound|5000||",
    "outbound|5000|name-v1|name.default.svc.cluster.local",
    "outbound|5000|name-v2|name.default.svc.cluster.local",
    *(f"outbound|5000||{service}.default.svc.cluster.local" for service in ("age", "name", "sentences")),
]


@pytest.mark.parametrize(
    ("section", "names"), [("clusters", CLUSTERS), ("endpoints", CLUSTERS), ("listeners", ["0.0.0.0_5000"])]
)
def test_proxy_config_takes_a_section_out_of_the_dump(section: str, names: list[str]) -> None:
    dump = json.loads(DUMP.read_text())
    found = proxy_config.select(dump, proxy_config.section(section))
    assert [entry.get("name") or entry["cluster_name"] for entry in found] == names
    assert [table["name"] for table in proxy_config.select(dump, "routes")] == ["5000"]
    with pytest.raises(KataError, match="choose listeners, routes, clusters, endpoints"):
        proxy_config.section("secrets")


def test_a_summary_is_json_and_text() -> None:
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"]),
            "version": pd.Series(["v1", "v2", None], dtype=object),
            "latency_ms": [1.0, 2.0, 3.0],
            "error": pd.Series([None, None, "HTTP 503: no"], dtype=object),
        }
    )
    found = json.loads(json.dumps(summary.summarize(frame)))
    assert (found["requests"], found["failures"], found["seconds"]) == (3, 1, 2.0)
    assert found["versions"]["v2"]["count"] == 1
    assert found["errors"] == {"HTTP 503: no": 1}
    text = summary.text(found)
    assert "3 requests in 2.0 s, 1 failed" in text
    assert "v2       1  50.0 % of 2" in text
    assert summary.text(summary.summarize(frame[:0])).startswith("0 requests")


def loaded(modules: tuple[str, ...], statement: str) -> list[str]:
    """Return which of the modules a new Python has loaded after a statement."""
    code = f"import sys; {statement}; print(*[m for m in {modules} if m in sys.modules])"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


def test_what_is_loaded_is_found() -> None:
    assert loaded(("json", "pandas"), "import json") == ["json"]


def test_a_notebooks_first_cell_loads_neither_tables_nor_pictures() -> None:
    modules = ("pandas", "numpy", "narwhals", "psutil", "httpx", "httpx2", "lightkube", "websocket", "yaml")
    assert loaded(modules, "from kata_lib import open_lab, plots") == []


def test_the_command_loads_nothing_heavy() -> None:
    heavy = ("pandas", "plotly", "kubernetes", "nbclient", "rich", "psutil", "httpx")
    modules = (*heavy, "asyncio", "httpx2", "lightkube", "yaml")
    command = "kata_lib.cli, kata_lib.cluster.cluster, kata_lib.course.service, kata_lib.mesh.weights"
    command += ", kata_lib.engines.embedded"
    assert loaded(modules, f"import {command}") == []
