"""What refuses each file of tests/reference/istio/invalid, and in which words: the API server, and Istio.

On a cluster with Istio's definitions, without its webhook meanwhile: the API server's words are its
schema's, Istio's those of `istioctl validate`.
"""

from pathlib import Path

from kata_lib import versions
from recorders.lab import Lab
from recorders.leaving import without_webhooks
from recorders.recorded import REFERENCE, Versions

FOLDER = REFERENCE / "istio" / "invalid"


def record(lab: Lab) -> Versions:
    """Write NAME.txt beside each NAME.yaml."""
    with without_webhooks(lab.client):
        for path in sorted(FOLDER.glob("*.yaml")):
            lines = [*_server(lab, path), *_istio(lab, path)]
            path.with_suffix(".txt").write_text("\n".join(lines) + "\n")
            print(path.stem, flush=True)
    return {"kubernetes": lab.kubernetes, "istio": versions.ISTIO}


def _server(lab: Lab, path: Path) -> list[str]:
    done = lab.run("kubectl", "create", "--dry-run=server", f"--filename={path}")
    said = done.stderr if done.returncode else done.stdout
    return [f"api server: {line}" for line in said.rstrip("\n").split("\n")]


def _istio(lab: Lab, path: Path) -> list[str]:
    said = lab.run("istioctl", "validate", f"--filename={path}")
    found = [line.strip().removeprefix("* ") for line in (said.stdout + said.stderr).splitlines()]
    return [f"istio validation: {line}" for line in found if "//" in line]
