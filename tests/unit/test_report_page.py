"""kata_lib.course.report: one page of a learner's own run, escaped, complete in itself."""

import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from kata_lib import cli, versions
from kata_lib.course import progress, report
from kata_lib.course.journal import Journal
from kata_lib.course.progress import tables

SVG = "<svg role='img'><title>Bars.</title></svg>"
TYPED = "<script>alert(1)</script>"


def loads(page: str) -> list[str]:
    """Return every address that a browser would ask by itself."""
    tags = r"<(?:script|img|image|link|iframe|object|source|use)\b[^>]*"
    by_tag = tags + r"(?:src|href|data)\s*=\s*['\"]?(?:https?:)?//[^'\" >]*"
    return re.findall(by_tag, page) + re.findall(r"@import[^;]*|url\(\s*['\"]?(?:https?:)?//[^)]*", page)


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """The journal of a learner without a name."""
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KATA_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    return Journal()


def page() -> str:
    """Return the learner's report."""
    return report.of_learner().file.read_text()


def row(page: str, name: str) -> list[str]:
    """Return the cells of the table's row that holds a cell."""
    rows = [re.findall("<td[^>]*>(.*?)</td>", one, re.DOTALL) for one in page.split("<tr>")]
    return next(cells for cells in rows if name in cells)


def test_loads_finds_what_it_looks_for() -> None:
    found = '<script src="https://cdn/x.js"></script><img src="//x/y.png">@import "https://f";'
    assert len(loads(found)) == 3


def test_a_run_that_has_not_begun_lists_every_check() -> None:
    found = page()
    names = [name for checks in tables.plan().values() for name in checks]
    assert f"0 of {len(names)} are right" in found
    assert [row(found, name)[2] for name in names] == ["not tried"] * len(names)
    assert "my run</h1>" in found


def test_each_check_has_its_figures_and_each_prediction_its_result(journal: Journal) -> None:
    journal.note_check("canary-10", "wrong", "33 of 100 answers from v2")
    journal.note_check("canary-10", "right", "98 of 1,000 answers from v2")
    journal.note_prediction("share of v2, in percent", "33", "10", "9.8 % of 1,000")
    journal.note_engine("embedded", f"Kubernetes v{versions.KUBERNETES}, Envoy {versions.ENVOY}")
    found = page()
    assert row(found, "canary-10")[:5] == [
        "02-canary",
        "canary-10",
        "✓ right",
        "98 of 1,000 answers from v2",
        "2",
    ]
    assert row(found, "share of v2, in percent")[1:4] == ["33", "10", "9.8 % of 1,000"]
    assert f"<dd>embedded: Kubernetes v{versions.KUBERNETES}, Envoy {versions.ENVOY}</dd>" in found
    assert re.search(r"<dd>\w+ [\w.-]+ on \w+, \d+ processors, \d+\.\d GiB of memory</dd>", found)


def test_what_was_right_once_is_said_to_be(journal: Journal) -> None:
    progress.record("canary-10", "right")
    journal.note_check("canary-10", "wrong", "30 of 100.")
    cells = row(page(), "canary-10")
    assert cells[2] == "✗ wrong"
    assert cells[3].startswith("30 of 100. It was right before, on ")


def test_a_check_from_before_the_journal_is_there_without_figures() -> None:
    progress.record("canary-10", "right")
    assert row(page(), "canary-10")[2:5] == ["✓ right", "", "1"]


def test_what_a_learner_typed_is_escaped(journal: Journal) -> None:
    progress.name_learner(TYPED)
    journal.note_check("canary-10", "wrong", TYPED)
    journal.note_prediction(TYPED, TYPED, TYPED, TYPED)
    journal.note_picture(TYPED, TYPED, SVG)
    journal.note_task(1, 1, TYPED, "wrong", TYPED)
    found = page()
    assert TYPED not in found
    assert found.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 10


def test_nothing_is_loaded_and_no_script_may_run(journal: Journal) -> None:
    journal.note_picture("02-canary", "Bars.", SVG)
    found = page()
    assert loads(found) == []
    assert "<script" not in found
    assert SVG in found
    policy = re.search('Content-Security-Policy" content="([^"]*)"', found)
    assert policy
    assert policy[1] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_the_contents_list_leads_to_every_section(journal: Journal) -> None:
    journal.note_picture("02-canary", "Bars.", SVG)
    journal.note_prediction("share", "33", "10", "9.8 %")
    journal.note_task(5, 3, "Write the rule", "right", "10.0 %")
    found = page()
    assert re.findall('<a href="#([^"]*)"', found) == re.findall('<section id="([^"]*)"', found)
    assert re.findall('<section id="([^"]*)"', found) == ["checks", "predictions", "exam-5", "pictures"]
    assert "1 of 3 tasks are right: not passed." in found


def test_the_command_names_the_learner_and_writes_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.html"
    result = CliRunner().invoke(cli.app, ["report", str(file), "--learner", "Ada"], catch_exceptions=False)
    assert result.output == f"Your report: {file}\n"
    assert "<h1>Canary workshop: Ada</h1>" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_notebook_shows_a_link_to_the_report() -> None:
    assert '<a href="my-report.html">my-report.html</a>' in report.of_learner()._repr_html_()
