"""The hub of deploy/hub as it is, on ports that a test chose; the test knows its culler's token."""

import os
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821
load_subconfig(str(Path(__file__).parents[2] / "deploy" / "hub" / "jupyterhub_config.py"))  # type: ignore[name-defined]  # noqa: F821

c.JupyterHub.hub_port = int(os.environ["KATA_TEST_HUB_PORT"])
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['KATA_TEST_PROXY_PORT']}"
for service in c.JupyterHub.services:
    if service["name"] == "culler":
        service["api_token"] = os.environ["KATA_TEST_CULLER_TOKEN"]
