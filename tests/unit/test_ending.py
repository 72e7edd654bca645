"""A command that is ended by a signal: its descendants go, what it began is undone, one line is said."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

LIMIT = 60.0
COMMAND = """
import subprocess, sys, time
from pathlib import Path
from kata_lib.cli import ending

folder = Path(sys.argv[1])

def work():
    if sys.argv[2] == "ends":
        return 3
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (folder / "child").write_text(str(child.pid))
    time.sleep(600)

ending.at_once()
sys.exit(ending.supervised(work, (folder / "cleaned up").touch))
"""


def start(folder: Path, work: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", COMMAND, folder, work], stderr=subprocess.PIPE, text=True)


SIGNALS = pytest.mark.parametrize(
    ("number", "code", "name"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")]
)


@SIGNALS
def test_a_signal_ends_everything_and_says_so_in_one_line(
    number: signal.Signals, code: int, name: str, tmp_path: Path
) -> None:
    command = start(tmp_path, "goes on")
    child = tmp_path / "child"
    deadline = time.monotonic() + LIMIT
    while not (child.exists() and child.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    process = psutil.Process(int(child.read_text()))
    os.kill(command.pid, number)
    _, said = command.communicate(timeout=LIMIT)
    assert command.returncode == code
    assert said == f"kata: ended by {name}.\n"
    assert (tmp_path / "cleaned up").exists()
    process.wait(LIMIT)


@SIGNALS
def test_a_signal_that_is_older_than_the_command_ends_it_too(
    number: signal.Signals, code: int, name: str
) -> None:
    kata = str(Path(sys.executable).with_name("kata"))
    held_back = f"""
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {{{number:d}}})
os.kill(os.getpid(), {number:d})
os.execv({kata!r}, [{kata!r}, "run"])
"""
    command = subprocess.run([sys.executable, "-c", held_back], capture_output=True, text=True, timeout=LIMIT)
    assert (command.returncode, command.stderr) == (code, f"kata: ended by {name}.\n")


def test_work_that_ends_by_itself_has_its_own_code(tmp_path: Path) -> None:
    command = start(tmp_path, "ends")
    assert command.wait(LIMIT) == 3
    assert not (tmp_path / "cleaned up").exists()
