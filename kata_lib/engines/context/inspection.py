"""Whether a shared cluster serves: Istio with injection, the rights, and room; asked, nothing changed."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from kata_lib.cluster.pods import containers, has_sidecar
from kata_lib.cluster.quantities import amount
from kata_lib.engines.kubectl import create, kubectl, read
from kata_lib.engines.programs import ProgramFailed
from kata_lib.errors import EngineError

Right = tuple[str, str, str, str]
"""A verb, an API group, a resource and its subresource."""

CLUSTER_RIGHTS: tuple[Right, ...] = tuple(
    (verb, "", "namespaces", "") for verb in ("get", "create", "delete")
)
_VERBS = ("list", "create", "patch", "update", "delete")
_KINDS = (
    ("apps", "deployments"),
    ("", "services"),
    ("networking.istio.io", "virtualservices"),
    ("networking.istio.io", "destinationrules"),
    ("networking.istio.io", "gateways"),
    ("gateway.networking.k8s.io", "httproutes"),
)
NAMESPACE_RIGHTS: tuple[Right, ...] = (
    *((verb, group, kind, "") for group, kind in _KINDS for verb in _VERBS),
    ("list", "", "pods", ""),
    ("get", "", "pods", "log"),
    ("get", "", "pods", "proxy"),
    ("get", "", "pods", "portforward"),
    ("create", "", "pods", "portforward"),
    ("create", "", "resourcequotas", ""),
    ("create", "", "limitranges", ""),
)


def require_api(kubeconfig: Path, context: str) -> None:
    """Raise EngineError where the cluster does not answer or does not let this person in."""
    try:
        kubectl(kubeconfig, "get", "--raw", "/api")
    except ProgramFailed as failed:
        raise EngineError(f"The context {context!r}: its cluster does not answer. {failed.said}") from failed


def require_istio(kubeconfig: Path, context: str) -> None:
    """Raise EngineError where the cluster has no Istio, or none that puts sidecars into pods."""
    try:
        kubectl(kubeconfig, "get", "--raw", "/apis/networking.istio.io/v1")
    except ProgramFailed as failed:
        raise EngineError(
            f"The cluster of the context {context!r} has no Istio: it does not serve networking.istio.io/v1 "
            f"({failed.said.splitlines()[-1]}). Whoever runs it installs Istio, or name another context."
        ) from failed
    try:
        hooks = kubectl(kubeconfig, "get", "mutatingwebhookconfigurations", "--output=json")
    except ProgramFailed:
        return  # no right to look; a pod that is only tried shows it later
    if "sidecar-injector.istio.io" not in hooks:
        raise EngineError(
            f"The cluster of the context {context!r} has Istio without injection of sidecars "
            "(no webhook of sidecar-injector.istio.io): whoever runs it installs istiod's injector."
        )


def require_rights(kubeconfig: Path, namespace: str, *, new: bool) -> None:
    """Raise EngineError with every right that is needed and not given, as SelfSubjectAccessReview tells."""
    wanted = [(right, namespace) for right in NAMESPACE_RIGHTS]
    if new:
        wanted = [*((right, "") for right in CLUSTER_RIGHTS), *wanted]
    answers = create(kubeconfig, [_review(*one) for one in wanted])
    refused = [
        _words(right, where)
        for (right, where), review in zip(wanted, answers, strict=True)
        if not review["status"]["allowed"]
    ]
    if refused:
        raise EngineError(
            f"You may not do on this cluster what the workshop does: {'; '.join(refused)}. "
            "Whoever runs the cluster grants it, for example by the ClusterRole admin in your namespace."
        )


def injected(kubeconfig: Path, namespace: str, image: str) -> dict[str, Any]:
    """Return a pod as the cluster would make it, the sidecar in it; EngineError where it gets none.

    The pod is tried on the server and not kept (dry run), so that no image is needed.
    """
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "would-it-get-a-sidecar", "namespace": namespace},
        "spec": {"containers": [{"name": "application", "image": image}]},
    }
    (made,) = create(kubeconfig, [pod], "--dry-run=server")
    if not has_sidecar(made):
        raise EngineError(
            f"A pod in namespace {namespace} gets no sidecar, although the namespace has the label for it. "
            "Where Istio has revisions, whoever runs the cluster says which label is theirs: KATA_INJECTION."
        )
    return made


def require_room(kubeconfig: Path, pod: dict[str, Any], pods: int) -> str:
    """Raise EngineError where so many of such pods do not fit; return what could not be looked at, or ""."""
    try:
        nodes = read(kubeconfig, "get", "nodes")["items"]
        there = read(kubeconfig, "get", "pods", "--all-namespaces")["items"]
    except ProgramFailed as failed:
        return f"whether there is room was not looked at: {failed.said.splitlines()[-1]}"
    running = [p for p in there if p.get("status", {}).get("phase") in ("Pending", "Running")]
    for resource, unit in (("cpu", "cores"), ("memory", "bytes")):
        there_is = sum((amount(n["status"]["allocatable"].get(resource, "0")) for n in nodes), Decimal(0))
        free = there_is - sum((requested(p, resource) for p in running), Decimal(0))
        needed = pods * (requested(pod, resource) + (Decimal("0.01") if resource == "cpu" else 32 * 2**20))
        if free < needed:
            raise EngineError(
                f"There is no room on the cluster: {pods} pods ask for {float(needed):.3g} {unit} of "
                f"{resource}, {max(float(free), 0):.3g} are free. Another context, or whoever runs the "
                "cluster, has more."
            )
    return ""


def requested(pod: dict[str, Any], resource: str) -> Decimal:
    """Return what a pod's containers ask for, in cores or bytes."""
    asked = [c.get("resources", {}).get("requests", {}).get(resource, "0") for c in containers(pod)]
    return sum(map(amount, asked), Decimal(0))


def _review(right: Right, namespace: str) -> dict[str, Any]:
    verb, group, resource, subresource = right
    attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
    if subresource:
        attributes["subresource"] = subresource
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }


def _words(right: Right, namespace: str) -> str:
    verb, group, resource, subresource = right
    kind = f"{resource}{f'.{group}' if group else ''}{f'/{subresource}' if subresource else ''}"
    return f"{verb} {kind}" + (f" in namespace {namespace}" if namespace else "")
