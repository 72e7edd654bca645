"""What a machine must have for the workshop, and how that is read: on the standard library alone.

The set-up reads it before anything is installed, the embedded engine before it starts, `kata doctor` before a
class: the rules stand here and nowhere else.
"""

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kata_lib import versions
from kata_lib.versions import numbers

OLDEST_PYTHON = (3, 11)
OLDEST_GLIBC = (2, 31)
OLDEST_MACOS = 15
OLDEST_KUBECTL = numbers(versions.OLDEST_KUBECTL)

SUPPORTED = "Linux with glibc 2.31 or newer (x86_64, aarch64), macOS 15 on Apple silicon, WSL2"
"""In words, the platforms for which Envoy comes as a wheel."""

PROJECT = Path(__file__).resolve().parent.parent
"""The folder of this checkout: many may share it, and then none of them may write to it."""
WORKSHOP = Path(os.environ.get("KATA_WORKSHOP") or PROJECT).resolve()
"""The folder in which the learner works, with files of their own: $KATA_WORKSHOP, or PROJECT."""


@dataclass(frozen=True)
class Platform:
    """An operating system as `platform` names it; `version` is the C library's or macOS's own."""

    system: str
    machine: str
    libc: str
    version: str


def here() -> Platform:
    """Return the platform of this machine."""
    if platform.system() == "Darwin":
        return Platform("Darwin", platform.machine(), "", platform.mac_ver()[0])
    libc, version = platform.libc_ver()
    return Platform(platform.system(), platform.machine(), libc, version)


def unsupported(found: Platform) -> str | None:
    """Return in a sentence why Envoy does not run on a platform, or None where it does."""
    known = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")}
    if (found.system, found.machine) not in known:
        return f"{found.system} on {found.machine} is not supported."
    if found.system == "Darwin" and numbers(found.version) < (OLDEST_MACOS,):
        return f"This is macOS {found.version}."
    if found.system == "Linux" and (found.libc != "glibc" or numbers(found.version) < OLDEST_GLIBC):
        return f"The C library here is {found.libc or 'not glibc'} {found.version}".rstrip() + "."
    return None


def kubectl_version(path: str, seconds: float) -> tuple[int, ...] | None:
    """Return (major, minor) of a kubectl, or None where it does not tell within `seconds`."""
    command = [path, "version", "--client", "--output", "json"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r'"gitVersion": *"v(\d+\.\d+)', answer.stdout)
    return numbers(version[1]) if version else None


def state_folder() -> Path:
    """Return where everything is kept that lasts: $KATA_HOME, or .kata in the learner's folder."""
    named = os.environ.get("KATA_HOME")
    return (Path(named) if named else WORKSHOP / ".kata").resolve()
