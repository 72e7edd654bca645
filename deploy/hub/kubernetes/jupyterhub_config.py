"""A class on Kubernetes: the hub and its proxy in one pod, a learner's server and cluster in one of theirs.

hub.yaml starts it. KATA_AUTHENTICATOR says who may log in: a class such as
oauthenticator.generic.GenericOAuthenticator, or one of JupyterHub's own names; its settings are in
/srv/class/*.py.
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821
here = Path(__file__).resolve().parent
load_subconfig(str(here.parent / "class_config.py"))  # noqa: F821

c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_ip = "hub"
c.JupyterHub.cleanup_servers = False  # learners go on while the hub is replaced
c.JupyterHub.authenticator_class = os.environ["KATA_AUTHENTICATOR"]

board, culler = c.JupyterHub.services
for setting in ("command", "environment"):  # it is a Deployment of its own
    del board[setting]
board["api_token"] = os.environ["KATA_BOARD_TOKEN"]
culler["command"].append(
    "--url=http://127.0.0.1:8081/hub/api"
)  # the Service has no pod before the hub is ready

HOME = "/home/learner"
UID = 1000

c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.KubeSpawner.image = os.environ["KATA_IMAGE"]
c.KubeSpawner.image_pull_policy = "IfNotPresent"
c.KubeSpawner.working_dir = HOME
c.KubeSpawner.start_timeout = 300
c.KubeSpawner.uid = UID
c.KubeSpawner.fs_gid = UID
c.KubeSpawner.container_security_context = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
c.KubeSpawner.extra_labels = {"app": "canary-kata"}
c.KubeSpawner.extra_pod_config = {"enableServiceLinks": False}
c.KubeSpawner.cpu_guarantee = 0.25
c.KubeSpawner.mem_guarantee = "600M"
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = "2Gi"
c.KubeSpawner.storage_access_modes = ["ReadWriteOnce"]
c.KubeSpawner.storage_class = os.environ.get("KATA_STORAGE_CLASS") or None
c.KubeSpawner.pvc_name_template = "home-{user_server}"
c.KubeSpawner.volumes = {
    "home": {"name": "home", "persistentVolumeClaim": {"claimName": "{pvc_name}"}},
    "tmp": {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
}
c.KubeSpawner.volume_mounts = {
    "home": {"name": "home", "mountPath": HOME},
    "tmp": {"name": "tmp", "mountPath": "/tmp"},
}

for site in sorted(Path("/srv/class").glob("*.py")):
    load_subconfig(str(site))  # noqa: F821
