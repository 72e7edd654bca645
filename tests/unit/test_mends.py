"""Mending lines, followed word for word by kubectl and kata on the product's own API.

From each mistake the check's lines bring "right" in at most three. After each line the sidecar's share of
the new version is at most the larger of what it was and what the step asks, nothing of others is gone, and
the next line is another one.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pandas as pd
import pytest
from api_server import Api
from following import MOST_LINES
from following import follow as follow_line
from random_sets import ALL
from shell import Shell

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.replacing import replace
from kata_lib.course import originals, service
from kata_lib.course.checks import check
from kata_lib.course.exercises import CHECKS
from kata_lib.course.result import Result
from kata_lib.mesh import weights
from kata_lib.mesh.virtual_services import ISTIO

V1, V2, V3 = "deploy/v1", "deploy/v2", "deploy/v3-faulty"
CANARY, PROMOTE = "deploy/virtual-service-canary.yaml", "deploy/virtual-service-canary-promote.yaml"
CANARY_V3 = "deploy/virtual-service-canary-v3.yaml"


@dataclass(frozen=True)
class Step:
    """A check, the files that solve it, the sample that is right then, and what it asks for a version."""

    check: str
    files: tuple[str, ...]
    sample: tuple[int, int, int]
    new: str
    asked: float


STEPS = {
    step.check: step
    for step in (
        Step("v1-runs", (V1,), (0, 20, 0), "v2", 0.0),
        Step("v1-alone", (V1,), (0, 100, 0), "v2", 0.0),
        Step("a-third", (V1, V2), (133, 400, 0), "v2", 1 / 3),
        Step("canary-10", (V1, V2, CANARY), (98, 1000, 0), "v2", 0.1),
        Step("canary-20", (V1, V2, CANARY), (243, 1200, 0), "v2", 0.2),
        Step("promoted", (V1, V2, PROMOTE), (300, 300, 0), "v2", 1.0),
        Step("v3-hurts", (V1, V2, V3, PROMOTE, CANARY_V3), (1235, 1235, 65), "v3", 0.1),
        Step("rolled-back", (V1, V2, V3, PROMOTE), (300, 300, 0), "v3", 0.0),
        Step("cleaned-up", (), (0, 0, 0), "v2", 1.0),
    )
}


def sample(v2: int, n: int, failures: int) -> pd.DataFrame:
    """Return the columns of a sample that checks look at."""
    versions = ["v2"] * v2 + ["v1"] * (n - v2) + [None] * failures
    errors = [None] * n + ["HTTP 500"] * failures
    return pd.DataFrame({"version": pd.Series(versions, dtype=object), "error": errors})


class World:
    """A namespace of the product's API in which a step is done, with somebody else's objects beside it."""

    def __init__(self, api: Api, shell: Shell, step: Step) -> None:
        self.shell, self.step = shell, step
        self.cluster: Cluster = api.cluster()
        self.cluster.enable_injection()
        replace(self.cluster, _last_of_each(step.files), originals.is_ours)
        if step.check == "canary-20":
            weights.set_weights(self.cluster, "name", {"name-v2": 20})
        if step.check != "cleaned-up":
            self.cluster.create(service_object("shop", {"app": "shop"}))
            to_shop = [{"route": [{"destination": {"host": "shop"}}]}]
            self.cluster.create(virtual_service("shop", to_shop, hosts=["shop"]))

    def check(self) -> Result:
        return check(self.step.check, self.cluster, sample(*self.step.sample))

    def share(self) -> float:
        """Return the share of the new version in force, 0 to 1."""
        if self.cluster.get("v1", "Service", "name") is None:
            return 0.0
        return service.in_force(self.cluster).versions.get(self.step.new, 0.0)

    def others(self) -> bool:
        """Return whether what others have in the namespace is there."""
        kept = [("v1", "Service"), (ISTIO, "VirtualService")]
        return self.step.check == "cleaned-up" or all(self.cluster.get(*kind, "shop") for kind in kept)

    def run(self, line: str) -> None:
        follow_line(self.cluster, self.shell, line)


def _last_of_each(files: tuple[str, ...]) -> list[Obj]:
    """Return the objects of files as they are after all have been applied."""
    return list({(obj["kind"], obj["metadata"]["name"]): obj for obj in originals.manifests(*files)}.values())


def service_object(name: str, selector: dict[str, str], **spec: Any) -> Obj:
    body = {"selector": selector, "ports": [{"name": "http", "port": 5000, "targetPort": 5000}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": body}


def virtual_service(name: str, http: list[Obj], hosts: list[str] | None = None, **spec: Any) -> Obj:
    body = {"hosts": hosts or ["name"], "http": http, **spec}
    return {"apiVersion": ISTIO, "kind": "VirtualService", "metadata": {"name": name}, "spec": body}


def destination_rule(name: str, subsets: dict[str, str], **spec: Any) -> Obj:
    listed = [{"name": subset, "labels": {"version": version}} for subset, version in subsets.items()]
    return {
        "apiVersion": ISTIO,
        "kind": "DestinationRule",
        "metadata": {"name": name},
        "spec": {"host": "name", "subsets": listed, **spec},
    }


def route(**weight: int) -> list[Obj]:
    """Return a route by subsets; underscores stand for dashes, and -1 for a weight that is left out."""
    return [
        {
            "destination": {"host": "name", "subset": subset.replace("_", "-")},
            **({"weight": w} if w >= 0 else {}),
        }
        for subset, w in weight.items()
    ]


Damage = Callable[[World], object]


def http(*rules: Obj) -> Damage:
    return lambda w: w.cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"http": list(rules)}})


def weighted(**weight: int) -> Damage:
    return http({"route": route(**weight)})


def subsets(**by_name: str) -> Damage:
    named = {name.replace("_", "-"): version for name, version in by_name.items()}
    return lambda w: w.cluster.patch(
        ISTIO, "DestinationRule", "name", {"spec": destination_rule("name", named)["spec"]}
    )


def spec(kind: str, name: str, body: Obj) -> Damage:
    versions = {"Service": "v1", "Deployment": "apps/v1"}
    return lambda w: w.cluster.patch(versions.get(kind, ISTIO), kind, name, {"spec": body})


def gone(kind: str, name: str) -> Damage:
    versions = {"Service": "v1", "Deployment": "apps/v1"}
    return lambda w: w.cluster.remove(versions.get(kind, ISTIO), kind, name)


def made(*objects: Obj) -> Damage:
    return lambda w: [w.cluster.create(obj) for obj in objects]


def applied(path: str) -> Damage:
    return lambda w: w.cluster.apply(path)


def scaled(name: str, replicas: int) -> Damage:
    return lambda w: w.cluster.scale(name, replicas)


def with_other_labels(name: str, **labels: str) -> Damage:
    """Replace a Deployment by one of the same name whose pods have other labels, as other tutorials have."""

    def do(world: World) -> None:
        live = world.cluster.get("apps/v1", "Deployment", name)
        assert live
        world.cluster.remove("apps/v1", "Deployment", name)
        live["spec"]["selector"] = {"matchLabels": labels}
        live["spec"]["template"]["metadata"]["labels"] = labels
        live["metadata"] = {"name": name, "labels": labels}
        live.pop("status")
        world.cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", **live})

    return do


def unlabelled(*deployments: str) -> Damage:
    """Take the namespace's label away and start pods anew: they have no sidecar."""

    def do(world: World) -> None:
        world.shell("kubectl label namespace default istio-injection-")
        for pod in world.cluster.pods():
            if pod["metadata"]["name"].startswith(deployments):
                world.cluster.remove("v1", "Pod", pod["metadata"]["name"])

    return do


def both(*damages: Damage) -> Damage:
    return lambda w: [damage(w) for damage in damages]


MINE = made(virtual_service("mine", [{"route": route(name_v1=50, name_v2=50)}]))
HEADER = [{"headers": {"x-canary": {"exact": "yes"}}}]
ROUTING: dict[str, Damage] = {
    "weights-swapped": weighted(name_v1=10, name_v2=90),
    "weights-half": weighted(name_v1=50, name_v2=50),
    "weights-total-90": weighted(name_v1=80, name_v2=10),
    "weights-90-90": weighted(name_v1=90, name_v2=90),
    "weight-left-out": weighted(name_v1=-1, name_v2=10),
    "weights-zero-for-v2": weighted(name_v1=100, name_v2=0),
    "only-v2": http({"route": route(name_v2=100)}),
    "no-virtual-service": gone("VirtualService", "name"),
    "no-destination-rule": gone("DestinationRule", "name"),
    "subset-misspelt": weighted(name_v1=90, nam_v2=10),
    "subset-of-v1-misspelt": weighted(name_v=90, name_v2=10),
    "subset-unknown": weighted(name_v1=90, name_v9=10),
    "labels-swapped": subsets(name_v1="v2", name_v2="v1"),
    "labels-of-nobody": subsets(name_v1="v1", name_v2="v7"),
    "subset-not-defined": subsets(name_v1="v1"),
    "only-a-header-match": http({"match": HEADER, "route": route(name_v2=100)}),
    "match-left-over": http({"match": HEADER, "route": route(name_v1=90, name_v2=10)}),
    "testers-first": http(
        {"match": HEADER, "route": route(name_v2=100)}, {"route": route(name_v1=50, name_v2=50)}
    ),
    "default-before": http(
        {"route": route(name_v1=50, name_v2=50)}, {"match": HEADER, "route": route(name_v2=100)}
    ),
    "host-misspelt": http({"route": [{"destination": {"host": "nmae", "subset": "name-v1"}}]}),
    "for-another-host": spec("VirtualService", "name", {"hosts": ["names"]}),
    "for-age": spec("VirtualService", "name", {"hosts": ["age"]}),
    "for-a-gateway": spec("VirtualService", "name", {"gateways": ["front"]}),
    "a-fault": http(
        {
            "fault": {"abort": {"httpStatus": 503, "percentage": {"value": 50}}},
            "route": route(name_v1=90, name_v2=10),
        }
    ),
    "a-redirect": http({"redirect": {"uri": "/elsewhere"}}),
    "port-unknown": http(
        {"route": [{"destination": {"host": "name", "subset": "name-v1", "port": {"number": 80}}}]}
    ),
    "second-rule-older": lambda w: (
        w.cluster.remove(ISTIO, "VirtualService", "name"),
        made(virtual_service("mine", [{"route": route(name_v1=50, name_v2=50)}]))(w),
        w.cluster.apply(w.step.files[-1]),
    ),
    "a-rule-of-mine-alone": lambda w: (
        w.cluster.remove(ISTIO, "VirtualService", "name"),
        made(virtual_service("mine", [{"route": route(name_v1=50, name_v2=50)}]))(w),
    ),
    "other-subset-names": both(subsets(v1="v1", v2="v2"), weighted(v1=50, v2=50)),
    "rule-of-another-host": spec("DestinationRule", "name", {"host": "names"}),
}
WORKLOADS: dict[str, Damage] = {
    "no-name-v2": gone("Deployment", "name-v2"),
    "no-name-v1": gone("Deployment", "name-v1"),
    "no-age": gone("Deployment", "age"),
    "no-service-age": gone("Service", "age"),
    "no-service-name": gone("Service", "name"),
    "selector-typo": spec("Service", "name", {"selector": {"app": "names"}}),
    "selector-too-narrow": spec("Service", "name", {"selector": {"app": "name", "version": "v1"}}),
    "selector-of-age": spec("Service", "age", {"selector": {"app": "ages"}}),
    "target-port": spec("Service", "name", {"ports": [{"name": "http", "port": 5000, "targetPort": 8080}]}),
    "port-80": spec("Service", "name", {"ports": [{"name": "http", "port": 80, "targetPort": 5000}]}),
    "image-unknown": spec(
        "Deployment",
        "age",
        {
            "template": {
                "spec": {
                    "containers": [
                        {
                            **originals.manifests(f"{V1}/age.yaml")[1]["spec"]["template"]["spec"][
                                "containers"
                            ][0],
                            "image": "kata/sentences:v9",
                        }
                    ]
                }
            }
        },
    ),
    "v2-asleep": scaled("name-v2", 0),
    "v1-asleep": scaled("name-v1", 0),
    "no-sidecars": unlabelled("sentences"),
    "no-sidecar-at-all": unlabelled("age", "name-v1", "name-v2", "sentences"),
    "sidecar-refused": spec(
        "Deployment",
        "sentences",
        {"template": {"metadata": {"labels": {"sidecar.istio.io/inject": "false"}}}},
    ),
    "other-labels-age": with_other_labels("age", app="sentences", mode="age"),
    "other-labels-v2": with_other_labels("name-v2", app="name"),
    "v2-labelled-v1": with_other_labels("name-v2", app="name", version="v1", track="canary"),
}
CASES: dict[str, tuple[str, Damage]] = {
    **{f"canary-10 {name}": ("canary-10", damage) for name, damage in {**ROUTING, **WORKLOADS}.items()},
    **{
        f"promoted {name}": ("promoted", ROUTING[name])
        for name in (
            "no-virtual-service",
            "labels-swapped",
            "weights-half",
            "subset-misspelt",
            "only-a-header-match",
        )
    },
    "promoted canary": ("promoted", applied(CANARY)),
    "canary-20 canary": ("canary-20", applied(CANARY)),
    "canary-20 swapped": ("canary-20", weighted(name_v1=20, name_v2=80)),
    "canary-20 none": ("canary-20", gone("VirtualService", "name")),
    "v1-alone v2": ("v1-alone", applied(V2)),
    "v1-alone canary": ("v1-alone", both(applied(V2), applied(CANARY))),
    "v1-alone promoted": ("v1-alone", both(applied(V2), applied(PROMOTE))),
    "v1-alone selector": ("v1-alone", WORKLOADS["selector-typo"]),
    "v1-runs nothing": ("v1-runs", lambda w: w.cluster.delete(V1)),
    "v1-runs selector": ("v1-runs", WORKLOADS["selector-typo"]),
    "v1-runs port": ("v1-runs", WORKLOADS["target-port"]),
    "a-third no v2": ("a-third", gone("Deployment", "name-v2")),
    "a-third canary": ("a-third", applied(CANARY)),
    "a-third promoted": ("a-third", applied(PROMOTE)),
    "a-third scaled": ("a-third", both(scaled("name-v1", 8), scaled("name-v2", 3))),
    "a-third scaled canary": ("a-third", both(scaled("name-v2", 4), applied(CANARY))),
    "v3-hurts promoted": ("v3-hurts", applied(PROMOTE)),
    "v3-hurts no v3": ("v3-hurts", lambda w: w.cluster.delete(V3)),
    "v3-hurts half": ("v3-hurts", weighted(name_v2=50, name_v3=50)),
    "v3-hurts retries": (
        "v3-hurts",
        http({"retries": {"attempts": 5, "retryOn": "5xx"}, "route": route(name_v2=90, name_v3=10)}),
    ),
    "rolled-back not": ("rolled-back", applied(CANARY_V3)),
    "rolled-back gone": ("rolled-back", gone("VirtualService", "name")),
    "cleaned-up not": ("cleaned-up", lambda w: [w.cluster.apply(path) for path in (V1, V2, CANARY)]),
    "cleaned-up extra": (
        "cleaned-up",
        made(
            service_object("shop", {"app": "shop"}), virtual_service("mine", [{"route": route(name_v1=100)}])
        ),
    ),
}
FIRST = ("weights-swapped", "labels-swapped", "no-virtual-service", "only-v2", "second-rule-older")
SECOND = ("no-name-v2", "selector-typo", "no-sidecars", "other-labels-v2")
"""Of their pairs a plain run has each of the first and of the second; `scripts/test --all` has all."""
for first, one in zip(FIRST, cycle(SECOND), strict=False):
    for second in SECOND if ALL else (one,):
        CASES[f"canary-10 {first} {second}"] = ("canary-10", both(ROUTING[first], WORKLOADS[second]))


ODD: dict[str, Damage] = {
    **{
        name: ROUTING[name]
        for name in ("only-a-header-match", "a-redirect", "for-a-gateway", "second-rule-older")
    },
    "no-rule-for-http": spec(
        "VirtualService", "name", {"http": None, "tcp": [{"route": [{"destination": {"host": "name"}}]}]}
    ),
    "a-delegate": http({"delegate": {"name": "nobody"}}),
    "subsets-of-nothing": spec("DestinationRule", "name", {"subsets": None}),
    "no-service": gone("Service", "name"),
    "nothing": lambda w: [w.cluster.delete(path) for path in w.step.files],
}


@pytest.fixture(scope="module")
def api_of_all(
    api_loop: asyncio.AbstractEventLoop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """One API for all mistakes: each begins with a reset from what the one before has left."""
    api = Api(api_loop, tmp_path_factory.mktemp("api"))
    yield api
    api.stop()


@pytest.fixture(scope="module")
def shell(api_of_all: Api, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell whose kubectl is on that API."""
    return Shell(api_of_all, tmp_path_factory.mktemp("shell"))


@pytest.mark.parametrize("case", CASES)
def test_the_lines_are_followed_to_right(api_of_all: Api, shell: Shell, case: str) -> None:
    name, damage = CASES[case]
    number, ways = 0, 1
    while number < ways:
        world = World(api_of_all, shell, STEPS[name])
        assert world.check().verdict == "right"
        damage(world)
        ways = follow(world, number)
        number += 1


@pytest.mark.parametrize("name", ODD)
def test_no_check_raises_whatever_is_there(api_of_all: Api, shell: Shell, name: str) -> None:
    world = World(api_of_all, shell, STEPS["canary-10"])
    ODD[name](world)
    samples = {step.check: sample(*step.sample) for step in STEPS.values()}
    verdicts = {check(one, world.cluster, samples.get(one, sample(0, 20, 0))).verdict for one in CHECKS}
    assert verdicts <= {"right", "wrong", "not enough yet"}


def follow(world: World, choice: int) -> int:
    """Follow the lines, of the first choices that one; return how many there were."""
    done: list[str] = []
    ways = 1
    while (result := world.check()).verdict != "right":
        lines = [result.mend] if result.mend else [way.line for way in result.choices if way.line]
        assert lines, result
        ways = ways if done else len(lines)
        line = lines[0] if done else lines[choice]
        assert line not in done, result
        before = world.share()
        world.run(line)
        done.append(line)
        assert world.share() <= max(before, world.step.asked) + 1e-9, (done, result)
        assert world.others(), done
        assert len(done) <= MOST_LINES, (done, world.check())
    assert done, "the mistake was none"
    return ways
