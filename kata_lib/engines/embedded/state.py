"""Where a cluster keeps what it knows: one folder a cluster, and a short folder for its sockets.

    <home>/kubeconfig          how kubectl reaches it (0600)
    <home>/note.json           that it is the embedded engine's
    <home>/store.db            every object and its history
    <home>/daemon.json         written last: the daemon serves
    <home>/logs/daemon.log     what the daemon says
    <home>/logs/pods/...       <uid>/<container>.<attempt>.log
    <home>/logs/node/...       the node's Envoy
    <home>/pki/                the API server's certificate authority
    <home>/images.json         which command stands for which image
    <home>/addresses.json      the address block or ports that are the cluster's own
    <home>/run                 link to the folder of sockets: a socket's path has at most 107 bytes

`stop` removes all but logs/.
"""

import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from kata_lib.errors import EngineError

SCRAPE_TARGETS = "/kata/scrape-targets"
"""Where the API server lists the pods that have counters."""


@dataclass(frozen=True)
class State:
    """The paths of one cluster; `home` is absolute and its last part is the cluster's name."""

    home: Path

    @property
    def name(self) -> str:
        return self.home.name

    @property
    def mark(self) -> str:
        """Eight hex digits that tell this cluster's processes and sockets from every other's."""
        return hashlib.sha256(str(self.home).encode()).hexdigest()[:8]

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def store(self) -> Path:
        return self.home / "store.db"

    @property
    def daemon(self) -> Path:
        return self.home / "daemon.json"

    @property
    def addresses(self) -> Path:
        return self.home / "addresses.json"

    @property
    def pki(self) -> Path:
        return self.home / "pki"

    @property
    def images(self) -> Path:
        """Which command stands for which image."""
        return self.home / "images.json"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def daemon_log(self) -> Path:
        return self.logs / "daemon.log"

    @property
    def run(self) -> Path:
        """The folder of sockets, by its short path."""
        return Path(os.readlink(self.home / "run"))

    @property
    def new_run(self) -> Path:
        """Where `create` makes the folder of sockets."""
        return Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp") / f"kata-{os.getuid()}-{self.mark}"

    def admin_socket(self, owner: str) -> Path:
        """Return where the Envoy of a pod (by its uid) or of the node listens for its administrator."""
        return self.run / f"{owner}.sock"

    @property
    def xds_socket(self) -> Path:
        """Where every Envoy asks for its configuration."""
        return self.run / "xds.sock"

    def pod_log(self, pod_uid: str, container: str, attempt: int) -> Path:
        return self.logs / "pods" / pod_uid / f"{container}.{attempt}.log"

    def create(self) -> None:
        """Make all folders, readable by their owner only; refuse a folder of sockets that is another's."""
        for folder in (self.home, self.pki, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        link = self.home / "run"
        if link.is_symlink() and not self.run.parent.is_dir():  # it went with the session that made it
            link.unlink()
        if not link.is_symlink():
            link.symlink_to(self.new_run)
        self.run.mkdir(mode=0o700, exist_ok=True)
        found = self.run.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise EngineError(
                f"{self.run} must be a folder that only you can read, but it belongs to uid {found.st_uid} "
                f"with mode {found.st_mode & 0o777:o}. Remove it, or set XDG_RUNTIME_DIR to one of your own."
            )

    def remove(self) -> None:
        """Remove everything but the logs."""
        link = self.home / "run"
        if link.is_symlink():
            shutil.rmtree(os.readlink(link), ignore_errors=True)
            link.unlink()
        if not self.home.is_dir():
            return
        for path in self.home.iterdir():
            if path == self.logs:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
