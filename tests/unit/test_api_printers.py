"""What kubectl get shows: ages, pods' states, columns."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from random_sets import rounds

from kata_lib.engines.embedded.api.durations import human_duration
from kata_lib.engines.embedded.api.pod_printer import pod_cells
from kata_lib.engines.embedded.api.printers import printer_of
from kata_lib.engines.embedded.registry.definitions import DEFINITIONS
from kata_lib.engines.embedded.registry.resources import SCALES
from kata_lib.engines.embedded.registry.schemas import Schema, schema_for
from kata_lib.engines.embedded.registry.table import RESOURCES
from kata_lib.engines.embedded.store import Obj

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DEEPEST = 6
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (5 * MINUTE + 3, "5m3s"),
        (10 * MINUTE + 3, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + 5 * MINUTE, "3h5m"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + 3 * HOUR, "2d3h"),
        (8 * DAY + 3 * HOUR, "8d"),
        (729 * DAY, "729d"),
        (2 * 365 * DAY + DAY, "2y1d"),
        (8 * 365 * DAY, "8y"),
    ],
)
def test_human_duration(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


def pod(*states: Obj, **more: Any) -> Obj:
    statuses = [
        {"name": f"c{n}", "restartCount": 0, "ready": "running" in state, "state": state}
        for n, state in enumerate(states)
    ]
    return {
        "metadata": {"name": "a", "creationTimestamp": "2026-01-01T11:59:50Z", **more.pop("metadata", {})},
        "spec": {"containers": [{"name": f"c{n}"} for n in range(len(states))]},
        "status": {"phase": "Running", "containerStatuses": statuses, **more},
    }


@pytest.mark.parametrize(
    ("obj", "ready", "status"),
    [
        (pod({"running": {}}, {"running": {}}), "2/2", "Running"),
        (pod({"waiting": {"reason": "ContainerCreating"}}, phase="Pending"), "0/1", "ContainerCreating"),
        (pod({"waiting": {"reason": "CrashLoopBackOff"}}, {"running": {}}), "1/2", "CrashLoopBackOff"),
        (pod({"terminated": {"exitCode": 0, "reason": "Completed"}}, phase="Succeeded"), "0/1", "Completed"),
        (pod({"terminated": {"exitCode": 3}}), "0/1", "ExitCode:3"),
        (pod({"terminated": {"signal": 9}}), "0/1", "Signal:9"),
        (pod({"running": {}}, metadata={"deletionTimestamp": "2026-01-01T12:00:00Z"}), "1/1", "Terminating"),
        (pod({"terminated": {"reason": "Completed"}}, {"running": {}}), "1/2", "NotReady"),
        (pod(phase="Pending"), "0/0", "Pending"),
    ],
)
def test_a_pods_state(obj: Obj, ready: str, status: str) -> None:
    assert pod_cells(obj, NOW)[:4] == [ready, status, "0", "10s"]


def test_a_pods_restarts_say_when_the_last_was() -> None:
    obj = pod({"running": {}})
    ended = {"terminated": {"finishedAt": "2026-01-01T11:55:00Z"}}
    obj["status"]["containerStatuses"][0] |= {"restartCount": 2, "lastState": ended}
    assert pod_cells(obj, NOW)[2] == "2 (5m ago)"


def test_a_pod_whose_init_container_fails() -> None:
    obj = pod({"waiting": {"reason": "PodInitializing"}}, phase="Pending")
    obj["spec"]["initContainers"] = [{"name": "init"}]
    obj["status"]["initContainerStatuses"] = [
        {"name": "init", "restartCount": 1, "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
    ]
    assert pod_cells(obj, NOW)[:3] == ["0/1", "Init:Error", "1"]


@pytest.mark.parametrize("plural", sorted(DEFINITIONS))
def test_whatever_has_a_kinds_shape_has_a_cell_in_each_column(plural: str) -> None:
    """What is left out is zero for a real server, which prints it."""
    schema, printer = schema_for(plural), printer_of(RESOURCES.get(plural, SCALES))
    for seed in rounds(30):
        obj = shaped(schema, random.Random(seed))
        obj["metadata"] = {"name": "a", "creationTimestamp": "2026-01-01T11:00:00Z"}
        assert len(printer.cells(obj, NOW)) == len(printer.columns)


def shaped(schema: Schema, chance: random.Random, depth: int = 0) -> Any:
    """Return a random value that a schema decodes, without any field that validation wants."""
    at_end = depth == DEEPEST
    match schema.type:
        case "object" if schema.values and not at_end:
            return {f"k{n}": shaped(schema.values, chance, depth + 1) for n in range(chance.randrange(3))}
        case "object":
            fields = {} if at_end else schema.properties
            given = {name: inner for name, inner in fields.items() if chance.random() < 0.5}
            return {name: shaped(inner, chance, depth + 1) for name, inner in given.items()}
        case "array":
            count = 0 if at_end or schema.items is None else chance.randrange(3)
            return [shaped(schema.items or Schema(), chance, depth + 1) for _ in range(count)]
        case "integer" | "number":
            return chance.randrange(3)
        case "boolean":
            return chance.random() < 0.5
    if schema.format == "date-time":
        return "2026-01-01T00:00:00Z"
    return chance.choice(("a", "True", "Ready", "Always", "In", "Resource", ""))


def test_a_service_and_a_virtual_service() -> None:
    ports = [{"port": 5000, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    service = {"metadata": {}, "spec": {"type": "NodePort", "clusterIP": "10.0.0.1", "ports": ports}}
    cells = printer_of(RESOURCES["services"]).cells(service, NOW)
    assert cells[:4] == ["NodePort", "10.0.0.1", "<none>", "5000:30080/TCP,53/UDP"]
    routes = {"metadata": {"creationTimestamp": "2026-01-01T11:59:55Z"}, "spec": {"hosts": ["a", "b"]}}
    assert printer_of(RESOURCES["virtualservices"]).cells(routes, NOW) == [None, '["a","b"]', "5s"]


def test_an_event_about_nothing_is_shown() -> None:
    """Go's struct is always there, so a real server prints "/"."""
    event = {"metadata": {"name": "e", "creationTimestamp": "2026-01-01T00:00:00Z"}, "message": "m"}
    assert "/" in printer_of(RESOURCES["events"]).cells(event, datetime(2026, 1, 1, tzinfo=UTC))
