"""kata_lib.cli.report and exercise: rows as text, and a page that asks nothing of the network."""

import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from rich.console import Console
from test_report_page import loads

from kata_lib.cli import exercise, headless, report
from kata_lib.cli.exercise import Row
from kata_lib.cli.report import Executed
from kata_lib.course.journal import Content
from kata_lib.errors import KataError
from kata_lib.mesh import telemetry
from kata_lib.statistics.shares import share_of

ROWS = [
    Row("canary", 0.1, share_of("v2", 98, 1000), 0, "right"),
    Row("promoted", 1.0, share_of("v2", 30, 300), 2, "wrong"),
    Row("cleaned up", None, None, 0, "right", "nothing left"),
]


def executed() -> Any:
    still = {
        "image/svg+xml": "<svg id='still'/>",
        "application/vnd.plotly.v1+json": {},
        "text/plain": "still",
    }
    output = nbformat.v4.new_output("display_data", data=still)
    cell = nbformat.v4.new_code_cell("lab.weights()", outputs=[output])
    widgets: dict[str, Any] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    return nbformat.v4.new_notebook(
        metadata={"widgets": widgets}, cells=[nbformat.v4.new_markdown_cell("# Title"), cell]
    )


def page_of(rows: list[Row], executed: list[Executed]) -> str:
    """Return the report of a run in which no check was made."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        report.write(rows, executed, Content(), file)
        return file.read_text()


def test_a_notebook_that_was_skipped_says_why() -> None:
    page = page_of(ROWS, [Executed("07-argo-rollouts", executed(), None, skipped="No <controller>.")])
    assert "<p>Skipped. No &lt;controller&gt;.</p>" in page
    assert "lab.weights()" not in page


def test_the_page_shows_stills_and_loads_nothing() -> None:
    page = page_of(ROWS, [Executed("02-canary", executed(), None)])
    assert loads(page) == []
    assert "<script" not in page
    assert '<figure><svg id="still"></svg></figure>' in page
    assert 'class="highlight' in page


def test_the_table_has_one_row_a_step() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(headless.table(ROWS))
    text = console.export_text()
    assert re.search(r"canary +10\.0 % v2 ", text)
    assert "9.8 % of 1,000 (8.1 % to 11.8 %)" in text
    assert "nothing left" in text
    assert len(re.findall(r"right|wrong", text)) == 3


OUTSIDE = Row("canary", 0.1, share_of("v2", 73, 1000), 0, "right")


def test_a_right_row_whose_interval_misses_is_explained() -> None:
    said = "'canary' misses 10.0 %"
    assert report.notes(ROWS) == []
    assert [said in note for note in report.notes([*ROWS, OUTSIDE])] == [True]
    assert report.notes([replace(OUTSIDE, verdict="wrong")]) == []
    assert "misses 10.0 %, as one in twenty does" in page_of([OUTSIDE], [])


def test_the_longest_rows_fit_a_terminal() -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    whole = [Row(title, 1.0, share_of("failed", 300, 300), 0, "right") for title in exercise.TITLES]
    console.print(headless.table(whole))
    assert len(console.export_text().splitlines()) == len(whole) + 2


def test_where_the_report_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KATA_REPORT", raising=False)
    assert report.place(None).name == "report.html"
    monkeypatch.setenv("KATA_REPORT", str(tmp_path / "a.html"))
    assert report.place(None) == tmp_path / "a.html"
    assert report.place(Path("b.html")) == Path("b.html")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KataError, match="cannot be written"):
        report.write(ROWS, [], Content(), tmp_path / "file" / "report.html")


class FakeLab:
    """Answers with the share that the last applied file asks for; v3 gets a tenth and fails half of it.

    strangers: failures during v3's canary that are not v3's.
    """

    shares = (
        ("deploy/v1", 0.0),
        ("deploy/v2", 1 / 3),
        ("canary.yaml", 0.1),
        ("promote.yaml", 1.0),
        ("canary-v3.yaml", 0.9),
    )

    def __init__(self, failures: int = 0, left: list[str] | None = None, strangers: int = 0) -> None:
        self.last = ""
        self.failures = failures
        self.strangers = strangers
        self.by_v3 = {"200": 0, "500": 0}
        self.left = left or []
        self.deleted: list[str] = []

    def begin(self, step: str, reset: bool) -> None:
        assert reset
        self.last = "deploy/v1"

    def apply(self, path: str) -> None:
        self.last = path

    def delete(self, path: str) -> None:
        self.deleted.append(path)

    def left_over(self) -> list[str]:
        return self.left

    def counters(self, since: pd.DataFrame | None = None) -> pd.DataFrame:
        keys = [
            ("s", "source", "sentences", "", "name", "name-v3", "v3", code, "-", "") for code in self.by_v3
        ]
        index = pd.MultiIndex.from_tuples(keys, names=telemetry.READING)
        now = pd.DataFrame({"requests": list(map(float, self.by_v3.values()))}, index=index)
        return now if since is None else telemetry.difference(since, now)

    def sample(self, requests: int, concurrency: int, on_progress: Callable[[int], None]) -> pd.DataFrame:
        on_progress(requests)
        share = next(share for end, share in self.shares if self.last.endswith(end))
        v2 = round(requests * share)
        failed = self.failures
        if self.last.endswith("v3.yaml"):
            self.by_v3 = {"200": requests // 20, "500": requests // 20}
            failed = requests // 20 + self.strangers
        versions = ["v2"] * v2 + ["v1"] * (requests - v2 - failed) + [None] * failed
        return pd.DataFrame({"version": pd.Series(versions, dtype=object)})


def test_the_exercise_is_right_from_end_to_end() -> None:
    lab = FakeLab()
    told: list[tuple[str, float]] = []
    rows = list(exercise.run(lab, lambda *step: told.append(step)))  # type: ignore[arg-type]
    assert [row.verdict for row in rows] == ["right"] * 7
    assert [row.step for row in rows] == list(exercise.TITLES)
    assert ("canary", 1.0) in told
    faulty = next(row for row in rows if row.step == "faulty v3")
    assert str(faulty.share).startswith("50.0 % of 80 ")
    assert faulty.failures == 40
    assert [path.rsplit("/", 1)[1] for path in lab.deleted] == [
        "v1",
        "v2",
        "v3-faulty",
        "virtual-service-canary-promote.yaml",
    ]


def test_failures_that_are_not_v3s_are_wrong() -> None:
    rows = exercise.run(FakeLab(strangers=1))  # type: ignore[arg-type]
    assert [row.step for row in rows if row.verdict == "wrong"] == ["faulty v3"]


def test_failures_and_left_overs_are_wrong() -> None:
    rows = list(exercise.run(FakeLab(failures=1, left=["Service name"])))  # type: ignore[arg-type]
    assert [row.verdict for row in rows if row.step != "faulty v3"] == ["wrong"] * 6
    assert rows[-1].seen == "Service name"
