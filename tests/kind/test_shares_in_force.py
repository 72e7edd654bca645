"""What kata_lib.mesh.in_force reads from a sidecar that istiod configures is what requests meet.

The sample is the application's own: `sentences` asks `name`, and fails where that does not answer.
"""

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from labs import lab_on
from share_cases import CASES, REQUESTS, Obj, agrees

from kata_lib.cluster import waiting
from kata_lib.course import service
from kata_lib.lab.lab import Lab
from kata_lib.mesh.routes import Outcome
from kata_lib.mesh.virtual_services import ISTIO

pytestmark = pytest.mark.needs("kind")

CLUSTER = "kata-shares"
FAILED = 0
"""Stands for each status with which `sentences` says that `name` did not answer."""
SUBSETS = ("v1", "v2", "v3", "v9")


@pytest.fixture(scope="module")
def kata(engine_environment: dict[str, str]) -> Iterator[Lab]:
    """Yield one pod of each version of `name`, a subset for each, and a Service for two of them."""
    with lab_on(engine_environment, CLUSTER) as made:
        made.begin("deploy", reset=True)
        made.apply("deploy/v2")
        made.cluster.create(third_version(made))
        made.cluster.create(subsets())
        made.cluster.create(service_of("stable", "v1"))
        made.cluster.create(service_of("canary", "v2"))
        made.scale("name-v1", 1)
        yield made


def third_version(kata: Lab) -> Obj:
    """Return a Deployment that differs from version 2 in its mark alone: the workshop's version 3 fails."""
    found = kata.cluster.get("apps/v1", "Deployment", "name-v2")
    assert found is not None
    made: Obj = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": deepcopy(found["spec"])}
    labels = {"app": "name", "version": "v3"}
    made["metadata"] = {"name": "name-v3", "labels": labels}
    made["spec"]["selector"]["matchLabels"] = labels
    made["spec"]["template"]["metadata"] = {"labels": labels}
    names = {"name": "SENTENCE_NAMES", "value": "Athos (v3)"}
    made["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "SENTENCE_MODE", "value": "name"},
        names,
    ]
    return made


def subsets() -> Obj:
    named = [{"name": f"name-{version}", "labels": {"version": version}} for version in SUBSETS]
    spec = {"host": "name", "subsets": named}
    return {"apiVersion": ISTIO, "kind": "DestinationRule", "metadata": {"name": "name"}, "spec": spec}


def service_of(name: str, version: str) -> Obj:
    ports = [{"name": "http", "port": 5000}]
    spec = {"selector": {"app": "name", "version": version}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"name-{name}"}, "spec": spec}


def apply(kata: Lab, objects: list[Obj]) -> None:
    """Have exactly these VirtualServices in force, created in the order of their times."""
    since = service.moment(kata.cluster)
    for found in kata.cluster.objects(ISTIO, "VirtualService"):
        kata.cluster.remove(ISTIO, "VirtualService", found["metadata"]["name"])
    for obj in sorted(objects, key=lambda obj: obj["metadata"].get("creationTimestamp", "")):
        metadata = {"name": obj["metadata"]["name"]}
        made = {"apiVersion": ISTIO, "kind": "VirtualService", "metadata": metadata, "spec": obj["spec"]}
        second(kata.cluster.create(made)["metadata"]["creationTimestamp"])
    service.settle(kata.cluster, since)


def second(created: str) -> None:
    """Wait until a second is over: of two rules for one host istiod takes the older, by seconds."""
    at = datetime.fromisoformat(created).timestamp()
    assert waiting.holds(lambda: datetime.now(UTC).timestamp() > at + 1, 5.0)


def as_sampled(outcome: Outcome) -> Outcome:
    """Return what `sentences` makes of an outcome: whatever is no answer of `name` is a failure."""
    failed = sum(outcome.answered.values())
    return Outcome(outcome.versions, {FAILED: failed} if failed else {})


@pytest.mark.parametrize("case", CASES)
def test_what_is_read_is_what_requests_meet(kata: Lab, case: str) -> None:
    objects, versions, answered = CASES[case]
    apply(kata, objects)
    outcome = service.in_force(kata.cluster).outcome()
    assert (outcome.versions, outcome.answered) == (versions, answered)
    sample = kata.sample(requests=REQUESTS)
    seen: Counter[Any] = Counter(sample["version"].fillna(FAILED))
    assert agrees(seen, as_sampled(outcome)), seen
