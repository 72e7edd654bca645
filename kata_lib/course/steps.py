"""What a step of the workshop begins with, and the files that bring it about."""

from dataclasses import dataclass

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import originals
from kata_lib.mesh import http_routes
from kata_lib.mesh.gateways import GATEWAY_API

V1 = "deploy/v1"
V2 = "deploy/v2"
CANARY = "deploy/virtual-service-canary.yaml"
PROMOTE = "deploy/virtual-service-canary-promote.yaml"
V3 = "deploy/v3-faulty"
CANARY_V3 = "deploy/virtual-service-canary-v3.yaml"
PLAN_V2 = "deploy/rollouts/v2.yaml"
PLAN_V3 = "deploy/rollouts/v3.yaml"
ARGO = "deploy/rollouts/argo-rollouts"

SCALED = {"name-v2": 4}
"""The replicas of a Deployment that a notebook has a person scale."""

SWITCHED = {
    "sentences": ("FORWARD_HEADERS",),
    "name-v1": ("FORWARD_HEADERS", "SENTENCE_RANDOM_SVC_URL"),
    "name-v2": ("STORE_URL",),
    "name-v3": (
        "ERROR_RATE",
        "ERROR_RATE_OF",
        "ERRORS_AFTER",
        "DELAY",
        "ONE_AT_A_TIME",
        "STORE_URL",
        "STORE_FORMAT",
    ),
}
"""The environment variables of a Deployment that a notebook has a person set."""

HTTP_ROUTE = (GATEWAY_API, http_routes.KIND)
INSTALL = "Whoever runs it installs the standard definitions of the Gateway API."

KINDS = (
    ("networking.istio.io/v1", "VirtualService"),
    ("networking.istio.io/v1", "DestinationRule"),
    ("networking.istio.io/v1", "Gateway"),
    ("networking.istio.io/v1", "ServiceEntry"),
    ("networking.istio.io/v1", "Sidecar"),
    HTTP_ROUTE,
    (GATEWAY_API, "Gateway"),
    ("argoproj.io/v1alpha1", "Rollout"),
    ("argoproj.io/v1alpha1", "AnalysisTemplate"),
    ("apps/v1", "Deployment"),
    ("v1", "Service"),
)
"""What a step may leave in the namespace, and a reset removes."""


@dataclass(frozen=True)
class Step:
    """One notebook's starting state: these manifests are applied, and a reset leaves nothing else.

    addons: what the cluster must have. kinds: what its API must serve, each with its version. cell_seconds:
    how long a cell may take without a person.
    """

    name: str
    notebook: str
    starts_with: tuple[str, ...]
    addons: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    cell_seconds: int = 60

    def manifests(self) -> list[Obj]:
        """Return the objects of the starting state in the order in which they are applied.

        As the workshop has them: a file that a person edited does not change where a step begins.
        """
        return [obj for _, obj in self.files()]

    def files(self) -> list[tuple[str, Obj]]:
        """Return the same objects, each with its file."""
        return [
            (file, obj) for file in originals.files(*self.starts_with) for obj in originals.manifests(file)
        ]

    def names(self, kind: str) -> list[str]:
        """Return the names of the starting state's objects of a kind."""
        return [obj["metadata"]["name"] for obj in self.manifests() if obj["kind"] == kind]


def lacking(cluster: Cluster, wanted: Step) -> str:
    """Return why a step cannot begin on this cluster and what to do, "" where it can."""
    if missing := [kind for version, kind in wanted.kinds if not cluster.api.serves(version, kind)]:
        return f"This cluster's API does not serve {', '.join(missing)}. {INSTALL}"
    from kata_lib.delivery import argo

    return argo.absent(cluster) if wanted.names(argo.KIND) else ""
