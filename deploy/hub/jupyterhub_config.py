"""A class on one machine: JupyterHub, each learner's server a unit of systemd, one installation for all.

    .venv/bin/jupyterhub --config deploy/hub/jupyterhub_config.py

Learners are the machine's accounts. KATA_INSTRUCTORS: who sees the board, names with commas between them.
KATA_HUB_URL: where browsers reach the hub; by itself it is on loopback.
"""

import ipaddress
import os
from pathlib import Path

c = get_config()  # noqa: F821
here = Path(__file__).resolve().parent
load_subconfig(str(here / "class_config.py"))  # noqa: F821

c.JupyterHub.bind_url = os.environ.get("KATA_HUB_URL", "http://127.0.0.1:8000")
c.JupyterHub.authenticator_class = "pam"
c.Authenticator.allow_all = True  # whoever has an account here

c.JupyterHub.spawner_class = "systemd"
c.JupyterHub.cleanup_servers = False  # they are units of their own, and outlive a hub that is restarted
c.SystemdSpawner.isolate_tmp = True
c.SystemdSpawner.disable_user_sudo = True
c.SystemdSpawner.readonly_paths = [str(here.parents[1])]

LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")
NETWORKS = list(LOOPBACK.subnets(new_prefix=17))[2:-2]
"""One a learner: room for eight clusters. The first holds 127.0.0.1."""


def own_addresses(spawner):
    """Give a server the part of loopback in which its clusters are, and keep it out of everyone else's."""
    if spawner.user.id > len(NETWORKS):
        raise ValueError(
            f"Loopback has room for {len(NETWORKS)} accounts of a hub: delete some at /hub/admin."
        )
    network = str(NETWORKS[spawner.user.id - 1])
    spawner.environment = {**spawner.environment, "KATA_ADDRESSES": network}
    if hasattr(spawner, "unit_extra_properties"):
        spawner.unit_extra_properties = {
            "IPAddressDeny": str(LOOPBACK),
            "IPAddressAllow": f"127.0.0.1 {network}",  # the hub, and what is the learner's own
            "ProtectProc": "invisible",
            "MemorySwapMax": "0",  # what is over the limit is ended, and does not slow the machine down
            # The server ends its kernels, then systemd the cluster. Of a signal to all at once kernels may
            # die first, and the server start them again, and wait for them until it is killed.
            "KillMode": "mixed",
            "TimeoutStopSec": "20",
        }


c.Spawner.pre_spawn_hook = own_addresses
