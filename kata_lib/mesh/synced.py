"""Whether requests already meet what was written: waits until the callers' sidecars have it.

On a real cluster istiod takes some 100 ms after a write until every sidecar has the change. What it makes of
the rules is not worked out here a second time. The embedded engine is asked whether every sidecar has
acknowledged what the API holds. Elsewhere a sidecar's configuration is compared with what it was before the
write: it has to change and then to be quiet, or not to change for PATIENCE. On every engine the pods that a
sidecar knows have to be those that are ready.
"""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kata_lib.cluster import waiting
from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.hosts import of_service
from kata_lib.cluster.pods import is_gateway, is_ready
from kata_lib.mesh import proxy_config
from kata_lib.mesh.destinations import Upstreams
from kata_lib.mesh.gateways import GATEWAY_API
from kata_lib.mesh.in_force import behind, callers, ready_pods
from kata_lib.mesh.virtual_services import ISTIO

SECONDS = 10.0
QUIET = 0.3
"""Seconds without a change after one: istiod puts what is written within 0.1 s into one push."""
PATIENCE = 2.0
"""Seconds after which a sidecar that has not changed will not: istiod takes 0.12 s (p95)."""
SYNCED = "debug/syncz"
"""Where the embedded engine's agent says whether all is acknowledged; Istio's has it on another port."""
_ROUTING = (
    ("v1", "Service"),
    *((ISTIO, kind) for kind in ("VirtualService", "DestinationRule", "Gateway", "ServiceEntry", "Sidecar")),
    (GATEWAY_API, "HTTPRoute"),
    (GATEWAY_API, "Gateway"),
)


@dataclass(frozen=True)
class Moment:
    """What the API held of routing, and each caller's sidecar's configuration, by pod, as it was then."""

    written: frozenset[tuple[str, ...]] = frozenset()
    configurations: Mapping[str, str] = field(default_factory=dict)


def now(cluster: Cluster, caller: str) -> Moment:
    """Return how things stand before something is written.

    caller: the Service whose sidecars will matter; those of the namespace's gateways always do.
    """
    pods = _proxies(cluster, caller)
    if not pods or _unacknowledged(cluster, pods[0]) is not None:
        return Moment()
    return Moment(_written(cluster), {pod: _routing(proxy_config.dump(cluster, pod)) for pod in pods})


def until(
    cluster: Cluster,
    caller: str,
    since: Moment,
    on_wait: Callable[[str], None] | None = None,
    timeout: float = SECONDS,
) -> None:
    """Wait until the callers' sidecars and the gateways have what was written since a moment.

    And where the cluster has one entry, until the caller's Service, if it has pods, answers there.
    WaitTimeout says what they lack.
    """
    quiet = _Quiet(since, lambda: _written(cluster) != since.written)
    waiting.until(
        lambda: "; ".join(_missing(cluster, caller, quiet)), timeout, on_wait, "The sidecars lag behind"
    )
    if cluster.entry is not None and ready_pods(cluster, caller):
        url = cluster.url(caller)
        waiting.until(lambda: _silent(url), timeout, on_wait, f"The way to {caller} is not open")


class _Quiet:
    """Whether sidecars' configurations changed since a moment and are quiet now."""

    def __init__(self, since: Moment, is_new: Callable[[], bool]) -> None:
        self._before = dict(since.configurations)
        self._seen = {pod: (config, time.monotonic()) for pod, config in since.configurations.items()}
        self._patience = PATIENCE if since.configurations and is_new() else 0.0

    def lacking(self, pod: str, config: str) -> str:
        """Say that a pod's sidecar may still be changed, or ''."""
        at = time.monotonic()
        last, since = self._seen.get(pod, ("", at))
        if config != last:
            since = at
        self._seen[pod] = config, since
        needed = self._patience if config == self._before.get(pod) else QUIET
        return "" if at - since >= needed else f"{pod}: its routes may still change"


def _missing(cluster: Cluster, caller: str, quiet: _Quiet) -> Iterator[str]:
    """Yield what callers' sidecars do not have yet."""
    pods, services = cluster.pods(), cluster.objects("v1", "Service")
    for pod in _proxies(cluster, caller):
        acknowledged = _unacknowledged(cluster, pod)
        dump = proxy_config.dump(cluster, pod)
        if lacking := quiet.lacking(pod, _routing(dump)) if acknowledged is None else acknowledged:
            yield lacking
        upstreams = Upstreams(dump, pods, cluster.namespace)
        for service in services:
            yield from (f"{pod}: {line}" for line in _other_pods(service, pods, upstreams, cluster.namespace))


def _proxies(cluster: Cluster, caller: str) -> list[str]:
    """Return the pods that choose where requests go: a Service's with a sidecar, and gateways."""
    ready = (pod["metadata"]["name"] for pod in cluster.pods() if is_gateway(pod) and is_ready(pod))
    return list(dict.fromkeys([*callers(cluster, caller), *ready]))


def _other_pods(service: Obj, pods: list[Obj], upstreams: Upstreams, namespace: str) -> Iterator[str]:
    """Yield that a sidecar knows other pods of a Service than are ready, if it knows the Service."""
    spec, name = service["spec"], service["metadata"]["name"]
    if spec.get("clusterIP") == "None" or not spec.get("selector") or spec.get("publishNotReadyAddresses"):
        return
    cluster = f"outbound|{spec['ports'][0]['port']}||{of_service(name, namespace)}"
    ready = {pod["metadata"]["name"] for pod in behind(service, pods) if is_ready(pod)}
    known = {pod.name for pod in upstreams.pods(cluster)}
    if upstreams.knows(cluster) and known != ready:
        yield f"it knows {len(known)} pods of {name}, and {len(ready)} are ready"


def _unacknowledged(cluster: Cluster, pod: str) -> str | None:
    """Return what sidecars have not acknowledged, "" where they have all; None where nobody can tell."""
    try:
        return cluster.ask_agent(pod, SYNCED).strip()
    except ApiRefused as refused:
        if refused.code == 404:
            return None
        raise


def _written(cluster: Cluster) -> frozenset[tuple[str, ...]]:
    """Return every object of the namespace that routes, with what tells whether it was changed."""
    found = ((obj["kind"], obj["metadata"]) for kind in _ROUTING for obj in _objects(cluster, *kind))
    return frozenset(
        (kind, own["uid"], str(own.get("generation") or own["resourceVersion"])) for kind, own in found
    )


def _objects(cluster: Cluster, api_version: str, kind: str) -> list[Obj]:
    """Return the objects of a kind; [] of one that is not served, or that may not be read."""
    try:
        return cluster.objects(api_version, kind) if cluster.api.serves(api_version, kind) else []
    except ApiRefused as refused:
        if refused.code == 403:
            return []
        raise


def _routing(dump: Obj) -> str:
    """Return all of a configuration but for the pods, as text that can be compared."""
    sections = (proxy_config.select(dump, section) for section in ("listeners", "routes", "clusters"))
    return json.dumps([*sections], sort_keys=True)


def _silent(url: str) -> str:
    """Return why a service does not answer, "" where it does; its probes' path asks no other service."""
    address = urlsplit(url)
    client = http.client.HTTPConnection(address.hostname or "", address.port, timeout=1.0)
    try:
        client.request("GET", f"{address.path.rstrip('/')}/healthz")
        client.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {error!r}"
    finally:
        client.close()
    return ""
