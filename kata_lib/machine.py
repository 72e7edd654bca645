"""What a machine must have for the workshop, and where on it the workshop is: on the standard library alone.

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

IMPORTED_FROM = Path(__file__).resolve().parent.parent
"""The folder that has this package: the checkout, or where the wheel was installed."""
_SHIPPED = IMPORTED_FROM / "kata_lib" / "shipped"
IS_CHECKOUT = not _SHIPPED.is_dir()
PROJECT = IMPORTED_FROM if IS_CHECKOUT else _SHIPPED
"""The folder with what the workshop brings: this checkout, or of a wheel what pdm_build.py put into it.

Many may share it, and then none of them may write to it.
"""
SET_UP = "scripts/setup" if IS_CHECKOUT else "canary-kata --write"
"""The command that mends what is installed."""
OPEN = "scripts/workshop" if IS_CHECKOUT else "canary-kata"
"""The command that opens the workshop."""
MARK = ".kata/brought.json"
"""What a learner's folder beside the project has: it says which files the workshop wrote."""


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


def last_opened() -> Path:
    """Return the file that names the learner's folder which was opened last."""
    return (
        Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "canary-kata" / "folder"
    )


def _learners_folder() -> Path:
    if named := os.environ.get("KATA_WORKSHOP"):
        return Path(named).resolve()
    if IS_CHECKOUT:
        return PROJECT
    here = Path.cwd()
    known = last_opened()
    last = [Path(known.read_text().strip())] if known.is_file() else []
    found = (folder for folder in (here, *here.parents, *last) if (folder / MARK).is_file())
    return next(found, here / "canary-kata")


WORKSHOP = _learners_folder()
"""The folder in which the learner works, with files of their own: $KATA_WORKSHOP, or PROJECT.

Of a wheel it is the one in which one stands, or that was opened last; where there is none, that which would
be made here.
"""


def state_folder() -> Path:
    """Return where everything is kept that lasts: $KATA_HOME, or .kata in the learner's folder."""
    named = os.environ.get("KATA_HOME")
    return (Path(named) if named else WORKSHOP / ".kata").resolve()
