"""The hub of deploy/hub where there is no systemd and learners have no accounts: servers start otherwise.

Where this is root each server has a user id of its own, otherwise this one. Homes are in $KATA_TEST_HOMES.
Any name logs in.
"""

import os
import sys
from pathlib import Path

from jupyterhub.spawner import SimpleLocalProcessSpawner

c = get_config()  # type: ignore[name-defined]  # noqa: F821
load_subconfig(str(Path(__file__).with_name("ports_config.py")))  # type: ignore[name-defined]  # noqa: F821

FIRST_ID = 58_000
READS_ALL = "+dac_read_search"
"""The capability to read a Python that is root's alone; a hub of a class has none such."""


def readable_by_all(path: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in path.resolve().parents)


class OtherUserSpawner(SimpleLocalProcessSpawner):  # type: ignore[misc]
    """Starts a server as a user id that has no account."""

    async def start(self):  # type: ignore[no-untyped-def]
        os.makedirs(self.home_dir, mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            number = FIRST_ID + int(self.user.id)
            os.chown(self.home_dir, number, number)
            become = ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups"]
            if not all(map(readable_by_all, (Path(sys.executable), Path(__file__)))):
                become += [f"--inh-caps={READS_ALL}", f"--ambient-caps={READS_ALL}"]
            self.cmd = [*become, *self.cmd]  # type: ignore[has-type]
        return await super().start()

    def make_preexec_fn(self, name):  # type: ignore[no-untyped-def]
        return lambda: os.chdir(self.home_dir)


c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = OtherUserSpawner
c.SimpleLocalProcessSpawner.home_dir_template = f"{os.environ['KATA_TEST_HOMES']}/{{username}}"
c.LocalProcessSpawner.interrupt_timeout = 1
c.JupyterHub.cleanup_servers = True  # here they are the hub's own processes
c.Spawner.args = ["--LabApp.expose_app_in_browser=True"]
