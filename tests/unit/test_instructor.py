"""What the instructor is told is so: agendas add up, headings and findings exist, commands too."""

import html
import re
from datetime import timedelta

import pytest

from kata_lib.cli import app
from kata_lib.course import notebooks
from kata_lib.course.exercises import QUESTIONS
from kata_lib.machine import PROJECT

GUIDE = (PROJECT / "docs/instructor.md").read_text()
HANDOUT = html.unescape((PROJECT / "docs/handout.html").read_text())
ENDS = {"Two hours": "2:00", "Three hours": "3:00", "A day": "16:30"}
LONGER = 1.25
"""As much longer as a notebook takes alone a class needs at least."""
MINUTES = {source.stem: notebooks.minutes(source) for source in notebooks.sources()}
SAID = "\n".join(source.read_text() for source in notebooks.sources())

Row = tuple[timedelta, timedelta, str]


def agenda(heading: str) -> list[Row]:
    """Return when each part begins, how long it takes, and what it is."""
    part = GUIDE.split(f"### {heading}\n")[1].split("**Cut first:**")[0]
    rows = re.findall(r"^\| (\d+:\d\d) \| (\d+) \| (.+) \|$", part, re.MULTILINE)
    return [(clock(begins), timedelta(minutes=int(minutes)), what) for begins, minutes, what in rows]


def clock(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


@pytest.mark.parametrize("heading", ENDS)
def test_an_agenda_adds_up(heading: str) -> None:
    rows = agenda(heading)
    begins = [*(row[0] for row in rows[1:]), clock(ENDS[heading])]
    assert [began + takes for began, takes, _ in rows] == begins


@pytest.mark.parametrize("heading", ENDS)
def test_an_agenda_gives_each_notebook_a_classs_time(heading: str) -> None:
    named = [(takes, re.match(r"\d\d-[a-z-]+", what), what) for _, takes, what in agenda(heading)]
    given = {found[0]: (takes, what) for takes, found, what in named if found}
    assert list(given)[:3] == ["00-setup", "01-deploy", "02-canary"]
    for name, (takes, what) in given.items():
        assert "a part:" in what or takes >= timedelta(minutes=LONGER * MINUTES[name]), name


def test_each_way_of_the_afternoon_takes_what_its_notebooks_take() -> None:
    ways = re.findall(r"^\| [a-z ]+ \| ((?:\d\d-[a-z-]+(?:, )?)+) \| (\d+) \|$", GUIDE, re.MULTILINE)
    assert len(ways) == 3
    for names, minutes in ways:
        alone = sum(MINUTES[name] for name in names.split(", "))
        assert 1.5 * alone - 5 <= int(minutes) <= 85


def test_the_parts_to_cut_are_headings_of_the_notebooks() -> None:
    cuts = "".join(re.findall(r"\*\*Cut first:\*\*.*?\n\n", GUIDE, re.DOTALL))
    cuts += "".join(re.findall(r"a part: until \*[^|]+", GUIDE))
    named = re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", cuts)
    assert len(named) >= 5
    assert [name for name in named if f"## {name}\n" not in SAID] == []


def findings() -> list[str]:
    part = GUIDE.split("| the check says |")[1].split("\n\n")[0]
    rows = [row.split("|")[1] for row in part.splitlines()[2:]]
    return [found for row in rows for found in re.findall(r"\*([^*]+)\*", row)]


def test_findings_are_in_the_checks_own_words() -> None:
    code = "\n".join(file.read_text() for file in sorted((PROJECT / "kata_lib/course").rglob("*.py")))
    joined = re.sub(r'"\s*\n\s*f?"', "", code)
    assert len(findings()) > 12
    assert [found for found in findings() if found not in joined] == []


@pytest.mark.parametrize("text", [GUIDE, HANDOUT], ids=["guide", "handout"])
def test_each_command_of_kata_that_is_named_exists(text: str) -> None:
    known = set(app.commands)
    named = set(re.findall(r"(?:`|<code>|^ {4})kata ([a-z][a-z-]*)", text, re.MULTILINE))
    assert named - known == set()
    assert {"analyze", "reset", "original"} <= named


def test_the_sheet_asks_what_the_notebooks_ask_until_06() -> None:
    rows = re.findall(r"<tr><td>(\d\d)</td><td>([^<]+)</td>", HANDOUT)
    asked = [
        (source.stem[:2], question)
        for source in notebooks.sources()
        if source.stem < "07"
        for question in re.findall(r'lab\.predict\("([^"]+)"', source.read_text())
    ]
    assert rows == asked
    assert {question for _, question in rows} <= QUESTIONS.keys()
