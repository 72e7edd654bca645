"""Argo Rollouts: its release's manifest, its controller as a container or as a process.

It goes into the namespace that its manifest's bindings name, argo-rollouts, and acts on Rollouts everywhere.
As a process the controller goes without what a process has not, volumes above all, and without the two ports
that it would open to the network.
"""

from typing import Any

from kata_lib import versions
from kata_lib.addons import manifests
from kata_lib.addons.processes import without_containers
from kata_lib.engines.addons import Addon, Process, Site

VERSION = f"v{versions.ARGO_ROLLOUTS}"
URL = f"https://github.com/argoproj/argo-rollouts/releases/download/{VERSION}/install.yaml"
IMAGE = "quay.io/argoproj/argo-rollouts"
NAME, CONTROLLER = "rollouts", "argo-rollouts"
WORKS = "Started rollout workers"
"""What it writes once it has read everything."""

_ARGUMENTS = (f"--namespace={CONTROLLER}", "--leader-elect=false", "--metricsPort=-1", "--healthzPort=-1")
"""One controller only; of port -1 it says that it cannot listen there, and goes on."""


def manifest() -> str:
    """Return the release's manifest; an image that is there is used, because its tag is pinned."""
    text = manifests.here(NAME) or manifests.fetched(NAME, URL)
    return text.replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent")


def as_process(site: Site) -> list[dict[str, Any]]:
    """Return the release's objects with the Deployment as a process can be run from it."""
    return without_containers(manifest(), _ARGUMENTS)


ROLLOUTS = Addon(
    NAME,
    CONTROLLER,
    deployment=CONTROLLER,
    manifest=manifest,
    process=Process(
        IMAGE,
        program="rollouts-controller",
        source=f"it is the file /bin/rollouts-controller of the image {IMAGE}:{VERSION}, "
        "or what `go build ./cmd/rollouts-controller` makes of its source",
        manifests=as_process,
        works=WORKS,
    ),
)
