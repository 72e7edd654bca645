"""What the figures were measured on: a number without its machine says nothing."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import psutil


def describe() -> dict[str, str]:
    """Return processor, cores, memory, kernel, Python and Envoy, as a person names them."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "envoy": _envoy(),
    }


def _processor() -> str:
    if sys.platform == "darwin":
        return _said(["sysctl", "-n", "machdep.cpu.brand_string"])
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _envoy() -> str:
    """Return the second part of "version: <commit>/<version>/<state>/<build>/<TLS library>"."""
    said = _said([str(Path(sys.executable).with_name("envoy")), "--version"])
    return said.rpartition("version: ")[2].split("/")[1]


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
