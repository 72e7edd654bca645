"""Faults that a release is found with: each takes a scenario's objects and makes them wrong.

They are those that `analyze` and the checks know of learners; an API server accepts every one of them.
"""

from collections.abc import Callable, Mapping

from kata_lib.cluster.client import Obj
from kata_lib.course.exam.scenario import PORT, Scenario, find

Fault = Callable[[Scenario, list[Obj]], None]


def _subset_misspelt(scenario: Scenario, objects: list[Obj]) -> None:
    _route(scenario, objects)[-1]["destination"]["subset"] += "x"


def _subset_of_no_pod(scenario: Scenario, objects: list[Obj]) -> None:
    _subsets(scenario, objects)[-1]["labels"] = {"version": scenario.newest.removeprefix("v")}


def _weights_swapped(scenario: Scenario, objects: list[Obj]) -> None:
    first, last = _route(scenario, objects)
    first["weight"], last["weight"] = last["weight"], first["weight"]


def _labels_swapped(scenario: Scenario, objects: list[Obj]) -> None:
    first, last = _subsets(scenario, objects)
    first["labels"], last["labels"] = last["labels"], first["labels"]


def _other_host(scenario: Scenario, objects: list[Obj]) -> None:
    rule = find(objects, "VirtualService", scenario.theme.service)
    rule["spec"]["hosts"] = [f"{scenario.theme.service}s"]


def _for_a_gateway(scenario: Scenario, objects: list[Obj]) -> None:
    rule = find(objects, "VirtualService", scenario.theme.service)
    rule["spec"]["gateways"] = [f"{scenario.theme.caller}-gateway"]


def _no_destination_rule(scenario: Scenario, objects: list[Obj]) -> None:
    objects.remove(find(objects, "DestinationRule", scenario.theme.service))


def _rule_of_another_host(scenario: Scenario, objects: list[Obj]) -> None:
    find(objects, "DestinationRule", scenario.theme.service)["spec"]["host"] = scenario.theme.number


def _selector_of_one_version(scenario: Scenario, objects: list[Obj]) -> None:
    service = find(objects, "Service", scenario.theme.service)
    service["spec"]["selector"]["version"] = scenario.versions[0]


def _wrong_target_port(scenario: Scenario, objects: list[Obj]) -> None:
    find(objects, "Service", scenario.theme.service)["spec"]["ports"][0]["targetPort"] = PORT + 1


def _asleep(scenario: Scenario, objects: list[Obj]) -> None:
    find(objects, "Deployment", scenario.deployment(scenario.newest))["spec"]["replicas"] = 0


FAULTS: Mapping[str, Fault] = {
    "subset misspelt": _subset_misspelt,
    "subset of no pod": _subset_of_no_pod,
    "weights swapped": _weights_swapped,
    "labels swapped": _labels_swapped,
    "other host": _other_host,
    "for a gateway": _for_a_gateway,
    "no DestinationRule": _no_destination_rule,
    "rule of another host": _rule_of_another_host,
    "selector of one version": _selector_of_one_version,
    "wrong target port": _wrong_target_port,
    "asleep": _asleep,
}


def _route(scenario: Scenario, objects: list[Obj]) -> list[Obj]:
    rule = find(objects, "VirtualService", scenario.theme.service)
    route: list[Obj] = rule["spec"]["http"][0]["route"]
    return route


def _subsets(scenario: Scenario, objects: list[Obj]) -> list[Obj]:
    subsets: list[Obj] = find(objects, "DestinationRule", scenario.theme.service)["spec"]["subsets"]
    return subsets
