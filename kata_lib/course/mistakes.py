"""Mistakes that a step's objects show, each with where it was seen and the line that mends it.

A cluster goes in, mistakes come out in the order in which a person should mend them. `checks` asks. What is
wrong in every step `analyze` recognises; here stands what a step wants.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kata_lib.cluster import readiness
from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.manifests import load
from kata_lib.cluster.pods import troubles
from kata_lib.course.steps import ARGO, CANARY, KINDS, PROMOTE, V1, V2, V3
from kata_lib.mesh import analyze
from kata_lib.mesh import old_weights as mesh
from kata_lib.mesh.analyze.objects import has_proxy
from kata_lib.statistics.shares import percent

V1_DEPLOYMENTS = ("age", "name-v1", "sentences")
NOT_FOLLOWED = ("KATA0202", "KATA0203", "KATA0204")
"""Warnings of `analyze` that tell why a VirtualService does nothing for the host of the step."""
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
            yield _not_there(cluster, name)
        elif line := readiness.unfinished(deployment):
            reasons = "; ".join(troubles(_pods_of(cluster, deployment)))
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


def scaled_instead(cluster: Cluster) -> Iterator[Mistake]:
    """Yield which Deployment was scaled by hand where a weight should set its share."""
    for finding in analyze.namespace(cluster).findings:
        if finding.code == "KATA0403":
            yield _found(finding)


def left_over(cluster: Cluster) -> Iterator[Mistake]:
    """Yield what is still there of the workshop's kinds, where nothing should be."""
    if left := cluster.contents(KINDS):
        names = ", ".join(f"{obj['kind']} {obj['metadata']['name']}" for obj in left)
        files = [V1, V2, V3, PROMOTE]
        if any(obj["apiVersion"].startswith("argoproj.io/") for obj in left):
            files.append(ARGO)
        yield Mistake(f"Still there: {names}.", f"kubectl delete --ignore-not-found -f {' -f '.join(files)}")


def route(cluster: Cluster, host: str = "name", file: str = CANARY) -> Iterator[Mistake]:
    """Yield why a VirtualService does not do what it seems to do for a host; file: where the right one is."""
    for finding in analyze.namespace(cluster).findings:
        if finding.severity == "Error" or finding.code in NOT_FOLLOWED:
            yield _found(finding)
    if mesh.virtual_service(cluster, host) is None:
        yield Mistake(
            f"No VirtualService routes {host} in namespace {cluster.namespace}: requests are spread evenly "
            "over its pods. Was the file applied?",
            f"kubectl apply -f {file}",
        )


def weights(
    cluster: Cluster, wanted: Mapping[str, float], host: str = "name", file: str = CANARY
) -> Iterator[Mistake]:
    """Yield in what the shares by subset differ from those wanted (fractions of 1); file: as in route()."""
    found = mesh.weights(cluster, host)
    if _same(found, wanted):
        return
    service = mesh.virtual_service(cluster, host)
    name = service["metadata"]["name"] if service else host
    said = ", ".join(f"{subset} {percent(share)}" for subset, share in found.items())
    asked = ", ".join(f"{subset} {percent(share)}" for subset, share in wanted.items())
    mend = "kata weights " + " ".join(f"{subset}={share * 100:.0f}" for subset, share in wanted.items())
    if not wanted.keys() <= found.keys():
        mend = f"kubectl apply -f {file}"
    if service and _not_applied(service, file, wanted):
        yield Mistake(
            f"The VirtualService {name} has {said}; this step wants {asked}, and so says {file}. Something "
            "else was applied last: was the file edited, and not applied again?",
            f"kubectl apply -f {file}",
        )
        return
    values = list(wanted.values())
    if len(found) == 2 and sorted(found) == sorted(wanted) and [found[s] for s in wanted] == values[::-1]:
        text = f"The weights in the VirtualService {name} are swapped: {said}; this step wants {asked}."
    else:
        text = f"The weights in the VirtualService {name} make {said}; this step wants {asked}."
        totals = (f.message for f in analyze.namespace(cluster).findings if f.code == "KATA0401")
        text = " ".join([text, *totals])
    yield Mistake(text, mend)


def _found(finding: analyze.Finding) -> Mistake:
    message = finding.message.removesuffix(".")
    return Mistake(f"{message}. Seen: {finding.seen} ({finding.code}).", finding.mend)


def _not_there(cluster: Cluster, deployment: str) -> Mistake:
    """Return that a Deployment is missing, and which other namespace has one of that name."""
    folder = _FOLDERS.get(deployment, V1)
    try:
        everywhere = cluster.objects_everywhere("apps/v1", "Deployment")
    except ApiRefused as refused:
        if refused.code != 403:
            raise
        everywhere = []
    others = [d["metadata"]["namespace"] for d in everywhere if d["metadata"]["name"] == deployment]
    elsewhere = f" Namespace {others[0]} has one: was it applied there?" if others else ""
    return Mistake(
        f"There is no Deployment {deployment} in namespace {cluster.namespace}.{elsewhere}",
        f"kubectl apply -n {cluster.namespace} -f {folder}" if others else f"kubectl apply -f {folder}",
    )


def _not_applied(service: Obj, file: str, wanted: Mapping[str, float]) -> bool:
    """Tell whether the file has the weights wanted, and something else was the last that was applied."""
    last = json.loads((service["metadata"].get("annotations") or {}).get(LAST_APPLIED) or "null")
    written = next(m for m in load(file) if m["kind"] == "VirtualService")
    return last is not None and last["spec"] != written["spec"] and _same(mesh.shares_in(written), wanted)


def _same(shares: Mapping[str, float], wanted: Mapping[str, float]) -> bool:
    return all(abs(shares.get(subset, 0.0) - share) < 0.0005 for subset, share in wanted.items())


def _pods_of(cluster: Cluster, deployment: Obj) -> list[Obj]:
    return cluster.pods(_selector(deployment))


def _selector(deployment: Obj) -> str:
    return ",".join(f"{k}={v}" for k, v in deployment["spec"]["selector"]["matchLabels"].items())


def _without_sidecar(cluster: Cluster, deployment: str, pods: list[Obj]) -> Iterator[Mistake]:
    for pod in pods:
        containers = pod["spec"]["containers"]
        ready = f"READY {len(containers)}/{len(containers)}"
        if not has_proxy(pod):
            yield Mistake(
                f"The pod {pod['metadata']['name']} has no sidecar ({ready}): it is "
                "older than the namespace's label istio-injection=enabled, or the label is missing.",
                f"kubectl label namespace {cluster.namespace} istio-injection=enabled --overwrite && "
                f"kubectl rollout restart deployment {deployment}",
            )
            return
