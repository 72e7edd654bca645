"""The locked packages are installed: by uv, which is told what pip is told, or by pip itself.

uv comes by pip, the machine's own where there is one, into a folder that is removed afterwards. Where it
cannot be had, where pip has a setting that uv has no word for, and where uv fails, pip installs: more slowly,
by the same settings.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pip_settings
from moving import of_downloads, of_packages
from running import Reading, SetupError, Unreachable, nothing_known, run, say

HASHED = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
"""With which an installer takes exactly what a lock file has."""
DISTRIBUTIONS = "lib/python*/site-packages/*.dist-info"
SETTINGS_SECONDS = 60


@dataclass(frozen=True)
class Installer:
    """Installs into an environment.

    venv: the environment. log: gets what pip and uv say. uv: the program, if it is to be used;
    variables: what it is told.
    """

    venv: Path
    log: Path
    uv: Path | None = None
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def python(self) -> str:
        return str(self.venv / "bin" / "python")

    def lock(self, lock: Path) -> None:
        """Install what a lock file has."""
        total = len(re.findall(r"^[\w.-]+==", lock.read_text(), re.MULTILINE))
        self._install((*HASHED, "-r", str(lock)), total)

    def editable(self, project: Path) -> None:
        """Install a project as it stands in its folder, by the build backend that is there."""
        self._install(("--no-index", "--no-deps", "--no-build-isolation", "--editable", str(project)), 1)

    def _install(self, words: Sequence[str], total: int) -> None:
        before = self._installed()
        if self.uv:
            try:
                uv(
                    self.uv,
                    self.python,
                    words,
                    self.log,
                    dict(self.variables),
                    self._uv_reading(total, before),
                )
                return
            except SetupError as error:
                say(f"uv could not, so pip installs, which takes longer. {error}")
        if not self.has_pip():
            self.make_pip()
        pip(self.python, words, self.log, self._pip_reading(total, before))

    def make_pip(self) -> None:
        """Have Python make the environment's pip, without the setuptools that an older one adds."""
        run([self.python, "-m", "ensurepip"], self.log)
        run([self.python, "-m", "pip", "uninstall", "--yes", "setuptools"], self.log)

    def has_pip(self) -> bool:
        return any(self.venv.glob("lib/python*/site-packages/pip"))

    def _installed(self) -> int:
        return len(list(self.venv.glob(DISTRIBUTIONS)))

    def _pip_reading(self, total: int, before: int) -> Reading:
        def read(said: str) -> tuple[str, float]:
            there, fetched = said.count("Requirement already satisfied: "), said.count("Collecting ")
            return of_packages(total, there, fetched, self._installed() - before)

        return read

    def _uv_reading(self, total: int, before: int) -> Reading:
        def read(said: str) -> tuple[str, float | None]:
            sizes = {name: float(size) for name, size in re.findall(r"Downloading (\S+) \(([\d.]+)MiB", said)}
            here = sum(sizes.get(name, 0.0) for name in re.findall(r"Downloaded (\S+)", said))
            prepared = "Prepared " in said
            return of_downloads(sum(sizes.values()), here, total, self._installed() - before, prepared)

        return read


def pip(python: str, words: Sequence[str], log: Path, read: Reading = nothing_known) -> None:
    """Run a Python's `pip install`; the person's own pip settings (index, proxy, certificates) hold."""
    quiet = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
    # Python compiles a module when it is imported; most never are.
    command = [python, "-m", "pip", "install", *quiet, "--no-user", "--no-compile", *words]
    run(command, log, read, variables={"PIP_REQUIRE_VIRTUALENV": "0"})


def uv(
    program: Path, python: str, words: Sequence[str], log: Path, variables: Mapping[str, str], read: Reading
) -> None:
    """Run `uv pip install` for a Python; variables: what it is told of the person's pip settings."""
    run([str(program), "pip", "install", "--python", python, *words], log, read, variables)


@contextmanager
def fastest(slow: Installer, uv_lock: Path) -> Iterator[Installer]:
    """Yield the installer to use in this context: with uv, of the version locked, where that may be."""
    python = sys.executable if importlib.util.find_spec("pip") and not slow.has_pip() else slow.python
    with tempfile.TemporaryDirectory(prefix="uv-", dir=slow.log.parent) as folder:
        try:
            if python == slow.python and not slow.has_pip():
                slow.make_pip()
            variables = pip_settings.for_uv(listed(python), os.environ)
            if variables is not None:
                pip(python, ("--target", folder, *HASHED, "-r", str(uv_lock)), slow.log)
        except Unreachable:
            raise
        except SetupError as error:
            say(f"uv cannot be had, so pip installs, which takes longer. {error}")
            variables = None
        if variables is None:
            yield slow
        else:
            yield Installer(slow.venv, slow.log, Path(folder) / "bin" / "uv", tuple(variables.items()))


def listed(python: str) -> str:
    """Return what `pip config list` of a Python prints."""
    command = [python, "-m", "pip", "-vvv", "config", "list"]  # prints nothing where pip is set to be quiet
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SETTINGS_SECONDS, check=True)
    except subprocess.SubprocessError as error:
        raise SetupError(f"`pip config list` gave no answer: {error}") from None
    return done.stdout
