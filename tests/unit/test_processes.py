"""Real processes: who they are, how they are found, how they end."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kata_lib.engines.embedded import processes
from kata_lib.engines.embedded.processes import Identity

MARK = "0badcafe"
SLEEPER = ("/bin/sh", "-c", "echo up; exec sleep 60")
IGNORES_TERM = "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()"
STUBBORN = (sys.executable, "-S", "-c", IGNORES_TERM)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Identity]]:
    found: list[Identity] = []
    yield found
    for process in found:
        processes.signal_group(process, signal.SIGKILL)
        processes.reap(process.pid)


def spawn(
    started: list[Identity], log: Path, argv: tuple[str, ...] = SLEEPER, owner: str = "uid/main"
) -> Identity:
    process = processes.spawn(argv, {"KATA_POD": f"{MARK}:{owner}"}, log)
    started.append(process)
    return process


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def printed(log: Path) -> None:
    until(lambda: log.stat().st_size)


def test_a_process_is_known_by_pid_and_start(started: list[Identity], tmp_path: Path) -> None:
    process = spawn(started, tmp_path / "log")
    assert processes.alive(process)
    assert not processes.alive(Identity(process.pid, process.started - 1))
    assert Identity.parse(str(process)) == process
    assert processes.session(process) == process.pid


def test_output_goes_to_a_file_of_the_owner_only(started: list[Identity], tmp_path: Path) -> None:
    log = tmp_path / "deep" / "log"
    spawn(started, log)
    printed(log)
    assert log.read_text() == "up\n"
    assert log.stat().st_mode & 0o077 == 0


def test_a_zombie_does_not_live(started: list[Identity], tmp_path: Path) -> None:
    process = spawn(started, tmp_path / "log", ("/bin/true",))
    until(lambda: not processes.alive(process))
    assert processes.reap(process.pid) == 0


async def test_an_exit_code_is_seen(started: list[Identity], tmp_path: Path) -> None:
    assert await processes.wait(spawn(started, tmp_path / "log", ("/bin/sh", "-c", "exit 3"))) == 3


async def test_the_exit_code_of_an_adopted_process_is_not_seen(tmp_path: Path) -> None:
    script = f"KATA_POD={MARK}:uid/grandchild sleep 0.05 >/dev/null & echo $!"
    child = await asyncio.create_subprocess_exec("/bin/sh", "-c", script, stdout=asyncio.subprocess.PIPE)
    output, _ = await child.communicate()
    process = processes.identify(int(output))
    assert process
    assert await processes.wait(process) is None
    assert not processes.alive(process)


async def test_term_is_enough_for_most(started: list[Identity], tmp_path: Path) -> None:
    process = spawn(started, tmp_path / "log")
    assert await processes.terminate(process, grace=5) == -signal.SIGTERM


async def test_kill_ends_the_rest(started: list[Identity], tmp_path: Path) -> None:
    process = spawn(started, tmp_path / "log", STUBBORN)
    printed(tmp_path / "log")
    assert await processes.terminate(process, grace=0.02) == -signal.SIGKILL


async def test_a_mark_finds_what_was_started_and_what_that_started(
    started: list[Identity], tmp_path: Path
) -> None:
    family = ("/bin/sh", "-c", "sleep 60 & echo up; wait")
    parent = spawn(started, tmp_path / "log", family, owner="uid/family")
    printed(tmp_path / "log")
    found = [process for process, owner in processes.find_marked(MARK) if owner == "uid/family"]
    assert parent in found
    assert len(found) == 2
    assert {processes.session(process) for process in found} == {parent.pid}
    processes.signal_group(parent, signal.SIGKILL)
    await processes.wait(parent)
    until(lambda: all(owner != "uid/family" for _, owner in processes.find_marked(MARK)))


def test_another_clusters_mark_is_not_ours(started: list[Identity], tmp_path: Path) -> None:
    spawn(started, tmp_path / "log")
    assert list(processes.find_marked("0ther")) == []
