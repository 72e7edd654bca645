"""What every hub of a class has, wherever its servers run: limits, the proxy, the culler, the board."""

import os
import sys
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821
here = Path(__file__).resolve().parent
binaries = Path(sys.executable).parent

c.ConfigurableHTTPProxy.command = [
    str(binaries / "node"),
    str(here / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"),
]

c.Spawner.cmd = [str(here / "single-user")]
c.Spawner.default_url = "/lab"
c.Spawner.mem_limit = "2G"
c.Spawner.cpu_limit = 2.0
c.Spawner.http_timeout = 120  # seconds; thirty who come at once share few cores

instructors = set(filter(None, os.environ.get("KATA_INSTRUCTORS", "").split(",")))
c.Authenticator.admin_users = instructors

IDLE_SECONDS = 3600
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE_SECONDS}"],
    },
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    },
]
