"""JupyterLab for the workshop: loopback only, with a token, and nothing asked of the internet."""

from pathlib import Path

from jupyterlab.handlers.announcements import NeverCheckForUpdate

root = Path(__file__).resolve().parents[2]
c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.Application.log_level = "ERROR"  # the link is printed all the same
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.root_dir = str(root)
c.ServerApp.terminado_settings = {
    "shell_command": ["bash", "--rcfile", str(root / "etc/terminal.bashrc"), "-i"]
}
c.KernelManager.transport_encryption = "auto"  # else any user of the machine reads a kernel's outputs

c.LabApp.default_url = "/lab/tree/notebooks/00-setup.ipynb"
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = NeverCheckForUpdate
c.LabApp.extension_manager = "readonly"
