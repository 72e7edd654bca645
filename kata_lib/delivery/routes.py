"""The routing of a release in the service's VirtualService: what a Routing says goes in, and is in force.

The rule that requests without a match take carries the weights and the mirror; a route for testers is a rule
of its own before it, by the plan's name for it. Whatever else the VirtualService holds stays as it is.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import Routing
from kata_lib.delivery.steps import HeaderRoute
from kata_lib.errors import MeshError, ReleaseError
from kata_lib.mesh import old_weights as mesh
from kata_lib.mesh.virtual_services import ISTIO


def check(cluster: Cluster, plan: Plan) -> None:
    """Raise ReleaseError, or MeshError, where a release cannot begin: with what is missing."""
    service = _service(cluster, plan)
    defined = mesh.subsets(cluster, plan.service)
    for subset in (plan.stable, plan.canary):
        if "version" not in defined.get(subset, {}):
            raise ReleaseError(
                f"No DestinationRule of {plan.service} defines the subset {subset!r} by a version; "
                f"there are: {', '.join(defined) or 'none'}."
            )
        version = defined[subset]["version"]
        pods = mesh.ready_pods(cluster, plan.service)
        if version not in {pod["metadata"].get("labels", {}).get("version") for pod in pods}:
            raise ReleaseError(
                f"No pod of {plan.service} with version {version} is ready: {subset} is empty."
            )
    for name, share in mesh.shares_in(service).items():
        if share and name not in (plan.stable, plan.canary):
            raise ReleaseError(
                f"The route gives {name} {100 * share:g} %: a release moves requests from one version to "
                f"another. `kata weights {plan.stable}=100` gives them all to {plan.stable}, if it is there."
            )


def put(cluster: Cluster, plan: Plan, routing: Routing) -> None:
    """Have this routing in force."""
    service = _service(cluster, plan)
    http = rules(service["spec"]["http"], plan, routing)
    if http != service["spec"]["http"]:
        cluster.patch(ISTIO, "VirtualService", service["metadata"]["name"], {"spec": {"http": http}})


@dataclass(frozen=True)
class Other:
    """A routing that is not the release's: weights as written, {} without any; quote: why there are none."""

    weights: Mapping[str, int]
    quote: str = ""


def other(cluster: Cluster, plan: Plan, routing: Routing) -> Other | None:
    """Return the routing in the cluster where it is not as it should be."""
    service = mesh.virtual_service(cluster, plan.service)
    if service is None:
        return Other({})
    try:
        if rules(service["spec"]["http"], plan, routing) == service["spec"]["http"]:
            return None
        route = mesh.default_route(service)["route"]
    except MeshError as error:
        return Other({}, str(error))
    weights = mesh.written_weights(route)
    return Other({mesh.destination_name(e): w for e, w in zip(route, weights, strict=True)})


def rules(http: list[Obj], plan: Plan, routing: Routing) -> list[Obj]:
    """Return a VirtualService's rules with this routing in them."""
    names = {step.name for step in plan.steps if isinstance(step, HeaderRoute)}
    kept = [copy.deepcopy(rule) for rule in http if rule.get("name") not in names]
    main = mesh.default_route({"spec": {"http": kept}, "metadata": {"name": plan.service}})
    weights = {plan.stable: 100 - routing.weight, plan.canary: routing.weight}
    there = [mesh.destination_name(entry) for entry in main["route"]]
    main["route"] += [{"destination": _subset(plan, name)} for name in weights if name not in there]
    for entry in main["route"]:
        entry["weight"] = weights.get(mesh.destination_name(entry), 0)
    main.pop("mirror", None)
    main.pop("mirrorPercentage", None)
    if routing.mirror:
        main["mirror"] = _subset(plan, plan.canary)
        main["mirrorPercentage"] = {"value": routing.mirror}
    return [_testers(plan, route) for route in routing.headers] + kept


def _testers(plan: Plan, route: HeaderRoute) -> Obj:
    match: dict[str, Any] = {"headers": {route.header: {route.kind: route.value}}}
    return {"name": route.name, "match": [match], "route": [{"destination": _subset(plan, plan.canary)}]}


def _subset(plan: Plan, subset: str) -> Obj:
    return {"host": plan.service, "subset": subset}


def _service(cluster: Cluster, plan: Plan) -> Obj:
    service = mesh.virtual_service(cluster, plan.service)
    if service is None:
        raise ReleaseError(
            f"No VirtualService routes {plan.service}, so there are no weights to move. "
            "`kubectl apply -f deploy/virtual-service-canary.yaml` makes one."
        )
    return service
