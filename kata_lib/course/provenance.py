"""Whether an object is the workshop's own work: one of its files, with what its cells and commands changed.

The evidence is in the object. It is compared with each of the workshop's files that holds it; weights and
replicas may be others where metadata.managedFields names the library, or the controller that works for a
notebook, as the last that wrote them. All else is somebody's own.
"""

import copy
import functools
from collections.abc import Mapping
from typing import Any

from kata_lib.cluster import labels, managers
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import originals, restoring, service
from kata_lib.course.steps import ARGO, CANARY, SCALED, SWITCHED, V3
from kata_lib.delivery import argo, record

_WRITERS = {managers.KATA, argo.MANAGER}


def is_the_workshops(cluster: Cluster, obj: Obj) -> bool:
    """Return whether nothing in an object is a person's own, nor another's in a namespace that others use."""
    if obj["kind"] == "ConfigMap":
        return labels.carries(obj, dict([record.LABEL.split("=")]))
    if not cluster.is_own() and not originals.is_ours(obj):
        return False
    kind, name = obj["kind"], obj["metadata"]["name"]
    found = (restoring.original(kind, name, file) for file in originals.files_of(kind, name))
    return any(_is_made_of(obj, original[0], cluster.images) for original in found if original)


def _is_made_of(live: Obj, original: Obj, images: Mapping[str, str]) -> bool:
    return not restoring.places(_kept(original, live), _kept(live, live), images)


def _kept(obj: Obj, live: Obj) -> Obj:
    """Return an object without what the workshop's cells and commands, as `live` tells, have changed."""
    kept = copy.deepcopy(obj)
    spec, name = kept["spec"], obj["metadata"]["name"]
    asked, switched = SCALED.get(name), SWITCHED.get(name, ())
    match obj["kind"]:
        case "Deployment" | "Rollout":
            if _wrote(live, "replicas") or live["spec"].get("replicas") == asked:
                spec.pop("replicas", None)
            for container in spec["template"]["spec"]["containers"]:
                container["env"] = [e for e in container.get("env", []) if e["name"] not in switched]
        case "VirtualService" if _wrote(live, "http"):
            spec["http"] = [_without_shares(rule) for rule in spec.get("http", [])]
        case "HTTPRoute" if _wrote(live, "rules"):
            spec["rules"] = [_without_weights(rule) for rule in spec["rules"]]
    return kept


def _wrote(live: Obj, field: str) -> bool:
    writers = managers.of(live, "spec", field)
    return bool(writers) and writers <= _WRITERS


def _without_shares(rule: Obj) -> Obj:
    """Return a rule without the destinations among which the workshop's commands move weights."""
    return {**rule, "route": [entry for entry in rule.get("route", []) if not _is_a_share(entry)]}


def _without_weights(rule: Obj) -> Obj:
    """Return a rule of an HTTPRoute without the weights, which the workshop's commands move."""
    backends = [{k: v for k, v in entry.items() if k != "weight"} for entry in rule.get("backendRefs", [])]
    return {**rule, "backendRefs": backends}


def _is_a_share(entry: Mapping[str, Any]) -> bool:
    place = entry["destination"]
    known = place.keys() == {"host", "subset"} and place["host"] == service.NAME
    return known and place["subset"] in _subsets() and entry.keys() <= {"destination", "weight"}


@functools.cache
def _subsets() -> frozenset[str]:
    """Return the names of the subsets that the workshop's files define."""
    found = originals.manifests(CANARY, V3, f"{ARGO}/routing.yaml")
    rules = [obj for obj in found if obj["kind"] == "DestinationRule"]
    return frozenset(subset["name"] for rule in rules for subset in rule["spec"]["subsets"])
