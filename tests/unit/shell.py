"""A shell for tests in which kubectl is on one of the unit tests' API servers."""

import json
import os
import subprocess
import sys
from pathlib import Path

from api_server import TOKEN, Api

from kata_lib.engines.embedded import pki
from kata_lib.engines.embedded.state import State
from kata_lib.machine import PROJECT

LIMIT = 60.0


class Shell:
    """Runs lines in the project's folder. kubectl sends its token over TLS alone, so the API is served so."""

    def __init__(self, api: Api, folder: Path) -> None:
        state = State(folder)
        state.pki.mkdir(parents=True)
        made = pki.ensure(state, "127.0.0.1")
        port = api.serve_tls(made.server_context())
        kubeconfig = json.dumps(pki.kubeconfig(state, made, f"https://127.0.0.1:{port}"))
        (folder / "kubectl.yaml").write_text(kubeconfig.replace(made.token, TOKEN))
        self._environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "KUBECONFIG": str(folder / "kubectl.yaml"),
            "KUBECACHEDIR": str(folder / "cache"),
            "GOGC": "off",  # kubectl ends before its garbage is worth a fifth of its processor time
        }

    def __call__(self, line: str) -> str:
        """Return what a line prints; it must not fail."""
        done = subprocess.run(
            ["bash", "-c", line],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env=self._environment,
            cwd=PROJECT,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout
