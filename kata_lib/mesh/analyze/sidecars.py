"""Pods without a sidecar: why, and whose requests therefore follow no VirtualService."""

from collections.abc import Iterator

from kata_lib.cluster import labels
from kata_lib.cluster.client import Obj
from kata_lib.cluster.pods import has_sidecar
from kata_lib.mesh.analyze.finding import Finding, finding
from kata_lib.mesh.analyze.objects import Objects

INJECTION = "istio-injection"
INJECT = "sidecar.istio.io/inject"


def findings(found: Objects) -> Iterator[Finding]:
    """Yield what keeps pods from having a sidecar, and what that does to the routes."""
    bare = [pod for pod in found.pods if not has_sidecar(pod)]
    if injects(found.namespace):
        missing = [pod for pod in bare if not _opted_out(pod) and not pod["spec"].get("hostNetwork")]
        yield from _missing(found, missing)
    elif INJECTION not in labels.of(found.namespace):
        yield _not_injected(found)
    yield from _callers(found)


def injects(namespace: Obj) -> bool:
    """Return whether new pods of a namespace get a sidecar."""
    return labels.of(namespace).get(INJECTION) == "enabled" or (
        INJECTION not in labels.of(namespace) and "istio.io/rev" in labels.of(namespace)
    )


def _opted_out(pod: Obj) -> bool:
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    return str(labels.of(pod).get(INJECT, annotations.get(INJECT, ""))).lower() == "false"


def _missing(found: Objects, pods: list[Obj]) -> Iterator[Finding]:
    since = _labelled_at(found.namespace)
    # Times are whole seconds. In the same one it came before the label: later it would have a sidecar.
    older = [p for p in pods if (created := p["metadata"].get("creationTimestamp")) and created <= since]
    for pod in pods:
        number = len(pod["spec"]["containers"])
        place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        yield finding(
            "IST0103",
            pod,
            f"The pod {place} is missing the Istio proxy. This can often be resolved by restarting or "
            "redeploying the workload.",
            seen=f"READY {number}/{number} in kubectl get pods, where a sidecar makes it "
            f"{number + 1}/{number + 1}",
            mend=_restart(_owner(found, pod), pod),
        )
    if older:
        names = ", ".join(pod["metadata"]["name"] for pod in older)
        owners = sorted({_owner(found, pod) for pod in older} - {""})
        yield finding(
            "KATA0101",
            found.namespace,
            f"{_pods(len(older))} older than the namespace's label {INJECTION}=enabled, and only a new pod "
            "gets a sidecar.",
            seen=f"labelled at {since}; created before: {names}",
            mend=f"kubectl rollout restart deployment {' '.join(owners)}".strip(),
        )


def _not_injected(found: Objects) -> Finding:
    name = found.name
    return finding(
        "IST0102",
        found.namespace,
        f"The namespace is not enabled for Istio injection. Run 'kubectl label namespace {name} "
        f"{INJECTION}=enabled' to enable it, or 'kubectl label namespace {name} {INJECTION}=disabled' to "
        "explicitly mark it as not needing injection.",
        seen="metadata.labels",
        mend=_label_and_restart(name, ""),
    )


def _callers(found: Objects) -> Iterator[Finding]:
    routed = [s for s in found.own(found.services) if found.speaking(s)]
    callers = [s for s in found.own(found.services) if s["metadata"]["name"] in found.known.callers]
    for deployment in [d for service in callers for d in found.deployments_behind(service)]:
        bare = [pod for pod in found.pods_of(deployment) if not has_sidecar(pod)]
        if not (routed and bare):
            continue
        name = deployment["metadata"]["name"]
        routes = ", ".join(sorted(found.speaking(service)[0]["metadata"]["name"] for service in routed))
        if any(_opted_out(pod) for pod in bare):
            wanted = f'{{"spec":{{"template":{{"metadata":{{"labels":{{"{INJECT}":"true"}}}}}}}}}}'
            mend = f"kubectl patch deployment {name} -p '{wanted}'"
        elif injects(found.namespace):
            mend = f"kubectl rollout restart deployment {name}"
        else:
            mend = _label_and_restart(found.name, name)
        yield finding(
            "KATA0102",
            deployment,
            f"The pods of {name} send requests and have no sidecar, and it is the caller's sidecar that "
            f"follows a rule: {routes} has no effect on them.",
            seen="pods without istio-proxy: " + ", ".join(pod["metadata"]["name"] for pod in bare),
            mend=mend,
        )


def _label_and_restart(namespace: str, deployment: str) -> str:
    restart = f"kubectl rollout restart deployment {deployment}".strip()
    return f"kubectl label namespace {namespace} {INJECTION}=enabled --overwrite && {restart}"


def _restart(deployment: str, pod: Obj) -> str:
    if deployment:
        return f"kubectl rollout restart deployment {deployment}"
    return f"kubectl get pod {pod['metadata']['name']} -o json | kubectl replace --force -f -"


def _owner(found: Objects, pod: Obj) -> str:
    return next((d["metadata"]["name"] for d in found.deployments if pod in found.pods_of(d)), "")


def _pods(number: int) -> str:
    return "1 pod is" if number == 1 else f"{number} pods are"


def _labelled_at(namespace: Obj) -> str:
    """Return when the namespace's label was last set, as its managedFields tell, '' where they do not."""
    times = [
        entry.get("time", "")
        for entry in namespace["metadata"].get("managedFields") or []
        if f"f:{INJECTION}" in (entry.get("fieldsV1") or {}).get("f:metadata", {}).get("f:labels", {})
    ]
    return max(times, default="")
