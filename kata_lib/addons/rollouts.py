"""Argo Rollouts in a real cluster: its manifest applied, its image at hand, its Deployment ready.

It goes into the namespace that its manifest's bindings name, argo-rollouts, and acts on Rollouts everywhere.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kata_lib.addons import deployed
from kata_lib.addons.manifests import manifest_of
from kata_lib.engines.base import Engine
from kata_lib.engines.kind import KindEngine, images
from kata_lib.engines.programs import await_true

NAMESPACE = CONTROLLER = "argo-rollouts"
READY_SECONDS = 180.0


def install(engine: Engine, kubeconfig: Path, say: Callable[[str], None]) -> None:
    """Install Argo Rollouts and wait until its controller is ready; raise EngineError where it cannot be."""
    # Its tag is pinned, so an image that was loaded is the right one; Always would ask a registry.
    text = manifest_of("rollouts", engine.logs().parent).read_text()
    text = text.replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent")
    if isinstance(engine, KindEngine):
        engine.load(images.named_in(text), say)
    say("installing rollouts")
    apply(kubeconfig, text)
    ready = partial(deployed.missing, kubeconfig, NAMESPACE, CONTROLLER)
    await_true(ready, READY_SECONDS, "rollouts was not ready", say)


def apply(kubeconfig: Path, manifest: str) -> None:
    """Apply a manifest of Argo Rollouts in its namespace, which is made first."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    deployed.apply(kubeconfig, "rollouts", json.dumps(namespace))
    deployed.apply(kubeconfig, "rollouts", manifest, f"--namespace={NAMESPACE}")
