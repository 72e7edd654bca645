"""Processes that outlive the daemon: started detached, known by pid and start time, found by a mark.

A mark in the environment, KATA_POD=<cluster's mark>:<pod uid>/<container>, finds what was started but not yet
written down. A pid alone is no identity: the system gives it away again.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POD_MARK = "KATA_POD"
DAEMON_MARK = "KATA_DAEMON"

_LINUX = sys.platform == "linux"


@dataclass(frozen=True)
class Identity:
    """One process for as long as the machine runs; `started` is in clock ticks (Linux) or milliseconds."""

    pid: int
    started: int

    def __str__(self) -> str:
        return f"{self.pid}.{self.started}"

    @classmethod
    def parse(cls, text: str) -> "Identity":
        """Read what `str` wrote; raises ValueError for anything else."""
        pid, started = text.split(".")
        return cls(int(pid), int(started))


Marked = tuple[Identity, str]
"""A process, and what its mark says after the cluster's."""


def identify(pid: int) -> Identity | None:
    """Return the identity of a running process; None for one that ended or is a zombie."""
    if not _LINUX:
        import psutil

        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return Identity(pid, int(process.create_time() * 1000))
        except psutil.Error:
            return None
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before it may hold spaces and brackets
    state, threads, started = fields[0], int(fields[17]), int(fields[19])
    if state in "ZX" and threads <= 1:  # with more, files and sockets are still open
        return None
    return Identity(pid, started)


def alive(process: Identity) -> bool:
    """Return whether this very process runs; a zombie does not."""
    return identify(process.pid) == process


def spawn(
    argv: Sequence[str],
    env: Mapping[str, str],
    log: Path,
    pass_fds: Sequence[int] = (),
    folder: str = "/",
) -> Identity:
    """Start a process in a session of its own that writes to the file `log`; raises OSError where it cannot.

    It keeps no folder in use but `folder`, and no terminal; what it writes only its user can read.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as output:
        child = subprocess.Popen(
            argv,
            env=dict(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
            pass_fds=pass_fds,
        )
    child.returncode = 0  # it is waited for by pid, not by this object
    return identify(child.pid) or Identity(child.pid, 0)


def find_marked(cluster_mark: str, variable: str = POD_MARK) -> Iterator[Marked]:
    """Yield (process, rest of its mark) of every running process that carries the cluster's mark.

    For POD_MARK the rest is "<pod uid>/<container>"; it is inherited by what the process started itself.
    """
    begin = f"{variable}={cluster_mark}:"
    for pid, variables in _environments():
        if begin not in variables:  # as of most that run on the machine
            continue
        for entry in variables.split("\0"):
            if entry.startswith(begin) and (process := identify(pid)):
                yield process, entry.removeprefix(begin)


def _environments() -> Iterator[tuple[int, str]]:
    """Yield pid and environment, its variables divided by NUL, of each process that this user may look at."""
    if not _LINUX:
        import psutil

        for process in psutil.process_iter(["environ"]):
            environ = process.info["environ"] or {}
            yield process.pid, "\0".join(f"{key}={value}" for key, value in environ.items())
        return
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb", buffering=0) as file:
                content = file.read()
        except OSError:
            continue  # another user's, or gone meanwhile
        yield int(entry), content.decode(errors="replace")


def session(process: Identity) -> int | None:
    """Return the pid of the process that `spawn` started and this one descends from, or None if it ended."""
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return None


def signal_group(process: Identity, number: int) -> None:
    """Send a signal to the process and to all that it started; nothing where it has ended."""
    if not alive(process):
        return
    try:
        os.killpg(os.getpgid(process.pid), number)
    except ProcessLookupError:
        return
    except PermissionError:  # macOS answers so for a group that holds only zombies
        return


async def wait(process: Identity) -> int | None:
    """Wait until the process ends; return its exit code (negative: the signal), None if nobody saw it.

    Only a child's exit code can be seen; an adopted process is not a child.
    """
    import asyncio

    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # macOS has no pidfd, and a process that ended gets none
        while alive(process):  # noqa: ASYNC110 - nothing tells of another's end there
            await asyncio.sleep(0.02)
        return reap(process.pid)
    try:
        if alive(process):
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(descriptor, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(descriptor)
    finally:
        os.close(descriptor)
    return reap(process.pid)


def reap(pid: int) -> int | None:
    """Return the exit code of a child that ended, None for one that runs or is nobody's child here."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return None if not ended else os.waitstatus_to_exitcode(status)


async def terminate(process: Identity, grace: float) -> int | None:
    """End the process: SIGTERM, after `grace` seconds SIGKILL; return its exit code as `wait` does."""
    import asyncio

    signal_group(process, signal.SIGTERM)
    try:
        return await asyncio.wait_for(wait(process), grace)
    except TimeoutError:
        signal_group(process, signal.SIGKILL)
        return await wait(process)
