"""scripts/loop-query.sh against the application: answers, failures, and its own errors."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from application_process import running

SCRIPT = Path(__file__).parents[2] / "scripts" / "loop-query.sh"
BASH = shutil.which("bash") or "bash"


def first_lines(url: str, number: int) -> tuple[list[str], str]:
    """Return the first lines that the script prints, and what it prints when Ctrl-C stops it."""
    loop = subprocess.Popen([SCRIPT, "-s", "0.01", url], stdout=subprocess.PIPE, text=True)
    assert loop.stdout
    lines = [loop.stdout.readline().rstrip("\n") for _ in range(number)]
    loop.send_signal(signal.SIGINT)
    return lines, loop.communicate(timeout=60)[0]


def test_every_answer_is_shown_and_counted() -> None:
    with running("name", SENTENCE_NAMES="Athos (v2)") as name:
        lines, rest = first_lines(name.url, 3)
    assert lines == ["Athos (v2)"] * 3
    assert rest.endswith("requests, 0 failed\n")


def test_failures_are_shown_and_the_loop_goes_on() -> None:
    with running("name", ERROR_RATE="1", SENTENCE_NAMES="Athos") as name:
        lines, _ = first_lines(name.url, 2)
    assert lines == ["FAILED (500) Athos failed, as ERROR_RATE asks"] * 2
    lines, _ = first_lines(name.url, 2)
    assert all(line.startswith("FAILED (no answer) curl: (7)") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-s", "soon"], "-s takes seconds such as 0.3, not 'soon'"),
        (["-q"], "there is no option -q"),
        (["one", "two"], "expected at most one URL, found 2"),
        (["http://127.0.0.1/"], "curl is not installed"),
    ],
)
def test_what_it_cannot_do_is_said(arguments: list[str], message: str) -> None:
    done = subprocess.run(
        [BASH, SCRIPT, *arguments], env={"PATH": "/nonexistent"}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert message in done.stderr
