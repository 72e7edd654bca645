"""Flagger: its release's manifest, its controller as a container or as a process.

Which rules a Canary moves is in the Canary: `provider: gatewayapi:v1` for an HTTPRoute. As a process it has
one port open on every address of the machine, for its health and its counters: its program takes no address.
"""

from typing import Any

from kata_lib import versions
from kata_lib.addons import manifests
from kata_lib.addons.processes import without_containers
from kata_lib.engines.addons import Addon, Process, Site

VERSION = f"v{versions.FLAGGER}"
URL = "https://raw.githubusercontent.com/fluxcd/flagger/{version}/artifacts/flagger/{part}.yaml"
PARTS = ("account", "crd", "deployment")
IMAGE = "ghcr.io/fluxcd/flagger"
NAME, NAMESPACE = "flagger", "flagger-system"

METRICS = "http://prometheus.istio-system:9090"
_ARGUMENTS = (f"-metrics-server={METRICS}", "-kubeconfig=$(KUBECONFIG)", "-port=0")
"""Of port 0 the system gives it a free one."""


def manifest() -> str:
    """Return the release's manifest, in Flagger's own namespace and with the mesh's Prometheus."""
    text = manifests.here(NAME) or "\n---\n".join(_part(part) for part in PARTS)
    own = text.replace("namespace: default", f"namespace: {NAMESPACE}")
    return own.replace("- -log-level=info", f"- -log-level=info\n        - -metrics-server={METRICS}")


def as_process(site: Site) -> list[dict[str, Any]]:
    """Return the release's objects with the Deployment as a process can be run from it."""
    return without_containers(manifest(), _ARGUMENTS)


def _part(part: str) -> str:
    return manifests.fetched(NAME, URL.format(version=VERSION, part=part))


FLAGGER = Addon(
    NAME,
    NAMESPACE,
    deployment=NAME,
    manifest=manifest,
    process=Process(
        IMAGE,
        program="flagger",
        source=f"it is the file /flagger of the image {IMAGE}:{versions.FLAGGER}, "
        "or what `go build ./cmd/flagger` makes of its source",
        manifests=as_process,
        works="Started operator workers",
    ),
)
