"""A VirtualService's HTTP routes as Envoy's, one file a field; FIELDS is all that is understood of one."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.http_route import (
    cors,
    destinations,
    direct_response,
    fault,
    headers,
    match,
    mirror,
    redirect,
    retries,
    rewrite,
    timeout,
)
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.traffic_policy.load_balancer import hash_policy

FIELDS: dict[str, Tree] = {
    "name": LEAF,
    "match": match.FIELDS,
    "delegate": {"name": LEAF, "namespace": LEAF},
    "redirect": redirect.FIELDS,
    "directResponse": direct_response.FIELDS,
    "route": destinations.FIELDS,
    "rewrite": rewrite.FIELDS,
    "timeout": LEAF,
    "retries": retries.FIELDS,
    "mirror": mirror.DESTINATION,
    "mirrorPercentage": mirror.PERCENTAGE,
    "mirrors": [{"destination": mirror.DESTINATION, "percentage": mirror.PERCENTAGE}],
    "headers": headers.FIELDS,
    "fault": fault.FIELDS,
    "corsPolicy": cors.FIELDS,
}


def routes(rules: list[Mapping[str, Any]], context: RouteContext) -> list[Envoy]:
    """Return Envoy's routes in order; what follows a route that takes every request can never be reached."""
    made: list[Envoy] = []
    for rule in rules:
        for condition in rule.get("match") or [None]:
            if condition is not None and not match.can_hold(condition, context):
                continue
            made.append(route(rule, condition, context))
            if match.takes_all(made[-1]["match"]):
                return made
    return made


def route(rule: Mapping[str, Any], condition: Mapping[str, Any] | None, context: RouteContext) -> Envoy:
    """Return one route for one rule under one of its matches (None: it has none)."""
    made: Envoy = {"match": match.envoy(condition, whole_segments=context.gateway_api)}
    if name := _name(rule, condition):
        made["name"] = name
    given = headers.envoy(rule.get("headers", {}))
    if "redirect" in rule:
        made["redirect"] = redirect.envoy(rule["redirect"], context.port, tls=context.tls)
    elif "directResponse" in rule:
        made["direct_response"] = direct_response.envoy(rule["directResponse"])
    else:
        made["route"] = _action(rule, made["match"], context)
        given = _joined(given, headers.envoy(destinations.own_headers(rule["route"])))
    made.update(given)
    if filters := dict(_filters(rule)):
        made["typed_per_filter_config"] = filters
    return made


def default_route(cluster: str, balancer: Mapping[str, Any]) -> Envoy:
    """Return the route of a Service that no VirtualService speaks for; `balancer` is its loadBalancer."""
    action: Envoy = {"cluster": cluster, "timeout": timeout.NONE, "retry_policy": retries.default()}
    if hashed := hash_policy(balancer):
        action["hash_policy"] = hashed
    return {"name": "default", "match": match.envoy(None), "route": action}


def _name(rule: Mapping[str, Any], condition: Mapping[str, Any] | None) -> str:
    name, of_match = rule.get("name", ""), (condition or {}).get("name")
    return f"{name}.{of_match}" if of_match else name


def _joined(one: Envoy, other: Envoy) -> Envoy:
    return {name: [*one.get(name, ()), *other.get(name, ())] for name in (*one, *other)}


def _action(rule: Mapping[str, Any], envoy_match: Envoy, context: RouteContext) -> Envoy:
    action = destinations.envoy(rule["route"], context)
    action["timeout"] = timeout.envoy(rule.get("timeout"))
    if context.gateway_api:
        action["cluster_not_found_response_code"] = "INTERNAL_SERVER_ERROR"
    hashed = "cluster" in action and "hash_policy" in action
    if policy := retries.envoy(rule.get("retries"), hashed=hashed):
        action["retry_policy"] = policy
    action.update(rewrite.envoy(rule.get("rewrite", {}), envoy_match, context))
    if host := _host(rule):
        action["host_rewrite_literal"] = host
    if mirrors := mirror.envoy(rule, context):
        action["request_mirror_policies"] = mirrors
    return action


def _host(rule: Mapping[str, Any]) -> str:
    """Return the host that the destination sees, as the first of the rule's fields says that changes it."""
    return (
        rule.get("rewrite", {}).get("authority")
        or headers.host(rule.get("headers", {}))
        or headers.host(destinations.own_headers(rule["route"]))
    )


def _filters(rule: Mapping[str, Any]) -> Iterator[tuple[str, Envoy]]:
    if "fault" in rule:
        yield fault.FILTER, fault.envoy(rule["fault"])
    if "corsPolicy" in rule:
        yield cors.FILTER, cors.envoy(rule["corsPolicy"])
