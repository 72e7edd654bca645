"""What processes cost a machine: processor time over a while, and memory of which shared pages count once."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.memory import megabytes

Processes = Callable[[], Collection[int]]
"""The process ids of what is measured, as they are now."""


@dataclass(frozen=True)
class Cost:
    """Of one or of all: processors in use (1 is a core), and megabytes."""

    processor: float
    memory: float

    def each(self, of: int) -> "Cost":
        """Return the cost of one of so many."""
        return Cost(self.processor / of, self.memory / of)

    def and_(self, other: "Cost") -> "Cost":
        """Return the cost of both."""
        return Cost(self.processor + other.processor, self.memory + other.memory)


@dataclass(frozen=True)
class Room:
    """What a machine has for a class: cores, and megabytes that nothing else uses."""

    cores: float
    memory: float

    def holds(self, each: Cost) -> int:
        """Return how many of this cost find room, each resource used to USED at most."""
        return int(USED * min(self.cores / each.processor, self.memory / each.memory))


USED = 0.8
"""Fuller than that, what is waited for grows faster than the class."""


def room() -> Room:
    """Return what this machine has now, and a control group lets it have (cgroup v2's memory.max)."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return Room(cores, min(psutil.virtual_memory().available / 1e6, _of_control_group()))


def _of_control_group() -> float:
    with contextlib.suppress(OSError, ValueError):
        folder = Path("/sys/fs/cgroup")
        most, used = (int((folder / f"memory.{name}").read_text()) for name in ("max", "current"))
        return (most - used) / 1e6
    return float("inf")


def cost(processes: Processes, seconds: float) -> Cost:
    """Return what processes cost over so many seconds; what ends meanwhile does not count."""
    before, began = _times(processes()), time.monotonic()
    time.sleep(seconds)
    after, lasted = _times(processes()), time.monotonic() - began
    used = sum(spent - before.get(pid, 0.0) for pid, spent in after.items())
    return Cost(used / lasted, sum(map(megabytes, after)))


def by_part(parts: Mapping[int, str], seconds: float) -> dict[str, float]:
    """Return the processors that each part uses (1 is a core), from the parts of process ids."""
    before, began = _times(parts), time.monotonic()
    time.sleep(seconds)
    after, lasted = _times(parts), time.monotonic() - began
    used = dict.fromkeys(parts.values(), 0.0)
    for pid, spent in after.items():
        used[parts[pid]] += (spent - before[pid]) / lasted
    return used


def _times(pids: Collection[int]) -> dict[int, float]:
    """Return the processor time of each process until now, in seconds."""
    found = {}
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess, OSError):
            found[pid] = seconds_of(pid)
    return found


def seconds_of(pid: int) -> float:
    """Return the processor time of a process: on Linux to the nanosecond, idle ones take less than a tick.

    Its clock is MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of Linux' posix-timers_types.h.
    """
    if sys.platform == "linux":
        return time.clock_gettime(~pid << 3 | 2)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
