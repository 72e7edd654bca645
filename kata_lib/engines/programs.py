"""The programs of other people that an engine runs: found by name, run with a limit, and ended with it.

A command and its limit in seconds go in; what it wrote comes out or goes to a log. Each runs in a session of
its own: Ctrl-C reaches the engine, which ends the program and clears up in order.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from kata_lib import machine
from kata_lib.cluster import waiting
from kata_lib.cluster.waiting import Progress
from kata_lib.errors import EngineError, EngineUnavailable, WaitTimeout

ASK_SECONDS = 20.0
END_SECONDS = 5.0
TAIL_LINES = 12
_LOOK = 1.0
_NOT_TEXT = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class ProgramFailed(EngineError):
    """A program ended with a failure or not in time; `said` is the end of what it wrote."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(f"{message}:\n{said}" if said else f"{message}.")
        self.said = said


def tools() -> Path:
    """Return the folder into which scripts/get-tools puts programs."""
    return machine.state_folder() / "tools"


def search_path() -> str:
    """Return where programs are looked for: the project's own, beside this Python, then PATH."""
    return os.pathsep.join([str(tools()), str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def found(name: str) -> str | None:
    """Return the path of a program: the one that KATA_<NAME> names, else the first on the search path."""
    return shutil.which(os.environ.get(_setting(name)) or name, path=search_path())


def program(name: str, source: str = "`scripts/get-tools` obtains it") -> str:
    """Return the path of a program; EngineUnavailable says how to get it: `source`, in a clause."""
    path = found(name)
    if path is None:
        setting = _setting(name)
        named = f"{setting} names {os.environ[setting]!r}, which" if os.environ.get(setting) else name
        raise EngineUnavailable(f"{named} is not there: {source}, or {setting} names it")
    return path


def _setting(name: str) -> str:
    return f"KATA_{name.upper().replace('-', '_')}"


def ask(command: Sequence[str], seconds: float = ASK_SECONDS, given: str | None = None) -> str:
    """Return what a quick program prints; ProgramFailed with its words where it fails."""
    process = _spawn(command, subprocess.PIPE, subprocess.PIPE, given is not None)
    try:
        out, said = process.communicate(given, seconds)
    except subprocess.TimeoutExpired:
        raise ProgramFailed(f"{_short(command)} gave no answer within {seconds:g} s", "") from None
    finally:
        _end(process)
    if process.returncode != 0:
        raise ProgramFailed(f"{_short(command)} ended with {process.returncode}", _tail(said or out))
    return str(out)


def run(
    command: Sequence[str],
    seconds: float,
    log: Path,
    progress: Progress,
    look: Callable[[], str] = lambda: "",
    grace: float = 0.0,
) -> None:
    """Run a program that takes long, its output in `log`, each of its lines to `progress`.

    look: asked once a second; what it returns is shown as the reason of the wait. It may raise to end it.
    grace: seconds that the programs it has begun itself get to finish where it is ended before its time.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as out:
        out.write(f"$ {' '.join(command)}\n")
    begin = log.stat().st_size
    with log.open("a") as out:
        process = _spawn(command, out, subprocess.STDOUT)
    said, short = _Said(log, begin, look), _short(command)
    try:
        waiting.until(
            lambda: "" if process.poll() is not None else said.line() or short, seconds, progress, short
        )
    except WaitTimeout:
        raise ProgramFailed(f"{short} had not ended after {seconds:g} s; last seen", said.last()) from None
    finally:
        if process.poll() is None and grace:
            _end_alone(process, grace)
        _end(process)
    if process.returncode != 0:
        raise ProgramFailed(f"{short} ended with {process.returncode}", _since(log, begin))


class _Said:
    """What to say of a program that runs: what a look at its work gives, else its log's last line."""

    def __init__(self, log: Path, begin: int, look: Callable[[], str]) -> None:
        self._log, self._begin, self._look = log, begin, look
        self._seen, self._next = "", time.monotonic() + _LOOK

    def line(self) -> str:
        if time.monotonic() > self._next:
            self._seen, self._next = self._look(), time.monotonic() + _LOOK
        return self.last().rpartition("\n")[2]

    def last(self) -> str:
        """Return all of it: the last look, or the end of the log."""
        return self._seen or _since(self._log, self._begin)


def _spawn(
    command: Sequence[str], out: int | IO[str], said: int, fed: bool = False
) -> "subprocess.Popen[str]":
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
            stdout=out,
            stderr=said,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**os.environ, "PATH": search_path()},
        )
    except OSError as error:
        raise EngineUnavailable(f"{command[0]} cannot be run: {error}") from error


def _end(process: "subprocess.Popen[str]") -> None:
    """End a program and, where it is ended before its time, all that it started."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        _signal(process, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


def _end_alone(process: "subprocess.Popen[str]", grace: float) -> None:
    """End a program, wait for what it started to finish, and end that only where it does not."""
    process.terminate()
    # A zombie would count as one of the group.
    waiting.holds(lambda: process.poll() is not None and not _signal(process, 0), grace)
    _signal(process, signal.SIGKILL)


def _signal(process: "subprocess.Popen[str]", number: int) -> bool:
    """Send a signal to a program and all that it started; return whether there was anybody."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _short(command: Sequence[str]) -> str:
    words = [word for word in command[1:] if not word.startswith("-") and "/" not in word]
    return " ".join([Path(command[0]).name, *words[:3]])


def _since(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        return _tail(file.read().decode(errors="replace"))


def _tail(text: str) -> str:
    lines = [_NOT_TEXT.sub("", line).strip() for line in text.splitlines()]
    return "\n".join([line for line in lines if line][-TAIL_LINES:])
