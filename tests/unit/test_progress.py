"""A learner's progress: noted, kept, exported, gathered; damaged files are named and the others count."""

import csv
import json
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kata_lib import cli
from kata_lib.course import exercises, progress
from kata_lib.course.progress import Progress, ProgressError, tables
from kata_lib.errors import KataError

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PLAN = {"00-setup": ("v1-runs",), "01-deploy": ("v1-alone", "a-third"), "03-lab": ()}
VERDICTS = ("right", "wrong", "not enough yet")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KATA_NAME", raising=False)


def done(*names: str, mark: str = "m", learner: str = "", at: datetime = NOON) -> Progress:
    found = Progress(mark, learner)
    for name in names:
        found = found.after(name, "right", at)
    return found


def save(folder: Path, name: str, found: Progress) -> Path:
    file = folder / f"{name}.json"
    file.write_text(progress._text(found))
    return file


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli.app, ["progress", *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return str(result.output)


def test_every_check_belongs_to_a_step() -> None:
    noted = [name for names in tables.plan().values() for name in names]
    assert set(noted) == set(exercises.CHECKS)


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(VERDICTS)), max_size=20),
    st.text(st.characters(exclude_categories=["C", "Z"]), max_size=progress.LONGEST_NAME),
)
def test_tries_count_up_to_the_first_right_one_and_survive_the_file(
    tried: list[tuple[str, str]], learner: str
) -> None:
    found = Progress("m", learner)
    for number, (name, verdict) in enumerate(tried):
        found = found.after(name, verdict, NOON + timedelta(seconds=number))
    for name, check in found.checks.items():
        verdicts = [verdict for other, verdict in tried if other == name]
        assert (check.right is not None) == ("right" in verdicts)
        assert check.tries == (verdicts.index("right") + 1 if "right" in verdicts else len(verdicts))
    assert progress.parse(json.loads(progress._text(found))) == found


def test_a_check_is_noted_for_its_owner_only_and_without_a_person_in_it() -> None:
    progress.record("v1-runs", "wrong")
    progress.record("v1-runs", "right")
    progress.record("v1-runs", "wrong")
    file = progress.place()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    noted = json.loads(file.read_text())
    assert set(noted) == {"kind", "format", "mark", "learner", "checks"}
    assert noted["learner"] == ""
    assert noted["checks"]["v1-runs"]["tries"] == 2
    assert noted["checks"]["v1-runs"]["right"] is not None


def test_nothing_is_noted_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_RESET", "1")
    progress.record("v1-runs", "right")
    assert not progress.place().exists()


def test_notebooks_that_check_at_once_lose_nothing() -> None:
    names = [f"check-{number}" for number in range(16)]
    threads = [threading.Thread(target=progress.record, args=(name, "right")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert set(progress.load().checks) == set(names)


def test_a_damaged_file_of_ones_own_is_kept_aside() -> None:
    progress.record("v1-runs", "right")
    progress.place().write_text("{")
    with pytest.warns(UserWarning, match=r"is damaged: .* kept as .*kata\.progress\.damaged"):
        progress.record("v1-alone", "right")
    assert list(progress.load().checks) == ["v1-alone"]


def test_what_cannot_be_noted_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="not in `kata progress`: .* cannot be written"):
        progress.record("v1-runs", "right")


def test_steps_say_what_is_done_and_what_is_left() -> None:
    found = done("v1-runs", "v1-alone").after("a-third", "wrong", NOON).after("a-third", "wrong", NOON)
    assert tables.steps(found, PLAN, UTC) == [
        ("00-setup", "1 of 1", "04 May 12:00", ""),
        ("01-deploy", "1 of 2", "04 May 12:00", "a-third (tried 2x)"),
        ("03-lab", "no checks", "", ""),
    ]


def test_a_class_is_one_table(tmp_path: Path) -> None:
    files = [save(tmp_path, f"student-{n:02}", done("v1-runs", mark=str(n))) for n in range(29)]
    files.append(save(tmp_path, "x", done("v1-runs", "v1-alone", "a-third", mark="ada", learner="Ada")))
    gathered = tables.gather(files)
    table = tables.rows(gathered.learners, PLAN, UTC)
    assert tables.heads(PLAN) == ["learner", "00", "01", "last"]
    assert table[0] == ["Ada", "✓", "✓", "04 May 12:00"]
    assert table[1] == ["student-00", "✓", "·", "04 May 12:00"]
    assert table[-1] == ["all done", "30/30", "1/30", ""]
    assert gathered.problems == []


def test_of_one_learner_the_latest_file_counts_in_either_order(tmp_path: Path) -> None:
    old = save(tmp_path, "monday", done("v1-runs", learner="Ada"))
    new = save(tmp_path, "tuesday", done("v1-runs", "v1-alone", learner="Ada", at=NOON + timedelta(days=1)))
    for files in ([old, new], [new, old]):
        gathered = tables.gather(files)
        assert [list(found.checks) for _, found in gathered.learners] == [["v1-runs", "v1-alone"]]
        assert len(gathered.problems) == 1
        assert str(gathered.problems[0]).startswith(str(old))


WRONG = {
    "not JSON": ("{", "is damaged"),
    "not text": ("\0\ud800", "is damaged"),
    "deep": ("[" * 200_000, "is damaged"),
    "foreign": ('{"kind": "Pod"}', "not made by kata progress"),
    "a list": ("[]", "not made by kata progress"),
    "newer": (json.dumps({"kind": progress.KIND, "format": 9}), "its format is 9, this version reads 1"),
    "large": (" " * (progress.LARGEST_FILE + 1), "larger than 1 MB"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_named_and_the_others_count(tmp_path: Path, name: str) -> None:
    content, said = WRONG[name]
    file = tmp_path / "bad.json"
    file.write_bytes(content.encode(errors="surrogatepass"))
    good = save(tmp_path, "good", done("v1-runs"))
    gathered = tables.gather([file, good, tmp_path / "missing.json", tmp_path])
    assert [label for label, _ in gathered.learners] == ["good"]
    bad, missing, folder = gathered.problems
    assert bad.startswith(str(file))
    assert said in bad
    assert "No such file" in missing
    assert "Is a directory" in folder


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("time", ["2026-05-04T12:00:00", "0001-01-01T00:00:00+14:00", "noon", "9999-12-31"])
def test_a_time_that_is_none_is_named_with_its_check(time: str) -> None:
    content = json.loads(progress._text(done("v1-runs")))
    content["checks"]["v1-runs"]["last"] = time
    with pytest.raises(ValueError, match="check 'v1-runs' cannot be read"):
        progress.parse(content)


@given(st.sampled_from(["format", "mark", "learner", "checks", "tries", "right", "last"]), JSON)
def test_any_field_may_be_anything(name: str, value: object) -> None:
    content = json.loads(progress._text(done("v1-runs")))
    place = content if name in content else content["checks"]["v1-runs"]
    place[name] = value
    try:
        found = progress.parse(content)
    except ValueError:
        return
    tables.rows([("one", found)], PLAN, UTC)
    assert list(csv.reader(tables.as_csv([("one", found)], PLAN).splitlines()))[1][0] == "one"


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20))
def test_a_spreadsheet_takes_no_name_for_a_formula(label: str) -> None:
    cell = next(csv.reader([tables.as_csv([(label, done())], PLAN).split("\n", 1)[1]]))[0]
    assert cell[0] not in "=+-@"
    assert cell.endswith(label)


def test_the_command_shows_exports_and_gathers(tmp_path: Path) -> None:
    progress.record("v1-runs", "right")
    file = tmp_path / "export.json"
    assert "1 of 1" in run()
    assert "Written" in run("--learner", "Ada [red]", "--export", str(file))
    assert "Ada [red]" in run("--gather", str(file))
    (tmp_path / "bad.json").write_text("{")
    both = run("--gather", "--csv", str(file), str(tmp_path / "bad.json"), code=1)
    assert "Ada [red],20" in both
    assert f"not counted: {tmp_path / 'bad.json'} is damaged" in both


@pytest.mark.parametrize(
    "words", [["--gather"], ["some.json"], ["--csv"], ["--gather", "a", "--learner", "A"]]
)
def test_gathering_is_said_with_files_and_alone(words: list[str]) -> None:
    with pytest.raises(KataError, match=r"--gather FILE"):
        run(*words)


def test_a_name_is_one_line_and_an_export_goes_where_one_can_write(tmp_path: Path) -> None:
    with pytest.raises(ProgressError, match="one line"):
        progress.name_learner("two\nlines")
    with pytest.raises(ProgressError, match="Is a directory"):
        progress.export(tmp_path)


def test_each_cluster_has_a_file_that_no_clusters_folder_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_NAME", "other")
    assert progress.place() == Path(os.environ["KATA_HOME"]) / "other.progress.json"
