"""08: a rule for the mesh and a rule for a gateway, for one service with callers inside and outside."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application, mistakes, restoring, service, verdicts
from kata_lib.course.exercise import PERCENT, Exercise, InClass, Question
from kata_lib.course.mistake import Mistake
from kata_lib.course.result import Result
from kata_lib.course.steps import CANARY, V1, V2, Step
from kata_lib.course.turn import Turn, seen
from kata_lib.course.wanted import CANARY_10, same
from kata_lib.mesh.analyze import Choice, lines
from kata_lib.mesh.virtual_services import ISTIO, speaker

if TYPE_CHECKING:
    import pandas as pd

GATEWAY, MESH = "gateway", "mesh"
OPEN, SENTENCES = "deploy/gateway/gateway.yaml", "deploy/gateway/sentences.yaml"
OUTSIDE, BOTH = "deploy/outside/name.yaml", "deploy/outside/both.yaml"
HOST = application.host_of(service.NAME)


def _one_sided(cluster: Cluster) -> Iterator[Mistake]:
    """Yield why callers inside, or those outside, do not get the canary."""
    if any(cluster.get(*kind, GATEWAY) is None for kind in ((ISTIO, "Gateway"), ("apps/v1", "Deployment"))):
        yield Mistake("There is no gateway, so nobody comes in by one.", restoring.applied(OPEN))
    yield from mistakes.workloads(cluster, (*verdicts.V1_AND_V2, GATEWAY))
    yield from _inside(cluster)
    yield from _outside(cluster)


def _inside(cluster: Cluster) -> Iterator[Mistake]:
    speaks, found = speaker(cluster, service.NAME), service.in_force(cluster)
    if same(found.versions, CANARY_10.shares):
        return
    said = f"Callers inside get: {found.outcome()}."
    rule = cluster.get(ISTIO, "VirtualService", service.NAME)
    if speaks and speaks["metadata"]["name"] != service.NAME:
        other = speaks["metadata"]["name"]
        choice = Choice(lines.deleted(speaks), "its own rules go")
        yield Mistake(f"{said} The VirtualService {other} speaks for {service.NAME}.", choices=(choice,))
    elif rule and MESH not in _gateways(rule) and service.NAME in rule["spec"]["hosts"]:
        why = f"Of the gateways of the VirtualService none is {MESH}: without {MESH} no sidecar gets it."
        step = {"op": "add", "path": "/spec/gateways/-", "value": MESH}
        yield Mistake(f"{said} {why}", lines.patch(rule, step))
    else:
        yield Mistake(said, restoring.applied(CANARY, BOTH))


def _outside(cluster: Cluster) -> Iterator[Mistake]:
    found = service.in_force(cluster, GATEWAY)
    rules = [rule for rule in cluster.objects(ISTIO, "VirtualService") if _is_for_callers_outside(rule)]
    others = [rule for rule in rules if rule["metadata"]["name"] != service.NAME]
    if not rules:
        why = f"it takes {GATEWAY} among its gateways, and {HOST} among its hosts"
        yield Mistake(f"No rule at the gateway is for {HOST}: {why}.", restoring.applied(BOTH))
    elif not same(found.versions, CANARY_10.shares):
        named = " and ".join(rule["metadata"]["name"] for rule in rules)
        applied = " && ".join([restoring.applied(BOTH), *map(lines.deleted, others)])
        yield Mistake(
            f"Callers outside, who ask for {HOST}, get: {found.outcome()}. That is what {named} says.",
            lines.deleted(others[0]) if others and len(rules) > 1 else applied,
        )


def _is_for_callers_outside(rule: Obj) -> bool:
    return GATEWAY in _gateways(rule) and HOST in rule["spec"].get("hosts", [])


def _gateways(rule: Obj) -> list[str]:
    return rule["spec"].get("gateways") or [MESH]


def _canary(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    found = verdicts.first(cluster, _one_sided(cluster), sample)
    return found or verdicts.judge(cluster, sample, CANARY_10.shares["v2"], otherwise=1 / 3)


EXERCISE = Exercise(
    Step("gateway", "08-gateway", (V1, V2, CANARY, OPEN, SENTENCES, OUTSIDE)),
    about="traffic from outside: a rule for the mesh does not act on a gateway, nor the other way round",
    in_class=InClass(
        say="Your canary says ten percent. Who of you knows for which callers?",
        ask="The canary shall be for the partners outside alone. What do you list?",
        goes_wrong="`gateways` without `mesh`: then pods decide for the callers inside. The check names it.",
    ),
    checks={"inside": _canary, "outside": _canary},
    turns={"one-rule": Turn(seen(_one_sided))},
    questions={
        "answers from v2 for callers outside": Question(
            PERCENT,
            "Many say 10, for there is a canary. But its rule is for the mesh, which are the sidecars; the "
            "gateway's Envoy is none of them, and its own rule chooses no version.",
            expected=100 / 3,
            out_of=100,
        ),
        "answers from v2 for callers inside": Question(
            PERCENT,
            "Many say 10: a gateway was added, and nothing taken away. But a rule without a list of gateways "
            "is for the mesh, and one with a list is for those that it names, and for no others.",
            expected=100 / 3,
            out_of=100,
        ),
    },
)
