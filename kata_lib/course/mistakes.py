"""Mistakes that a step's workloads show, each with where it was seen and the line that mends it.

A cluster goes in, mistakes come out in the order in which a person should mend them. `checks` asks.
`routing` has those of where requests go; what is wrong in every step `analyze` recognises.
"""

from collections.abc import Iterator, Mapping

from kata_lib.cluster import readiness
from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster, label
from kata_lib.cluster.labels import selects
from kata_lib.cluster.pods import SIDECAR, container_names, troubles
from kata_lib.course import originals, restoring, routing, service
from kata_lib.course.mistake import Mistake
from kata_lib.course.steps import KINDS, V1, V2, V3
from kata_lib.mesh import http_routes
from kata_lib.mesh.analyze import Choice, lines
from kata_lib.mesh.weights import speaker

V1_DEPLOYMENTS = ("age", "name-v1", "sentences")
_FOLDERS = {"name-v2": V2, "name-v3": V3}
_KIND = "Deployment"


def workloads(cluster: Cluster, wanted: tuple[str, ...]) -> Iterator[Mistake]:
    """Yield what keeps these Deployments from running with a sidecar in each pod."""
    bare: dict[str, str] = {}
    for name in wanted:
        deployment = cluster.get("apps/v1", _KIND, name)
        if deployment is None:
            yield _not_there(cluster, name)
        elif line := readiness.unfinished(deployment):
            yield _unfinished(cluster, deployment, line)
        elif not deployment["spec"].get("replicas", 1):
            yield _asleep(name)
        else:
            pods = _pods_of(cluster, deployment)
            for pod in (pod for pod in pods if SIDECAR not in container_names(pod)):
                bare.setdefault(name, pod["metadata"]["name"])
    if bare:
        yield _without_sidecar(cluster, bare)


def extra_version(cluster: Cluster) -> Iterator[Mistake]:
    """Yield that v2 is deployed, where v1 should be alone: first that requests go to it, then that it is."""
    if cluster.get("apps/v1", _KIND, "name-v2") is None:
        return
    text = "name-v2 is deployed already, so v1 is not alone."
    if line := routing.without(cluster, "v2"):
        yield Mistake(f"{text} A weight sends it requests.", line)
    yield Mistake(text, f"kubectl delete -f {V2}")


def unwanted_route(cluster: Cluster) -> Iterator[Mistake]:
    """Yield that a rule weights the requests, where plain Kubernetes should spread them."""
    written = speaker(cluster, service.NAME)
    if written is None:
        return
    name, kind = written["metadata"]["name"], written["kind"]
    field, hosts = _hosts(written)
    others = [host for host in hosts if host != service.NAME]
    text = f"The {kind} {name} sets the shares of the host {service.NAME} already."
    if others:
        place = f"spec.{field}[{hosts.index(service.NAME)}]"
        yield Mistake(f"{text} It is for {', '.join(others)} too.", lines.removed(written, place))
    else:
        yield Mistake(text, f"kubectl delete {kind.lower()} {name}")


def _hosts(written: Obj) -> tuple[str, list[str]]:
    """Return for which hosts a VirtualService or an HTTPRoute is, and the field of its spec that says so."""
    if written["kind"] == http_routes.KIND:
        return "parentRefs", [parent["name"] for parent in http_routes.parents(written)]
    return "hosts", written["spec"]["hosts"]


def replicas(cluster: Cluster, wanted: Mapping[str, int]) -> Iterator[Mistake]:
    """Yield which Deployments have another number of replicas than wanted.

    In an order in which the last of them, the newest version, never gets more on the way than in the end.
    """
    newest = list(wanted)[-1]
    found = {name: cluster.get("apps/v1", _KIND, name) for name in wanted}
    there = {name: d["spec"].get("replicas", 1) for name, d in found.items() if d is not None}
    other = [name for name in there if there[name] != wanted[name]]
    for name in sorted(other, key=lambda name: (there[name] < wanted[name]) == (name == newest)):
        number = there[name]
        yield Mistake(
            f"{name} has {number} pod{'s' * (number != 1)}; this step's shares are those of {wanted[name]}.",
            f"kubectl scale deployment {name} --replicas={wanted[name]}",
        )


def headers_lost(cluster: Cluster) -> Iterator[Mistake]:
    """Yield that sentences drops the headers of its callers, so that its sidecar never sees them."""
    name, variable = service.CALLER, "FORWARD_HEADERS"
    deployment = cluster.get("apps/v1", _KIND, name) or {"spec": {"template": {"spec": {}}}}
    for container in deployment["spec"]["template"]["spec"].get("containers", []):
        if any((one["name"], one.get("value")) == (variable, "no") for one in container.get("env", [])):
            yield Mistake(
                f"{name} has {variable}=no: a header or cookie that a caller sends ends there, and the "
                "sidecar that chooses the version never sees it.",
                f"kubectl set env deployment {name} {variable}-",
            )


def changed(cluster: Cluster) -> Iterator[Mistake]:
    """Yield which of the workshop's Deployments are not what their files say, so that they may fail."""
    for kind, name in originals.made_by():
        if kind == _KIND and (said := restoring.what_differs(cluster, kind, name)):
            yield Mistake(
                f"The Deployment {name} is not as its file says: {said}.", restoring.line(cluster, kind, name)
            )


def left_over(cluster: Cluster) -> Iterator[Mistake]:
    """Yield what is still there of the workshop's kinds, where nothing should be."""
    left = cluster.contents(KINDS)
    held = [obj for obj in left if "deletionTimestamp" in obj["metadata"]]
    theirs = [] if cluster.is_own() else [obj for obj in left if not originals.is_ours(obj)]
    mine = [obj for obj in left if obj not in held and obj not in theirs]
    if mine:
        listed = ", ".join(f"{obj['kind']} {obj['metadata']['name']}" for obj in mine)
        yield Mistake(f"Still there: {listed}.", f"kubectl delete {' '.join(map(label, mine))}")
    for obj in held:
        finalizers = ", ".join(obj["metadata"].get("finalizers", []))
        line = f'kubectl patch {label(obj)} --type=merge -p \'{{"metadata":{{"finalizers":null}}}}\''
        choice = Choice(line, "it goes at once; whoever was to be waited for does not do what it would")
        text = f"{obj['kind']} {obj['metadata']['name']} is being deleted and waits for "
        f"{finalizers or 'its pods'}."
        yield Mistake(text, choices=(choice,) if finalizers else ())


def _not_there(cluster: Cluster, deployment: str) -> Mistake:
    """Return that a Deployment is missing, and which other namespace has one of that name."""
    folder = _FOLDERS.get(deployment, V1)
    try:
        everywhere = cluster.objects_everywhere("apps/v1", _KIND)
    except ApiRefused as refused:
        if refused.code != 403:
            raise
        everywhere = []
    others = [d["metadata"]["namespace"] for d in everywhere if d["metadata"]["name"] == deployment]
    elsewhere = f" Namespace {others[0]} has one: was it applied there?" if others else ""
    return Mistake(
        f"There is no Deployment {deployment} in namespace {cluster.namespace}.{elsewhere}",
        restoring.applied(folder, namespace=cluster.namespace if others else ""),
    )


def _unfinished(cluster: Cluster, deployment: Obj, line: str) -> Mistake:
    """Return why a Deployment has not rolled out: what differs from its file, or what its pods say."""
    name = deployment["metadata"]["name"]
    reasons = "; ".join(troubles(_pods_of(cluster, deployment)))
    text = f"The Deployment {line}. {reasons}".strip()
    if deployment["spec"].get("paused"):
        return Mistake(f"{text} Its roll-out is paused.", f"kubectl rollout resume deployment {name}")
    if differs := restoring.what_differs(cluster, _KIND, name):
        return Mistake(f"{text} {differs}.", restoring.line(cluster, _KIND, name))
    return Mistake(text, f"kubectl describe pods -l {_selector(deployment)}")


def _asleep(name: str) -> Mistake:
    found = restoring.original(_KIND, name)
    number = found[0]["spec"]["replicas"] if found else 1
    return Mistake(f"{name} has 0 pods.", f"kubectl scale deployment {name} --replicas={number}")


def _without_sidecar(cluster: Cluster, bare: Mapping[str, str]) -> Mistake:
    """Return that pods have no sidecar; bare: by Deployment the name of one such pod."""
    for name in bare:
        deployment = cluster.get("apps/v1", _KIND, name)
        if deployment and "sidecar.istio.io/inject" in deployment["spec"]["template"]["metadata"].get(
            "labels", {}
        ):
            return Mistake(
                f"The pod {bare[name]} has no sidecar: the template of {name} has the label "
                "sidecar.istio.io/inject.",
                restoring.line(cluster, _KIND, name),
            )
    return Mistake(
        f"The pod {', '.join(bare.values())} has no sidecar (READY 1/1): it is older than the namespace's "
        "label istio-injection=enabled, or the label is missing.",
        f"kubectl label namespace {cluster.namespace} istio-injection=enabled --overwrite && "
        f"kubectl rollout restart deployment {' '.join(bare)}",
    )


def _pods_of(cluster: Cluster, deployment: Obj) -> list[Obj]:
    return [pod for pod in cluster.pods() if selects(deployment["spec"]["selector"]["matchLabels"], pod)]


def _selector(deployment: Obj) -> str:
    return ",".join(f"{k}={v}" for k, v in deployment["spec"]["selector"]["matchLabels"].items())
