"""VirtualServices for `name`, and what becomes of a request to it: by version, and what the sidecar answers.

Each share is judged by 300 requests: a true one is called wrong less than once in a million times, and of all
that the pods alone would give (a third each) 10 % is told with a probability above 0.999. There is one pod of
each of three versions, a subset for each, one without pods, and a Service for each of two versions.
"""

from collections import Counter
from typing import Any

import pytest

from kata_lib.mesh.routes import Outcome
from kata_lib.statistics.shares import judge

Obj = dict[str, Any]
REQUESTS = 300
THIRDS = {version: pytest.approx(1 / 3) for version in ("v1", "v2", "v3")}
SECOND = "2026-01-02T00:00:00Z"


def agrees(seen: Counter[Any], outcome: Outcome) -> bool:
    """Return whether counts are those of an outcome; each share is judged against the nearest of 0 and 1."""
    shares: dict[Any, float] = {**outcome.versions, **outcome.answered}
    verdicts = [judge(seen[key], REQUESTS, share, float(share < 0.5)) for key, share in shares.items()]
    return seen.keys() <= shares.keys() and "wrong" not in verdicts


def virtual_service(*http: Obj, name: str = "name", hosts: Any = ("name",), **spec: Any) -> Obj:
    return {"metadata": {"name": name}, "spec": {"hosts": list(hosts), "http": list(http), **spec}}


def to(**weights: int) -> list[Obj]:
    return [
        {"destination": {"host": "name", "subset": f"name-{version}"}, "weight": weight}
        for version, weight in weights.items()
    ]


def hosts(**weights: int) -> list[Obj]:
    return [{"destination": {"host": f"name-{h}"}, "weight": weight} for h, weight in weights.items()]


def later(obj: Obj) -> Obj:
    return {**obj, "metadata": {**obj["metadata"], "creationTimestamp": SECOND}}


TESTERS = {"match": [{"headers": {"x-tester": {"exact": "yes"}}}], "route": to(v2=100)}
SPLIT = {"route": to(v1=90, v2=10)}
DELEGATE = {"metadata": {"name": "inner"}, "spec": {"http": [{"route": to(v1=75, v2=25)}]}}
HANDED_ON = virtual_service({"delegate": {"name": "inner"}})
NOWHERE = {"route": [{"destination": {"host": "nowhere"}, "weight": 100}]}

CASES: dict[str, tuple[list[Obj], Any, Any]] = {
    "no rule": ([], THIRDS, {}),
    "subsets": ([virtual_service(SPLIT)], {"v1": 0.9, "v2": 0.1}, {}),
    "weights that total 90": (
        [virtual_service({"route": to(v1=80, v2=10)})],
        {"v1": pytest.approx(8 / 9), "v2": pytest.approx(1 / 9)},
        {},
    ),
    "three destinations": (
        [virtual_service({"route": to(v1=50, v2=30, v3=20)})],
        {"v1": 0.5, "v2": 0.3, "v3": 0.2},
        {},
    ),
    "one Service a version": (
        [virtual_service({"route": hosts(stable=95, canary=5)})],
        {"v1": 0.95, "v2": 0.05},
        {},
    ),
    "everyone to one": ([virtual_service({"route": to(v1=0, v2=100)})], {"v2": 1.0}, {}),
    "not exported here": ([virtual_service(SPLIT, exportTo=["elsewhere"])], THIRDS, {}),
    "for gateways only": ([virtual_service(SPLIT, gateways=["front"])], THIRDS, {}),
    "a delegate": ([HANDED_ON, DELEGATE], {"v1": 0.75, "v2": 0.25}, {}),
    "match: prefix /": (
        [virtual_service({"match": [{"uri": {"prefix": "/"}}], **SPLIT})],
        {"v1": 0.9, "v2": 0.1},
        {},
    ),
    "a header match above weights": ([virtual_service(TESTERS, SPLIT)], {"v1": 0.9, "v2": 0.1}, {}),
    "only a header match": ([virtual_service(TESTERS)], {}, {404: 1.0}),
    "two rules for one host": (
        [later(virtual_service({"route": to(v2=100)}, name="a-newer")), virtual_service(SPLIT, name="older")],
        {"v1": 0.9, "v2": 0.1},
        {},
    ),
    "hosts that name another service": ([virtual_service(SPLIT, hosts=["age"])], THIRDS, {}),
    "hosts with a dot that are no name in the mesh": (
        [virtual_service(SPLIT, hosts=["name.default"])],
        THIRDS,
        {},
    ),
    "hosts by the full name": (
        [virtual_service(SPLIT, hosts=["name.default.svc.cluster.local"])],
        {"v1": 0.9, "v2": 0.1},
        {},
    ),
    "a subset without pods": (
        [virtual_service({"route": to(v1=80, v9=20)})],
        {"v1": 0.8},
        {503: 0.2},
    ),
    "a subset that is not defined": ([virtual_service({"route": to(v1=80, v8=20)})], {"v1": 0.8}, {503: 0.2}),
    "a destination that does not exist": ([virtual_service(NOWHERE)], {}, {503: 1.0}),
    "a direct response": ([virtual_service({"directResponse": {"status": 418}})], {}, {418: 1.0}),
    "a redirect": ([virtual_service({"redirect": {"uri": "/new", "redirectCode": 302}})], {}, {302: 1.0}),
    "a mirror": (
        [virtual_service({"route": to(v1=100), "mirror": {"host": "name", "subset": "name-v2"}})],
        {"v1": 1.0},
        {},
    ),
    "an abort": (
        [virtual_service({**SPLIT, "fault": {"abort": {"httpStatus": 500, "percentage": {"value": 25}}}})],
        {"v1": pytest.approx(0.675), "v2": pytest.approx(0.075)},
        {500: 0.25},
    ),
}
