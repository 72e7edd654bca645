"""No field of Istio's schemas is ignored in silence: it changes what Envoy gets, or is refused by name."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from test_mesh_reference import Loopback, snapshot_with

from kata_lib.engines.embedded.mesh.admission import _FIELDS
from kata_lib.engines.embedded.mesh.translate import Proxy, clusters, tcp_ports, virtual_hosts
from kata_lib.engines.embedded.mesh.translate.fields import not_understood
from kata_lib.engines.embedded.registry.schemas import Schema, schema_for

Path = tuple[str, ...]
"""Names of fields; "[]" stands for the item of a list, "{}" for the value of a map."""

NAME, AGE = {"destination": {"host": "name"}}, {"destination": {"host": "age"}}
SUBSET = {"name": "name-v1", "labels": {"version": "v1"}}
POLICY = {"trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 3}}}}
OTHER_PORT = {"portLevelSettings": [{"port": {"number": 80}, **POLICY["trafficPolicy"]}]}
THIS_PORT = {"portLevelSettings": [{"port": {"number": 5000}}]}
BASES: list[tuple[str, dict[str, Any]]] = [
    ("http.[].redirect", {"hosts": ["name"], "http": [{"redirect": {"uri": "/x"}}]}),
    ("http.[].directResponse", {"hosts": ["name"], "http": [{"directResponse": {"status": 200}}]}),
    ("http.[].retries", {"hosts": ["name"], "http": [{"route": [NAME], "retries": {"attempts": 3}}]}),
    (
        "http.[].fault.delay",
        {"hosts": ["name"], "http": [{"route": [NAME], "fault": {"delay": {"fixedDelay": "1s"}}}]},
    ),
    (
        "http.[].fault.abort",
        {"hosts": ["name"], "http": [{"route": [NAME], "fault": {"abort": {"httpStatus": 500}}}]},
    ),
    ("http.[].delegate", {"hosts": ["name"], "http": [{"delegate": {"name": "x"}}]}),
    ("http.[].mirror.", {"hosts": ["name"], "http": [{"route": [NAME], "mirror": {"host": "age"}}]}),
    ("http.[].mirrorPercentage", {"hosts": ["name"], "http": [{"route": [NAME], "mirror": {"host": "age"}}]}),
    ("http.[].mirrors", {"hosts": ["name"], "http": [{"route": [NAME], "mirrors": [AGE]}]}),
    (
        "http.[].rewrite.uriRegexRewrite",
        {
            "hosts": ["name"],
            "http": [{"route": [NAME], "rewrite": {"uriRegexRewrite": {"match": "/a", "rewrite": "/b"}}}],
        },
    ),
    ("http.[].route.[].weight", {"hosts": ["name"], "http": [{"route": [{**NAME, "weight": 1}, AGE]}]}),
    (
        "http.[].match.[].ignoreUriCase",
        {"hosts": ["name"], "http": [{"route": [NAME], "match": [{"uri": {"exact": "/a"}}]}]},
    ),
    ("http", {"hosts": ["name"], "http": [{"route": [NAME]}]}),
    ("tcp.[].route.[].weight", {"hosts": ["age"], "tcp": [{"route": [{**NAME, "weight": 1}, AGE]}]}),
    ("tcp", {"hosts": ["age"], "tcp": [{"route": [NAME]}]}),
    (
        "subsets.[].trafficPolicy.portLevelSettings.[].port",
        {"host": "name", "subsets": [{**SUBSET, "trafficPolicy": OTHER_PORT}]},
    ),
    (
        "subsets.[].trafficPolicy.portLevelSettings",
        {"host": "name", "subsets": [{**SUBSET, "trafficPolicy": THIS_PORT}]},
    ),
    ("subsets", {"host": "name", "subsets": [SUBSET]}),
    ("trafficPolicy.portLevelSettings.[].port", {"host": "name", "trafficPolicy": OTHER_PORT}),
    ("trafficPolicy.portLevelSettings", {"host": "name", "trafficPolicy": THIS_PORT}),
    ("host", {"host": "name", **POLICY}),
    ("exportTo", {"host": "name", "hosts": ["name"], "http": [{"route": [AGE]}], **POLICY}),
    ("", {"host": "name", "hosts": ["name"], "http": [{"route": [AGE]}]}),
]
"""What must stand beside a field for it to mean something, by the beginning of its path; the first counts."""

SEEN_ELSEWHERE = {
    "http.[].delegate.name": "the case `delegate` of the reference: alone it leads nowhere",
    "http.[].delegate.namespace": "as its name",
    "http.[].corsPolicy.unmatchedPreflights": "the generated routes: FORWARD is what Envoy does by itself",
    "http.[].match.[].sourceLabels.{}": "the cases source-labels-hit and -miss",
    "tcp.[].match.[].sourceLabels.{}": "the cases tcp-match-source-hit and -miss of the ports",
    "trafficPolicy.tls.mode": "only DISABLE is understood, which is what there is",
    "trafficPolicy.portLevelSettings.[].tls.mode": "as that of the rule",
    "subsets.[].trafficPolicy.tls.mode": "as that of the rule",
    "subsets.[].trafficPolicy.portLevelSettings.[].tls.mode": "as that of the rule",
}
"""Fields that are understood and whose effect one of them alone does not show; and where it is tested."""


def leaves(schema: Schema, path: Path = ()) -> Iterator[tuple[Path, Schema]]:
    if schema.items:
        yield from leaves(schema.items, (*path, "[]"))
    elif schema.properties:
        for name, child in schema.properties.items():
            yield from leaves(child, (*path, name))
    elif schema.values:
        yield from leaves(schema.values, (*path, "{}"))
    else:
        yield path, schema


def samples(path: Path, schema: Schema) -> list[Any]:
    """Return values of which at least one means something other than the default."""
    if schema.enum:
        return list(schema.enum)
    if schema.rules or path[-1] in ("ttl", "idleTimeout", "budgetInterval"):
        return ["7s"]
    match schema.type:
        case "boolean":
            return [True, False]
        case "integer" | "number":
            return [5000, 301, 7, 1]
        case "object":
            return [{}]
    return ["/a", "other", "5xx", "http", "GET", "age"]


def put(base: Any, path: Path, value: Any) -> Any:
    """Return `base` with a value at a path; what is on the way there is made."""
    if not path:
        return value
    if path[0] == "[]":
        return [put(base[0] if base else None, path[1:], value), *(base or [])[1:]]
    name = "x" if path[0] == "{}" else path[0]
    return {**(base or {}), name: put((base or {}).get(name), path[1:], value)}


def base_of(path: Path) -> dict[str, Any]:
    written = ".".join(path)
    base = copy.deepcopy(next(base for beginning, base in BASES if written.startswith(beginning)))
    if "httpCookie" in path[:-1]:
        base = put(base, (*path[: path.index("httpCookie") + 1], "name"), "c")
    return base


def envoys(resource: str, spec: dict[str, Any]) -> Any:
    """Return the routes and clusters that a specification comes to; of the workloads age has a TCP port."""
    kind = {"virtualservices": "VirtualService", "destinationrules": "DestinationRule"}[resource]
    metadata = {"name": "x", "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"}
    applied = [{"kind": kind, "metadata": metadata, "spec": spec}]
    if resource == "destinationrules":
        whole = {"host": "name", "port": {"number": 5000}}
        route = [{"destination": {**whole, **subset}, "weight": 1} for subset in ({}, {"subset": "name-v1"})]
        rules = {"hosts": ["name"], "http": [{"route": route}]}
        applied.append({"kind": "VirtualService", "metadata": metadata, "spec": rules})
    ports = [
        {"name": "http", "port": 5000, "targetPort": 5000},
        {"name": "tcp-other", "port": 5001, "targetPort": 5001},
    ]
    applied.append(
        {
            "kind": "Service",
            "metadata": {**metadata, "name": "age"},
            "spec": {"selector": {"app": "age"}, "ports": ports},
        }
    )
    snapshot = snapshot_with(applied)
    proxy = Proxy("sidecar", "default", {"app": "sentences"})
    connections = [port.clusters for port in tcp_ports.of(snapshot, proxy)]
    endpoints = clusters.endpoints(snapshot, "default", Loopback())
    found = virtual_hosts.tables(snapshot, proxy), clusters.outbound(snapshot, "default"), endpoints
    return connections, found


FIELDS = [
    (resource, path, schema)
    for resource in ("virtualservices", "destinationrules")
    for path, schema in leaves(schema_for(resource).properties["spec"])
]


@pytest.mark.parametrize(
    ("resource", "path", "schema"),
    FIELDS,
    ids=[f"{resource}-{'.'.join(path)}" for resource, path, _ in FIELDS],
)
def test_a_field_has_an_effect_or_is_refused(resource: str, path: Path, schema: Schema) -> None:
    plain = base_of(path)
    outcomes = []
    for value in samples(path, schema):
        spec = put(plain, path, value)
        refused = list(not_understood(spec, _FIELDS[resource], "spec"))
        outcomes.append(refused or envoys(resource, spec) != envoys(resource, plain))
    assert any(outcomes) or ".".join(path) in SEEN_ELSEWHERE
