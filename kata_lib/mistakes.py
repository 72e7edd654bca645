"""Mistakes that a step's objects show, each with where it was seen and the line that mends it.

A cluster goes in, mistakes come out in the order in which a person should mend them. `checks` asks.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from kata_lib import mesh, waiting
from kata_lib.cluster import Cluster
from kata_lib.kube import Obj
from kata_lib.mesh import ISTIO
from kata_lib.shares import percent
from kata_lib.steps import CANARY, PROMOTE, V1, V2, V3

V1_DEPLOYMENTS = ("age", "name-v1", "sentences")
_FOLDERS = {"name-v2": V2, "name-v3": V3}


@dataclass(frozen=True)
class Mistake:
    """What is wrong and where, and a command or line of YAML that mends it."""

    text: str
    mend: str


def workloads(cluster: Cluster, names: tuple[str, ...]) -> Iterator[Mistake]:
    """Yield what keeps these Deployments from running with a sidecar in each pod."""
    for name in names:
        deployment = cluster.get("apps/v1", "Deployment", name)
        if deployment is None:
            yield Mistake(
                f"There is no Deployment {name} in namespace {cluster.namespace}.",
                f"kubectl apply -f {_FOLDERS.get(name, V1)}",
            )
        elif line := waiting.unfinished(deployment):
            reasons = "; ".join(waiting.pod_troubles(_pods_of(cluster, deployment)))
            yield Mistake(
                f"The Deployment {line}. {reasons}".strip(),
                f"kubectl describe pods -l {_selector(deployment)}",
            )
        else:
            yield from _without_sidecar(cluster, name, _pods_of(cluster, deployment))


def extra_version(cluster: Cluster) -> Iterator[Mistake]:
    """Yield that v2 is already deployed, where v1 should be alone."""
    if cluster.get("apps/v1", "Deployment", "name-v2"):
        yield Mistake("name-v2 is deployed already, so v1 is not alone.", f"kubectl delete -f {V2}")


def unwanted_route(cluster: Cluster) -> Iterator[Mistake]:
    """Yield that a VirtualService weights the requests, where plain Kubernetes should spread them."""
    if service := mesh.virtual_service(cluster):
        name = service["metadata"]["name"]
        yield Mistake(
            f"The VirtualService {name} sets the shares of the host name already.",
            f"kubectl delete virtualservice {name}",
        )


def replicas(cluster: Cluster, wanted: dict[str, int]) -> Iterator[Mistake]:
    """Yield which Deployments have another number of replicas than wanted."""
    for name, number in wanted.items():
        deployment = cluster.get("apps/v1", "Deployment", name) or {"spec": {"replicas": 0}}
        if (found := deployment["spec"].get("replicas", 1)) != number:
            yield Mistake(
                f"{name} has {found} pod{'s' * (found != 1)}; this step's shares are those of {number}.",
                f"kubectl scale deployment {name} --replicas={number}",
            )


def left_over(cluster: Cluster) -> Iterator[Mistake]:
    """Yield what is still there of the workshop's kinds, where nothing should be."""
    if left := [f"{obj['kind']} {obj['metadata']['name']}" for obj in cluster.contents()]:
        yield Mistake(
            f"Still there: {', '.join(left)}.",
            f"kubectl delete --ignore-not-found -f {V1} -f {V2} -f {V3} -f {PROMOTE}",
        )


def route(cluster: Cluster, host: str = "name", file: str = CANARY) -> Iterator[Mistake]:
    """Yield why a VirtualService does not do what it seems to do for a host; file: where the right one is."""
    service = mesh.virtual_service(cluster, host)
    if service is None:
        yield _no_route(cluster, host, file)
        return
    name = service["metadata"]["name"]
    defined = mesh.subsets(cluster, host)
    ready = mesh.ready_pods(cluster, host)
    for http in service["spec"]["http"]:
        for entry in http.get("route", []):
            subset = entry["destination"].get("subset")
            if subset is None:
                continue
            if subset not in defined:
                yield _undefined_subset(name, subset, list(defined))
            elif not any(_carries(pod, defined[subset]) for pod in ready):
                labels = ",".join(f"{k}={v}" for k, v in defined[subset].items())
                yield Mistake(
                    f"The subset {subset} selects pods with {labels}, and no ready pod of {host} has these "
                    "labels: its requests get 503 (flag UH).",
                    f"kubectl get pods -l {labels}   # compare: kubectl get pods --show-labels",
                )


def weights(
    cluster: Cluster, wanted: dict[str, float], host: str = "name", file: str = CANARY
) -> Iterator[Mistake]:
    """Yield in what the shares by subset differ from those wanted (fractions of 1); file: as in route()."""
    found = mesh.weights(cluster, host)
    if all(abs(found.get(subset, 0.0) - share) < 0.0005 for subset, share in wanted.items()):
        return
    service = mesh.virtual_service(cluster, host)
    name = service["metadata"]["name"] if service else host
    said = ", ".join(f"{subset} {percent(share)}" for subset, share in found.items())
    asked = ", ".join(f"{subset} {percent(share)}" for subset, share in wanted.items())
    mend = "kata weights " + " ".join(f"{subset}={share * 100:.0f}" for subset, share in wanted.items())
    if not wanted.keys() <= found.keys():
        mend = f"kubectl apply -f {file}"
    values = list(wanted.values())
    if len(found) == 2 and sorted(found) == sorted(wanted) and [found[s] for s in wanted] == values[::-1]:
        text = f"The weights in the VirtualService {name} are swapped: {said}; this step wants {asked}."
    else:
        text = f"The weights in the VirtualService {name} make {said}; this step wants {asked}."
        if (total := _total(service)) not in (0, 100):
            text += f" They total {total}, and Istio divides each by the total."
    yield Mistake(text, mend)


def _pods_of(cluster: Cluster, deployment: Obj) -> list[Obj]:
    return cluster.pods(_selector(deployment))


def _selector(deployment: Obj) -> str:
    return ",".join(f"{k}={v}" for k, v in deployment["spec"]["selector"]["matchLabels"].items())


def _without_sidecar(cluster: Cluster, deployment: str, pods: list[Obj]) -> Iterator[Mistake]:
    for pod in pods:
        containers = pod["spec"]["containers"]
        ready = f"READY {len(containers)}/{len(containers)}"
        # Istio injects the sidecar as an init container that stays, where Kubernetes can do that.
        everywhere = containers + pod["spec"].get("initContainers", [])
        if not any(container["name"] == "istio-proxy" for container in everywhere):
            yield Mistake(
                f"The pod {pod['metadata']['name']} has no sidecar ({ready}): it is "
                " older than the namespace's label istio-injection=enabled, or the label is missing.",
                f"kubectl label namespace {cluster.namespace} istio-injection=enabled --overwrite && "
                f"kubectl rollout restart deployment {deployment}",
            )
            return


def _no_route(cluster: Cluster, host: str, file: str) -> Mistake:
    for other in cluster.objects(ISTIO, "VirtualService"):
        hosts = other["spec"].get("hosts", [])
        return Mistake(
            f"The VirtualService {other['metadata']['name']} routes {', '.join(hosts)}, not {host}: requests "
            f"to {host} are still spread evenly over its pods.",
            f"hosts: [{host}]",
        )
    return Mistake(
        f"No VirtualService routes {host} in namespace {cluster.namespace}: requests are spread evenly over "
        "its pods. Was the file applied?",
        f"kubectl apply -f {file}",
    )


def _undefined_subset(service: str, subset: str, defined: list[str]) -> Mistake:
    if not defined:
        return Mistake(
            f"The VirtualService {service} sends requests to the subset {subset}, and no DestinationRule "
            "defines it: they get 503 (flag NC; istioctl analyze: IST0101).",
            f"kubectl apply -f {CANARY}   # it holds the DestinationRule too",
        )
    near = (difflib.get_close_matches(subset, defined, n=1, cutoff=0.0) or defined)[0]
    return Mistake(
        f"The VirtualService {service} sends requests to the subset {subset}; the DestinationRule has "
        f"{', '.join(defined)}: that share gets 503 (istioctl analyze: IST0101).",
        f"subset: {near}",
    )


def _carries(pod: Obj, labels: dict[str, str]) -> bool:
    return all(pod["metadata"].get("labels", {}).get(key) == value for key, value in labels.items())


def _total(service: Obj | None) -> int:
    entries = service["spec"]["http"][0].get("route", []) if service else []
    return sum(entry.get("weight", 0) for entry in entries)
