"""JupyterLab for the workshop: loopback only, with a token, and nothing asked of the internet."""

import os
import shutil
from pathlib import Path

from jupyterlab.commands import get_workspaces_dir
from jupyterlab.handlers.announcements import NeverCheckForUpdate

here = Path(__file__).resolve().parent
root = here.parents[1]
c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.Application.log_level = "ERROR"  # the link is printed all the same
if "JUPYTERHUB_SERVICE_URL" not in os.environ:  # which says where a hub's proxy looks
    c.ServerApp.ip = "127.0.0.1"
c.ServerApp.root_dir = os.environ.get("KATA_WORKSHOP") or str(root)
c.ServerApp.terminado_settings = {
    "shell_command": ["bash", "--rcfile", str(root / "etc/terminal.bashrc"), "-i"]
}
c.KernelManager.transport_encryption = "auto"  # else any user of the machine reads a kernel's outputs
c.ContentsManager.hide_globs = ["__pycache__", "*.pyc", "*~", "src"]  # the notebooks' folder shows them alone

c.LabApp.default_url = "/lab"
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = NeverCheckForUpdate
c.LabApp.extension_manager = "readonly"
# Else each page asks whether JupyterLab should be built again, which starts a node where there is one.
c.ServerApp.tornado_settings = {"page_config_data": {"buildCheck": False, "buildAvailable": False}}
c.LabApp.extra_labextensions_path = [str(here / "labextensions")]

# The first start shows the start page with a terminal beside it; later ones what a person left open.
workspaces = Path(get_workspaces_dir())
if not any(workspaces.glob("*")):
    workspaces.mkdir(parents=True, exist_ok=True)
    for workspace in (here / "workspaces").iterdir():
        shutil.copyfile(workspace, workspaces / workspace.name)  # which its owner may write to
