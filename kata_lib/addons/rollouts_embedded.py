"""Argo Rollouts on the embedded engine: its release's manifest in the API, its real controller as a process.

The controller's Deployment goes without what a process has not, volumes above all, and without the two ports
that it would open to the network.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from kata_lib.addons import deployed
from kata_lib.addons.embedded import Program, wait
from kata_lib.addons.manifests import ROLLOUTS_VERSION, manifest_of
from kata_lib.addons.rollouts import CONTROLLER, NAMESPACE, apply
from kata_lib.engines import kubectl
from kata_lib.engines.base import Engine
from kata_lib.engines.programs import ProgramFailed

READY_SECONDS = 60.0
WORKS = "Started rollout workers"
"""What the controller writes once it has read everything."""

PROGRAM = Program(
    "rollouts-controller",
    "KATA_ROLLOUTS_CONTROLLER",
    "it is the file /bin/rollouts-controller of the image quay.io/argoproj/argo-rollouts:"
    f"{ROLLOUTS_VERSION}, or what `go build ./cmd/rollouts-controller` makes of its source",
)

_ARGUMENTS = (f"--namespace={NAMESPACE}", "--leader-elect=false", "--metricsPort=-1", "--healthzPort=-1")
"""One controller only; of port -1 it says that it cannot listen there, and goes on."""

_NOT_OF_PROCESSES = ("livenessProbe", "readinessProbe", "ports", "securityContext", "volumeMounts")


def install(engine: Engine, kubeconfig: Path, say: Callable[[str], None]) -> None:
    """Install Argo Rollouts and wait until its controller works.

    Raises EngineError where the controller's program or the manifest is not to be had, the API refuses, or
    the controller does not work within READY_SECONDS.
    """
    file = PROGRAM.file()
    manifest = as_process(manifest_of("rollouts", engine.logs().parent).read_text())
    PROGRAM.offer(file)
    say(f"installing rollouts; its controller is {file}")
    apply(kubeconfig, manifest)
    wait(engine, kubeconfig, CONTROLLER, NAMESPACE, partial(_missing, kubeconfig), READY_SECONDS, say)


def as_process(manifest: str) -> str:
    """Return the release's manifest with the Deployment as this engine can run it."""
    documents = list(yaml.load_all(manifest, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    for document in documents:
        if document and document["kind"] == "Deployment":
            _without_container(document["spec"]["template"]["spec"])
    return "\n---\n".join(map(json.dumps, documents))


def _without_container(spec: dict[str, Any]) -> None:
    for field in ("volumes", "securityContext"):
        spec.pop(field, None)
    for container in spec["containers"]:
        for field in _NOT_OF_PROCESSES:
            container.pop(field, None)
        container["args"] = [*container.get("args", ()), *_ARGUMENTS]


def _missing(kubeconfig: Path) -> str:
    """Return why the controller does not work yet, "" where it does."""
    if why := deployed.missing(kubeconfig, NAMESPACE, CONTROLLER):
        return why
    try:
        log = kubectl.kubectl(kubeconfig, "logs", f"deployment/{CONTROLLER}", f"--namespace={NAMESPACE}")
    except ProgramFailed as failed:
        return failed.said
    return "" if WORKS in log else f"{CONTROLLER}: {(log.splitlines() or ['its log is empty'])[-1]}"
