"""The weights as written: which object holds those of a host, what they are, and changing them.

Weights are whole numbers. A VirtualService is found by its hosts, as istiod chooses it, and followed to the
delegate that it hands on to; an HTTPRoute by its parent, which is asked before a VirtualService that is shown
to all. Whoever writes does so with the resource version that was read: where somebody
else wrote meanwhile, it is read and done again, so that neither change is lost.
"""

import copy
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.managers import KATA
from kata_lib.errors import MeshError
from kata_lib.mesh import http_routes, virtual_services
from kata_lib.mesh.virtual_services import plain_rule, plain_rules

ATTEMPTS = 10
"""How often a change is tried while others are faster; each time one of theirs goes through."""
PAUSE = 0.02
"""The longest between two attempts, in seconds."""
_CONFLICT = 409
_RULES = {"VirtualService": "http", http_routes.KIND: "rules"}

Edit = Callable[[list[Obj], int], list[Obj]]
"""Gets a copy of an object's rules, and the index of the one for plain requests; returns the rules wanted."""


class NoWeights(MeshError):
    """No object holds weights for a host."""


@dataclass(frozen=True)
class Holder:
    """The object that holds a host's weights, as it was read; index: of its rule for a plain `GET /`."""

    obj: Obj
    index: int

    def __str__(self) -> str:
        """Return its kind and name."""
        return f"{self.obj['kind']} {self.obj['metadata']['name']}"

    @property
    def rules(self) -> list[Obj]:
        """The object's rules, as its kind writes them."""
        return list(self.obj["spec"][_RULES[self.obj["kind"]]])

    @property
    def route(self) -> list[Obj]:
        """The destinations of that rule, each with its weight, as a VirtualService writes them."""
        return destinations(self.rules[self.index])

    @property
    def weights(self) -> dict[str, int]:
        """The weight of each destination by its name, as written; a single one without a weight has 100."""
        found: dict[str, int] = {}
        for name, weight in zip(names(self.route), written_weights(self.route), strict=True):
            found[name] = found.get(name, 0) + weight
        return found


def destinations(rule: Obj) -> list[Obj]:
    """Return a rule's destinations as a VirtualService writes them, whichever kind the rule is of."""
    if "backendRefs" not in rule:
        return list(rule.get("route", ()))
    return [
        {"destination": {"host": backend["name"]}, "weight": backend.get("weight", 1)}
        for backend in rule["backendRefs"]
    ]


def speaker(cluster: Cluster, host: str) -> Obj | None:
    """Return what speaks for a host: a VirtualService, or the HTTPRoute with the rule for plain requests."""
    found = _speaking(cluster, host)
    if not isinstance(found, list):
        return found
    taken = http_routes.plain_rule(found)
    return taken[0] if taken else found[0]


def find(cluster: Cluster, host: str) -> Holder | None:
    """Return what holds a host's weights, None where neither VirtualService nor HTTPRoute speaks for it.

    MeshError: one does, and none of its rules sends plain requests on.
    """
    found = _speaking(cluster, host)
    if isinstance(found, list):
        return _of_routes(found, host)
    if found is None:
        return None
    for obj, index in plain_rules(cluster, found):
        if "route" in obj["spec"]["http"][index]:
            return Holder(obj, index)
        break
    raise MeshError(
        f"The VirtualService {found['metadata']['name']!r} sends no plain `GET /` on to {host}: each of its "
        "rules has a match, or the one that takes all answers them itself."
    )


def _speaking(cluster: Cluster, host: str) -> Obj | list[Obj] | None:
    """Return the VirtualService that speaks for a host, or the HTTPRoutes that do, the oldest first."""
    found, routes = virtual_services.speaker(cluster, host), http_routes.of_service(cluster, host)
    return routes if routes and http_routes.come_before(found) else found


def _of_routes(routes: list[Obj], host: str) -> Holder:
    taken = http_routes.plain_rule(routes)
    if taken is None or "backendRefs" not in taken[0]["spec"]["rules"][taken[1]]:
        named = ", ".join(route["metadata"]["name"] for route in routes)
        raise MeshError(f"The HTTPRoute {named!r} sends no plain `GET /` on to a Service for {host}.")
    return Holder(*taken)


def read(cluster: Cluster, host: str) -> dict[str, int]:
    """Return the weight of each destination of a host by its name; {} where nothing sets weights."""
    holder = find(cluster, host)
    return {} if holder is None else holder.weights


def set_weights(cluster: Cluster, host: str, wanted: Mapping[str, float]) -> dict[str, int]:
    """Set whole-number weights by destination and return all as they are written now.

    Where exactly one destination is not named and the others stay at or below 100, it gets the rest to 100.
    MeshError says what is no weight: a word, a negative number, a fraction, all zero, an unknown subset.
    """

    def weighted(rules: list[Obj], index: int) -> list[Obj]:
        rule = rules[index]
        called = names(destinations(rule))
        complete = complete_weights(wanted, list(dict.fromkeys(called)))
        for name, entry in zip(called, rule.get("backendRefs") or rule["route"], strict=True):
            entry["weight"] = complete.pop(name, 0)
        return rules

    return change(cluster, host, weighted).weights


def change(cluster: Cluster, host: str, edit: Edit) -> Holder:
    """Change the rules of what holds a host's weights, and return it as it is then.

    Where somebody else writes between reading and writing, `edit` gets what they wrote. NoWeights where
    nothing holds weights, MeshError where others were faster ATTEMPTS times.
    """
    for _ in range(ATTEMPTS):
        holder = find(cluster, host)
        if holder is None:
            raise NoWeights(
                f"No VirtualService or HTTPRoute routes the host {host!r}, so there is nothing to weight."
            )
        rules = edit(copy.deepcopy(holder.rules), holder.index)
        if rules == holder.rules:
            return holder
        wanted = {**holder.obj, "spec": {**holder.obj["spec"], _RULES[holder.obj["kind"]]: rules}}
        try:
            return Holder(cluster.update(wanted, KATA), _plain(wanted))
        except ApiRefused as refused:
            if refused.code != _CONFLICT:
                raise
            time.sleep(random.uniform(0.0, PAUSE))  # two who try again in step would meet again
    raise MeshError(f"{holder} was changed by others {ATTEMPTS} times in a row: try again.")


def _plain(obj: Obj) -> int:
    """Return the index of the rule that a plain request takes in an object."""
    if obj["kind"] == http_routes.KIND:
        return http_routes.plain_index(obj["spec"]["rules"])
    return plain_rule(obj["spec"]["http"])


def names(route: list[Obj]) -> list[str]:
    """Return the name of each destination: its subset, or its host where it has none.

    Where two hosts have a subset of the same name, theirs is HOST/SUBSET.
    """
    places = [entry["destination"] for entry in route]
    hosts: dict[str, set[str]] = {}
    for place in places:
        hosts.setdefault(_name(place), set()).add(place["host"])
    return [f"{p['host']}/{_name(p)}" if len(hosts[_name(p)]) > 1 else _name(p) for p in places]


def written_weights(route: list[Obj]) -> list[int]:
    """Return the weight of each destination as Istio reads it: a single one needs none."""
    return [int(entry.get("weight", 100 if len(route) == 1 else 0)) for entry in route]


def parse_weights(words: Sequence[str]) -> dict[str, float]:
    """Return weights from words such as v2=20; MeshError names the word that is none."""
    found: dict[str, float] = {}
    for word in words:
        name, _, weight = word.partition("=")
        try:
            found[name] = float(weight)
        except ValueError:
            raise MeshError(f"Expected SUBSET=NUMBER, such as v2=20, not {word!r}.") from None
    return found


def complete_weights(wanted: Mapping[str, Any], destinations: list[str]) -> dict[str, int]:
    """Return a weight for each destination: those wanted, and the rest to 100 for a single one not named."""
    known = ", ".join(destinations)
    for name, weight in wanted.items():
        if name not in destinations:
            raise MeshError(f"The route has no subset {name!r}; it has: {known}.")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise MeshError(f"The weight of {name} must be a number, not {weight!r}.")
        if weight < 0:
            raise MeshError(f"The weight of {name} is {weight:g}; a weight cannot be negative.")
        if weight != int(weight):
            raise MeshError(f"The weight of {name} is {weight:g}; Istio takes whole numbers only.")
    complete = {name: int(weight) for name, weight in wanted.items()}
    absent = [name for name in destinations if name not in complete]
    given = sum(complete.values())
    if len(absent) == 1 and given <= 100:
        complete[absent[0]] = 100 - given
    elif absent:
        raise MeshError(f"Weights for {', '.join(absent)} are missing; the route has: {known}.")
    if sum(complete.values()) == 0:
        raise MeshError(f"All weights are 0; at least one of {known} must get requests.")
    return complete


def _name(destination: Obj) -> str:
    return str(destination.get("subset") or destination["host"])
