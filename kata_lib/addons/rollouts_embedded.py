"""Argo Rollouts on the embedded engine: its manifest in the API, its controller as a pod that is a process.

The manifest is the release's own. A pod is a process of this machine here: the controller's Deployment goes
without volumes and without the ports that would be open to the network, and the kubelet starts the binary
that stands for the image, gives it the kubeconfig, and starts it again where it ends.
"""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from kata_lib.addons.manifests import ROLLOUTS_VERSION, manifest_of
from kata_lib.engines import kubectl, programs
from kata_lib.engines.base import Engine
from kata_lib.engines.programs import ProgramFailed, await_true
from kata_lib.errors import EngineError

NAMESPACE = "argo-rollouts"
PROGRAM = "rollouts-controller"
SETTING = "KATA_ROLLOUTS_CONTROLLER"
READY_SECONDS = 60.0
WORKS = "Started rollout workers"
"""What the controller writes once it has read everything."""

_ARGUMENTS = (f"--namespace={NAMESPACE}", "--leader-elect=false", "--metricsPort=-1", "--healthzPort=-1")
"""One controller only; of port -1 it says that it cannot listen there, and goes on."""

_NOT_OF_PROCESSES = ("livenessProbe", "readinessProbe", "ports", "securityContext", "volumeMounts")


def install(engine: Engine, kubeconfig: Path, say: Callable[[str], None]) -> None:
    """Install Argo Rollouts and wait until its controller works.

    Raises EngineError where the controller's binary or the manifest is not to be had, the API refuses, or the
    controller does not work within READY_SECONDS.
    """
    program = binary()
    folder = engine.logs().parent
    manifest = folder / f"{NAMESPACE}.yaml"
    manifest.write_text(as_process(manifest_of("rollouts", folder).read_text()))
    _offer(program)
    say(f"installing rollouts; its controller is {program}")
    try:
        if not kubectl.kubectl(kubeconfig, "get", "namespace", NAMESPACE, "--ignore-not-found"):
            kubectl.kubectl(kubeconfig, "create", "namespace", NAMESPACE)
        kubectl.kubectl(
            kubeconfig,
            "apply",
            "--server-side",
            "--force-conflicts",
            f"--namespace={NAMESPACE}",
            f"--filename={manifest}",
        )
    except ProgramFailed as failed:
        raise EngineError(f"The cluster does not take rollouts: {failed.said}") from failed
    await_true(partial(_missing, kubeconfig), READY_SECONDS, "The controller of rollouts did not work", say)


def as_process(manifest: str) -> str:
    """Return the release's manifest with the Deployment as this engine can run it."""
    documents = list(yaml.load_all(manifest, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    for document in documents:
        if document and document["kind"] == "Deployment":
            _without_container(document["spec"]["template"]["spec"])
    return yaml.dump_all(documents, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))


def _without_container(spec: dict[str, Any]) -> None:
    for field in ("volumes", "securityContext"):
        spec.pop(field, None)
    for container in spec["containers"]:
        for field in _NOT_OF_PROCESSES:
            container.pop(field, None)
        container["args"] = [*container.get("args", ()), *_ARGUMENTS]


def binary() -> Path:
    """Return the controller's binary: the one that SETTING names, else the first on the search path."""
    named = os.environ.get(SETTING)
    found = shutil.which(named or PROGRAM, path=programs.search_path())
    if found is None:
        begin = f"{SETTING} names {named!r}, which is no program" if named else f"There is no {PROGRAM}"
        raise EngineError(
            f"{begin}: the controller of Argo Rollouts {ROLLOUTS_VERSION} is not on this machine. It is the "
            f"file /bin/{PROGRAM} of the image quay.io/argoproj/argo-rollouts:{ROLLOUTS_VERSION}, or what "
            f"`go build ./cmd/{PROGRAM}` makes of its source; put it on PATH, or name it with {SETTING}."
        )
    return Path(found).resolve()


def _offer(binary: Path) -> None:
    """Put the binary where the kubelet looks for the programs of images."""
    place = programs.tools() / PROGRAM
    if place.resolve() != binary:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(binary)


def _missing(kubeconfig: Path) -> str:
    """Return why the controller does not work yet, "" where it does."""
    pods = kubectl.pods(kubeconfig, NAMESPACE)
    if why := kubectl.unready(pods) or ([] if pods else ["no pod yet"]):
        return f"rollouts: {'; '.join(why)}"
    try:
        log = kubectl.kubectl(
            kubeconfig, "logs", f"deployment/{NAMESPACE}", f"--namespace={NAMESPACE}", "--tail=-1"
        )
    except ProgramFailed as failed:
        return failed.said
    return "" if WORKS in log else f"rollouts: {(log.splitlines() or ['the log is empty'])[-1]}"
