"""kata_lib.engines.programs: what is run has a limit, says what it waits for, and ends with its caller."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kata_lib.engines import programs
from kata_lib.engines.programs import ProgramFailed, ask, program, run
from kata_lib.errors import EngineError, EngineUnavailable

SLEEPER = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(60)"]


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


@pytest.fixture(autouse=True)
def _nothing_outlives() -> Iterator[None]:
    """Whatever a test runs is gone at its end."""
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


def test_what_a_program_says_is_returned_or_is_the_error() -> None:
    assert ask(shell("cat"), given="one") == "one"
    with pytest.raises(ProgramFailed, match=r"sh .* ended with 3:\nlast words") as failed:
        ask(["/bin/sh", "-c", "echo last words >&2; exit 3"])
    assert failed.value.said == "last words"


def test_a_program_that_is_not_there_is_said_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_KIND", "/nowhere/kind")
    with pytest.raises(EngineUnavailable, match=r"KATA_KIND names '/nowhere/kind'.*scripts/get-tools"):
        program("kind")
    with pytest.raises(EngineUnavailable, match="cannot be run"):
        ask(["/nowhere/kind"])


def test_a_named_program_goes_before_the_one_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "my-kind"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("KATA_KIND", str(own))
    assert program("kind") == str(own)


def test_a_limit_ends_the_program_and_its_children(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(ProgramFailed, match=r"(?s)had not ended after 0.5 s; last seen.*begun"):
        run(shell("echo begun; sleep 60 & sleep 60"), 0.5, log, print)
    with pytest.raises(ProgramFailed, match=r"no answer within 0\.2 s"):
        ask(SLEEPER, 0.2)


def test_each_line_is_progress_and_stands_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "log"
    seen: list[str] = []
    run(shell("echo \x1b[1mone\x1b[0m; sleep 0.3; echo two >&2; sleep 0.3"), 10, log, seen.append)
    assert [line for line in seen if not line.startswith("sh ")] == ["one", "two"]  # its name until it speaks
    assert "two" in log.read_text()
    with pytest.raises(ProgramFailed, match=r"ended with 1:\nno space left on device"):
        run(shell("echo no space left on device; exit 1"), 10, log, seen.append)


def test_what_is_looked_at_goes_before_the_programs_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "_LOOK", 0.0)
    seen: list[str] = []

    def look() -> str:
        if seen:
            raise EngineError("the node has no image x")
        return "istiod: Insufficient cpu"

    with pytest.raises(EngineError, match="no image x"):
        run(SLEEPER, 10, tmp_path / "log", seen.append, look)
    assert seen == ["istiod: Insufficient cpu"]


def test_ctrl_c_ends_what_runs(tmp_path: Path) -> None:
    timer = threading.Timer(0.4, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run(SLEEPER, 10, tmp_path / "log", lambda line: None)


def test_what_it_began_may_finish(tmp_path: Path) -> None:
    """A container engine goes on with what its client asked for: the client is not cut off."""
    done = tmp_path / "done"
    script = f"trap 'exit 1' TERM; (sleep 1; touch {done}) & echo begun; wait"
    with pytest.raises(ProgramFailed, match="had not ended"):
        run(shell(script), 0.3, tmp_path / "log", print, grace=5.0)
    assert done.exists()
    done.unlink()
    with pytest.raises(ProgramFailed, match="had not ended"):
        run(shell(script), 0.3, tmp_path / "log", print)
    time.sleep(1.2)
    assert not done.exists()
