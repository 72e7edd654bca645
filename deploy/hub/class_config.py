"""What every hub of a class has, wherever its servers run: limits, the proxy, the culler, the board.

KATA_INSTRUCTORS: who leads the class, names with commas between them. They see the board, but no
learner's server.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821
here = Path(__file__).resolve().parent
binaries = Path(sys.executable).parent

c.ConfigurableHTTPProxy.command = [
    str(binaries / "node"),
    str(here / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"),
]

BOARD = os.environ.get("KATA_BOARD_AT", "http://127.0.0.1:8780")
"""Where the board listens, as learners' servers and the proxy reach it."""
IDLE_SECONDS = 3600
TO_THE_BOARD = "access:services!service=class"
LEADS = "custom:class:instruct"

c.Spawner.cmd = [str(here / "single-user")]
c.Spawner.default_url = "/lab"
c.Spawner.mem_limit = "2G"
c.Spawner.cpu_limit = 2.0
c.Spawner.http_timeout = 120  # seconds; thirty who come at once share the cores
c.Spawner.environment = {"KATA_CLASS_URL": f"{BOARD}/services/class"}
c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server", TO_THE_BOARD]

c.JupyterHub.services = [
    {
        "name": "class",
        "display": True,
        "url": BOARD,
        "command": [str(binaries / "kata"), "class", "serve", "--hub"],
        "environment": {"KATA_HOME": str(Path.cwd() / "class")},
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [LEADS],
    },
    {
        "name": "culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE_SECONDS}"],
    },
]
c.JupyterHub.custom_scopes = {LEADS: {"description": "Lead the class: see its board."}}
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", TO_THE_BOARD]},
    {
        "name": "instructor",
        "scopes": [LEADS],
        "users": list(filter(None, os.environ.get("KATA_INSTRUCTORS", "").split(","))),
    },
    {
        "name": "culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["culler"],
    },
]
