"""Istio by istioctl: our few settings, over them a person's own; a wait that says what it waits for."""

import json
import tempfile
from pathlib import Path

from kata_lib.cluster.waiting import Progress
from kata_lib.engines import kubectl
from kata_lib.engines.istioctl import NAMESPACE, version
from kata_lib.engines.kind.settings import KindSettings
from kata_lib.engines.programs import program, run
from kata_lib.errors import EngineError

HUB = "docker.io/istio"
READY_SECONDS = 240
LIMIT_SECONDS = READY_SECONDS + 30.0

SETTINGS = {
    "apiVersion": "install.istio.io/v1alpha1",
    "kind": "IstioOperator",
    "spec": {
        "profile": "minimal",  # no gateway: the workshop is asked through a node port
        "meshConfig": {"accessLogFile": "/dev/stdout"},  # what traces are read from
        "values": {
            "pilot": {"resources": {"requests": {"cpu": "50m", "memory": "256Mi"}}},
            "global": {"proxy": {"resources": {"requests": {"cpu": "10m", "memory": "48Mi"}}}},
        },
    },
}
"""istiod asks for 500m and 2 GiB by default, a sidecar for 100m: pods that do not fit stay Pending."""


def images(settings: KindSettings) -> list[str]:
    """Return the names of the images that Istio runs from."""
    hub, tag = settings.hub or HUB, settings.tag or version()
    return [f"{hub}/{name}:{tag}" for name in ("pilot", "proxyv2")]


def install(kubeconfig: Path, settings: KindSettings, log: Path, progress: Progress) -> None:
    """Install Istio and wait until it is ready; EngineError with what its pods lack."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as ours:
        json.dump(SETTINGS, ours)
        ours.flush()
        command = [program("istioctl"), "install", "--skip-confirmation", f"--kubeconfig={kubeconfig}"]
        command += [f"--readiness-timeout={READY_SECONDS}s", f"--filename={ours.name}"]
        if settings.istio_settings:
            command.append(f"--filename={settings.istio_settings}")
        if settings.hub:
            command.append(f"--set=hub={settings.hub}")
        if settings.tag:
            command.append(f"--set=tag={settings.tag}")
        run(command, LIMIT_SECONDS, log, progress, look=lambda: _missing(kubeconfig))


def _missing(kubeconfig: Path) -> str:
    found = kubectl.pods(kubeconfig, NAMESPACE)
    if images := kubectl.not_loaded(found):
        reasons = "; ".join(kubectl.unready(found))
        raise EngineError(
            f"The node has no image {', '.join(images)}, and cannot get it: {reasons}\n"
            "KATA_ISTIO_HUB and KATA_ISTIO_TAG say which are used; those that this machine has are loaded."
        )
    return "; ".join(kubectl.unready(found))
