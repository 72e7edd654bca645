"""In which order one Envoy's configuration changes so that no request meets a hole.

What is added comes from the far end: endpoints and clusters, then the listeners, to some of which clusters
lead, then the routes. What is removed goes the other way. A stage is sent only after the one before was
acknowledged.

A removal rests for a moment more: `kubectl delete -f` of a file deletes a DestinationRule some milliseconds
before the VirtualService that names its subsets. istiod collects changes for as long and sees both at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kata_lib.engines.embedded.mesh.translate import ProxyConfig

Kind = Literal["endpoints", "clusters", "routes", "listeners"]
Resources = Mapping[str, dict[str, Any]]
Subscription = tuple[Kind, tuple[str, ...]]
"""What one of Envoy's polls asks for: a kind, and the names wanted; no names mean all."""


REMOVAL_REST_SECONDS = 0.1
"""How long nothing may have changed before anything is removed; istiod's PILOT_DEBOUNCE_AFTER is the same."""


@dataclass(frozen=True)
class Stage:
    """Resources to send, by kind, and the subscriptions that must acknowledge them before the next stage.

    `rest` is for how many seconds the target must have stayed the same before it is sent.
    """

    send: dict[Kind, Resources]
    awaited: frozenset[Subscription]
    rest: float = 0.0


def stages(sent: Mapping[Kind, Resources], target: ProxyConfig) -> Iterator[Stage]:
    """Yield the stages from what was sent so far (nothing of a kind: it is unknown) to the target."""
    endpoints, clusters = sent.get("endpoints", {}), sent.get("clusters", {})
    routes, listeners = sent.get("routes", {}), sent.get("listeners", {})
    assignments: frozenset[Subscription] = frozenset(("endpoints", (name,)) for name in target.endpoints)
    tables: frozenset[Subscription] = frozenset(("routes", (name,)) for name in target.routes)

    yield Stage(
        {
            "endpoints": {**endpoints, **target.endpoints, **_last_endpoints(endpoints, target.endpoints)},
            "clusters": {**clusters, **target.clusters},
        },
        assignments | {("clusters", ())},
    )
    yield Stage(
        {"routes": {**target.routes, **routes}, "listeners": {**listeners, **target.listeners}},
        tables | {("listeners", ())},
    )
    yield Stage({"routes": target.routes}, tables)
    yield Stage(
        {"listeners": target.listeners, "clusters": target.clusters, "endpoints": target.endpoints},
        assignments | {("listeners", ()), ("clusters", ())},
        rest=REMOVAL_REST_SECONDS,
    )


def _last_endpoints(sent: Resources, target: Resources) -> Resources:
    """Return the assignments that lose their last endpoint: they keep it until the routes have moved away."""
    return {
        name: old for name, old in sent.items() if old["endpoints"] and not target.get(name, old)["endpoints"]
    }
