"""Find or obtain what the kind engine runs: kind, istioctl and kubectl, of pinned versions.

Runs on the machine's own Python with nothing installed. A program on PATH that is new enough is left alone;
another is downloaded into .kata/tools (or $KATA_HOME/tools), where the workshop looks first. It must have the
checksum that its publisher gives beside it; nothing half-written is left.
"""

import argparse
import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kata_lib import machine, versions  # noqa: E402
from kata_lib.files import replacing  # noqa: E402

SECONDS = 60
"""For a server to answer, and for each part of a download."""


@dataclass(frozen=True)
class Tool:
    """A program: its pinned version, the oldest that serves, how it tells its own, where it is published."""

    name: str
    version: str
    oldest: tuple[int, ...]
    tell: tuple[str, ...]
    url: str
    checksum: str

    def place(self, system: str, processor: str) -> str:
        return self.url.format(version=self.version, system=system, processor=processor)

    def checksum_place(self, system: str, processor: str) -> str:
        return self.checksum.format(url=self.place(system, processor))


TOOLS = (
    Tool(
        "kind",
        versions.KIND,
        versions.numbers(versions.OLDEST_KIND),
        ("version",),
        "https://kind.sigs.k8s.io/dl/v{version}/kind-{system}-{processor}",
        "{url}.sha256sum",
    ),
    Tool(
        "istioctl",
        versions.ISTIO,
        versions.numbers(versions.OLDEST_ISTIOCTL),
        ("version", "--remote=false"),
        "https://github.com/istio/istio/releases/download/{version}/istioctl-{version}-{system}-{processor}.tar.gz",
        "{url}.sha256",
    ),
    Tool(
        "kubectl",
        versions.KUBECTL,
        machine.OLDEST_KUBECTL,
        ("version", "--client"),
        "https://dl.k8s.io/release/v{version}/bin/{system}/{processor}/kubectl",
        "{url}.sha256",
    ),
)
"""The versions that the kind engine was tested with; kubectl's is that of the workshop's own package."""


class ToolError(Exception):
    """Why a program could not be obtained."""


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="scripts/get-tools", description=(__doc__ or "").split("\n\n")[0]
    )
    arguments.add_argument("--all", action="store_true", help="obtain those that are on PATH too")
    everything = arguments.parse_args().all
    folder = machine.state_folder() / "tools"
    system, processor = _here()
    missing = []
    for tool in TOOLS:
        if not everything and (path := found(tool, folder)):
            print(f"{tool.name} is there: {path}")
            continue
        print(f"{tool.name} {tool.version}: downloading")
        try:
            obtain(tool, system, processor, folder)
        except ToolError as error:
            print(f"{tool.name} {tool.version}: {error}", file=sys.stderr)
            missing.append(tool)
    for tool in missing:
        print(
            f"\nPut {tool.name} {tool.version} for {system}/{processor} there yourself:\n"
            f"  from       {tool.place(system, processor)}\n"
            f"  its sum    {tool.checksum_place(system, processor)}\n"
            f"  to         {folder / tool.name}  (chmod +x)\n"
            f"  or name it KATA_{tool.name.upper()}=/path/to/{tool.name}",
            file=sys.stderr,
        )
    return 1 if missing else 0


def found(tool: Tool, folder: Path) -> str | None:
    """Return the path of a program that serves: in the folder, beside the workshop's Python, or on PATH."""
    named = os.environ.get(f"KATA_{tool.name.upper()}") or tool.name
    places = os.pathsep.join([str(folder), str(ROOT / ".venv" / "bin"), os.environ.get("PATH", "")])
    path = shutil.which(named, path=places)
    if path is None:
        return None
    try:
        said = subprocess.run([path, *tool.tell], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"\d+\.\d+", said)
    return path if version and versions.numbers(version[0]) >= tool.oldest else None


def obtain(tool: Tool, system: str, processor: str, folder: Path) -> None:
    """Download a program into the folder, whole or not at all; ToolError says why not."""
    data = _get(tool.place(system, processor))
    published = _get(tool.checksum_place(system, processor)).decode(errors="replace").split()
    if not published or hashlib.sha256(data).hexdigest() != published[0].lower():
        raise ToolError("what was downloaded has another checksum than its publisher gives: it was not kept")
    program = _member(data, tool.name) if tool.url.endswith(".tar.gz") else data
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with replacing(folder / tool.name) as new:
            new.write_bytes(program)
            new.chmod(0o755)
    except OSError as error:
        raise ToolError(f"it cannot be written: {error}") from error


def _get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            content: bytes = answer.read()
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise ToolError(f"{url} cannot be had: {error}") from error
    return content


def _member(archive: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as packed:
        file = packed.extractfile(name)
        if file is None:
            raise ToolError(f"there is no {name} in the archive")
        return file.read()


def _here() -> tuple[str, str]:
    """Return this machine's system and processor as publishers name them."""
    processors = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    return platform.system().lower(), processors.get(platform.machine(), platform.machine())


if __name__ == "__main__":
    sys.exit(main())
