"""09: the canary as an HTTPRoute with a Service for each version, beside the VirtualService that does it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import mistakes, restoring, service, verdicts
from kata_lib.course.exercise import PERCENT, Exercise, InClass, Question
from kata_lib.course.mistake import Mistake, of_finding
from kata_lib.course.result import Result
from kata_lib.course.steps import CANARY, HTTP_ROUTE, V1, V2, Step
from kata_lib.course.turn import Turn, seen
from kata_lib.course.wanted import CANARY_10, same
from kata_lib.mesh import http_routes, weights
from kata_lib.mesh.analyze import lines

if TYPE_CHECKING:
    import pandas as pd

SERVICES, ROUTE = "deploy/gateway-api/services.yaml", "deploy/gateway-api/http-route.yaml"
OTHER_SHARE = 30
"""Per cent for version 2 that the HTTPRoute gets while the VirtualService still says another."""


def _not_by_http_route(cluster: Cluster) -> Iterator[Mistake]:
    """Yield why no HTTPRoute gives version 2 the canary's share."""
    yield from mistakes.workloads(cluster, verdicts.V1_AND_V2)
    for name in ("name-v1", "name-v2"):
        if restoring.differs(cluster, "Service", name, SERVICES):
            text = f"The Service {name} is not there, or is not as its file says: it selects {name}'s pods."
            yield Mistake(text, restoring.line(cluster, "Service", name, SERVICES))
    found, holder = service.in_force(cluster), weights.find(cluster, service.NAME)
    routes = [route for route in http_routes.every(cluster) if route["metadata"]["name"] == service.NAME]
    for finding in service.analysis(cluster).findings:
        if finding.code in ("KATA0601", "KATA0602", "KATA0603"):
            yield of_finding(finding, restoring.applied(ROUTE) if routes else "")
    if not http_routes.of_service(cluster, service.NAME):
        yield Mistake(f"No HTTPRoute has the Service {service.NAME} as its parent.", restoring.applied(ROUTE))
    if holder and holder.obj["kind"] != http_routes.KIND:
        text = (
            f"The {holder} is for this namespace alone (exportTo), so it counts and the HTTPRoute does not."
        )
        yield Mistake(text, lines.deleted(holder.obj))
    if not same(found.versions, CANARY_10.shares):
        shares = " ".join(f"name-{version}={share * 100:.0f}" for version, share in CANARY_10.shares.items())
        yield Mistake(f"A request gets: {found.outcome()}.", f"kata weights {shares}")


def _by_http_route(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    found = verdicts.first(cluster, _not_by_http_route(cluster), sample)
    return found or verdicts.judge(cluster, sample, CANARY_10.shares["v2"], otherwise=1 / 3)


EXERCISE = Exercise(
    Step("gateway-api", "09-gateway-api", (V1, V2, CANARY), kinds=(HTTP_ROUTE,)),
    about="the same canary in the Gateway API's words: what changes for Envoy, and which to choose",
    in_class=InClass(
        say="Two languages for one proxy. What will Envoy notice when we change from the one to the other?",
        ask="Which of your rules has no word in an HTTPRoute? (Subsets, faults, some retries.)",
        goes_wrong="Both rules stand, and the idle one is edited: `kata analyze` says which of them counts.",
    ),
    checks={"http-route": _by_http_route},
    turns={"http-route": Turn(seen(_not_by_http_route))},
    questions={
        "numbers that change in Envoy": Question(
            "",
            "Many expect a few: another language might time out or try again otherwise. But istiod makes "
            "of both what Envoy understands, and what is left of the difference is hardly more than names.",
            expected=0,
        ),
        "share of v2 where both rules stand": Question(
            PERCENT,
            "Many say 10, for that rule is the older one, or 20, between the two. But they are no two votes: "
            "where an HTTPRoute is for a Service, a VirtualService for its host is not asked.",
            expected=OTHER_SHARE,
            out_of=100,
        ),
        "requests that fail where a backend is missing": Question(
            PERCENT,
            "Some say none, since the other backend could take them. But a backend that is not there keeps "
            "its weight, so that nobody else gets more than was written: its requests get an error.",
            expected=10,
            out_of=100,
        ),
    },
)
