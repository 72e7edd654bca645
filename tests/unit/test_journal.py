"""kata_lib.course.journal: what a learner saw is kept, bounded, for its owner's eyes; damage is put aside."""

import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kata_lib import versions
from kata_lib.course import journal
from kata_lib.course.journal import Journal, JournalError


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """The journal of the cluster `mine`, of which nothing is kept yet."""
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "home"))
    return Journal("mine")


def test_the_last_of_each_is_kept(kept: Journal) -> None:
    kept.note_check("canary-10", "wrong", "33 of 100")
    kept.note_check("canary-10", "right", "10 of 100")
    kept.note_prediction("share", "33", "10", "9.8 %")
    kept.note_prediction("share", "20", "10", "9.9 %")
    found = Journal("mine").load()
    check = found.checks["canary-10"]
    assert (check.verdict, check.text, check.tries) == ("right", "10 of 100", 2)
    assert [(said.said, said.seen) for said in found.predictions.values()] == [("20", "9.9 %")]


def test_journals_of_two_clusters_are_one(kept: Journal) -> None:
    kept.note_engine("embedded", "Kubernetes")
    kept.note_check("canary-10", "wrong", "33 of 100")
    other = Journal("other")
    other.note_engine("embedded", "Kubernetes")
    other.note_check("canary-10", "right", "10 of 100")
    other.note_picture("02-canary", "Line of v2", "<svg/>")
    both = journal.together([kept.load(), other.load()])
    assert both.ran_on == {"embedded": "Kubernetes"}
    assert both.checks == other.load().checks
    assert both.pictures == other.load().pictures


def test_journals_are_joined_in_the_order_of_time() -> None:
    first, second, third = (
        journal.Picture("02-canary", "Line", "<svg/>", datetime(2026, 1, 1, 12, minute, tzinfo=UTC))
        for minute in range(3)
    )
    both = journal.together(
        [journal.Content(pictures={"a": first, "c": third}), journal.Content(pictures={"b": second})]
    )
    assert list(both.pictures) == ["a", "b", "c"]


def test_a_picture_takes_the_place_of_one_with_other_numbers(kept: Journal) -> None:
    kept.note_picture("02-canary", "Line of v2: 9.8 % of 1,000.", "<svg>1</svg>")
    kept.note_picture("02-canary", "Line of v2: 10.1 % of 2,000.", "<svg>2</svg>")
    kept.note_picture("02-canary", "Line of v3: 10.1 % of 2,000.", "<svg>3</svg>")
    kept.note_picture("03-weight-lab", "Line of v2: 10.1 % of 2,000.", "<svg>4</svg>")
    assert [picture.svg[5] for picture in kept.load().pictures.values()] == ["2", "3", "4"]


def test_what_is_kept_is_bounded(kept: Journal) -> None:
    for letter in map(chr, range(ord("a"), ord("a") + journal.MOST_PICTURES + 1)):
        kept.note_picture("step", f"picture {letter}", "<svg/>")
    kept.note_picture("step", "large", "<svg>" + "x" * journal.LARGEST_PICTURE)
    kept.note_check("long", "wrong", "x" * 2 * journal.LONGEST_TEXT)
    found = kept.load()
    assert len(found.pictures) == journal.MOST_PICTURES
    assert "step: picture a" not in found.pictures
    assert len(found.checks["long"].text) == journal.LONGEST_TEXT


def test_only_its_owner_reads_it_and_it_can_be_removed(kept: Journal) -> None:
    kept.note_engine("embedded", f"Kubernetes v{versions.KUBERNETES}")
    assert stat.S_IMODE(kept.file.stat().st_mode) == 0o600
    kept.forget()
    assert list(kept.file.parent.iterdir()) == []
    assert kept.load() == journal.Content()


def test_an_engine_that_is_noted_is_not_written_again(kept: Journal) -> None:
    kept.note_engine("embedded", f"Kubernetes v{versions.KUBERNETES}")
    written = kept.file.stat().st_mtime_ns
    kept.note_engine("embedded", f"Kubernetes v{versions.KUBERNETES}")
    assert kept.file.stat().st_mtime_ns == written


def test_an_exam_is_passed_when_every_task_is_right(kept: Journal) -> None:
    kept.note_task(7, 2, "rule", "right", "found")
    assert not kept.load().exams["7"].passed
    kept.note_task(7, 2, "fault", "wrong", "found")
    assert not kept.load().exams["7"].passed
    kept.note_task(7, 2, "fault", "right", "found")
    assert kept.load().exams["7"].passed


def test_a_damaged_file_is_put_aside(kept: Journal) -> None:
    kept.note_check("a", "right", "")
    kept.file.write_text('{"checks": 3}')
    with pytest.raises(JournalError, match="cannot be read"):
        kept.load()
    with pytest.warns(UserWarning, match=r"kept as .*mine\.journal\.damaged"):
        kept.note_check("b", "right", "")
    assert list(kept.load().checks) == ["b"]


def test_a_place_that_cannot_be_written_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "file" / "home"))
    with pytest.warns(UserWarning, match="will not be in `kata report`"):
        Journal("mine").note_check("a", "right", "")


def test_threads_lose_nothing(kept: Journal) -> None:
    names = [f"check-{number}" for number in range(8)]
    threads = [threading.Thread(target=kept.note_check, args=(name, "right", "")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert set(kept.load().checks) == set(names)
