"""Whatever admission lets through is in force in a real Envoy, which rejects fields it does not know."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from random_sets import examples

from embedded.mesh_harness import LIMIT, Mesh, in_force, running_mesh, service
from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.engines.embedded.registry.schemas import schema_for
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.registry.table import RESOURCES
from kata_lib.engines.embedded.registry.validation import validate

Obj = dict[str, Any]
Drawn = st.SearchStrategy[Any]
NODE = "sidecar~sentences~sentences.default"


def some(**fields: Drawn) -> Drawn:
    """Draw any of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def one(**fields: Drawn) -> Drawn:
    """Draw exactly one of the fields."""
    return st.one_of([st.fixed_dictionaries({name: drawn}) for name, drawn in fields.items()])


def lists(drawn: Drawn, least: int = 1) -> Drawn:
    return st.lists(drawn, min_size=least, max_size=2)


words = st.sampled_from(["a", "x-user", "Some-Thing", "b1"])
values = st.sampled_from(["", "a b", "50%%", "%PROTOCOL%", 'quote"', "é"])
expressions = st.sampled_from([".*", "a+", "[a-z]{1,3}", r"v\d+", "(a|b)?$"])
lengths = st.sampled_from(["1ms", "250ms", "1.5s", "1m30s", "1h"])
percents = st.sampled_from([0, 0.0001, 0.5, 33.3, 100]).map(lambda value: {"value": value})
numbers = st.integers(1, 65535)
statuses = st.sampled_from([200, 204, 404, 503, 599])
strings = one(exact=words, prefix=words, regex=expressions)
paths = one(exact=st.just("/a"), prefix=st.sampled_from(["/", "/a/"]), regex=expressions)
destinations = st.fixed_dictionaries(
    {"host": st.sampled_from(["name", "name.default.svc.cluster.local", "nobody"])},
    optional={
        "subset": st.sampled_from(["name-v1", "name-v2", "absent"]),
        "port": numbers.map(lambda number: {"number": number}),
    },
)
operations = some(
    set=st.dictionaries(words, values, max_size=2),
    add=st.dictionaries(words, values, max_size=2),
    remove=lists(words),
)
headers = some(request=operations, response=operations)
known_beforehand = {
    "port": st.sampled_from([80, 5000]),
    "sourceLabels": st.just({"app": "sentences"}),
    "sourceNamespace": st.just("default"),
    "gateways": st.just(["mesh"]),
}
matches = some(
    name=words,
    uri=paths,
    ignoreUriCase=st.booleans(),
    scheme=strings,
    method=strings,
    authority=strings,
    headers=st.dictionaries(words, strings | st.just({}), max_size=2),
    withoutHeaders=st.dictionaries(words, strings | st.just({}), max_size=2),
    queryParams=st.dictionaries(words, strings, max_size=2),
    **known_beforehand,
)
retries = st.fixed_dictionaries(
    {"attempts": st.integers(1, 5)},
    optional={
        "perTryTimeout": lengths,
        "retryOn": st.sampled_from(["5xx", "gateway-error,connect-failure", "503", "reset,429"]),
        "backoff": lengths,
        "retryIgnorePreviousHosts": st.booleans(),
    },
)
delays = st.fixed_dictionaries({"fixedDelay": lengths}, optional={"percentage": percents})
aborts = st.fixed_dictionaries({"httpStatus": statuses}, optional={"percentage": percents})
mirrors = lists(st.fixed_dictionaries({"destination": destinations}, optional={"percentage": percents}))
regex_rewrites = st.fixed_dictionaries({"match": expressions, "rewrite": st.sampled_from(["/", "/b", r"\0"])})
shared = {
    "match": lists(matches),
    "headers": headers,
    "corsPolicy": some(
        allowOrigins=lists(strings),
        allowMethods=lists(st.sampled_from(["GET", "PUT"])),
        allowHeaders=lists(words),
        exposeHeaders=lists(words),
        maxAge=st.sampled_from(["1s", "24h"]),
        allowCredentials=st.booleans(),
        unmatchedPreflights=st.sampled_from(["FORWARD", "IGNORE", "UNSPECIFIED"]),
    ),
}
routes = st.fixed_dictionaries(
    {
        "route": lists(
            st.fixed_dictionaries(
                {"destination": destinations, "weight": st.integers(1, 1000)}, optional={"headers": headers}
            )
        )
    },
    optional={
        **shared,
        "timeout": lengths,
        "retries": retries | st.just({"attempts": 0}),
        "fault": some(delay=delays, abort=aborts).filter(bool),
        "mirrors": mirrors,
        "rewrite": one(uri=st.sampled_from(["/", "/b"]), uriRegexRewrite=regex_rewrites, authority=words),
    },
)
redirects = st.fixed_dictionaries(
    {
        "redirect": some(
            uri=st.just("/new"),
            authority=words,
            scheme=st.sampled_from(["http", "https"]),
            port=numbers,
            redirectCode=st.sampled_from([301, 302, 303, 307, 308]),
        ).filter(lambda redirect: redirect.keys() - {"redirectCode"})
    },
    optional=shared,
)
answers = st.fixed_dictionaries(
    {
        "directResponse": st.fixed_dictionaries(
            {"status": statuses},
            optional={"body": one(string=st.sampled_from(["", "x" * 9000]), bytes=st.just("YQ=="))},
        )
    },
    optional=shared,
)
hashes = one(
    httpHeaderName=words,
    httpQueryParameterName=words,
    useSourceIp=st.booleans(),
    httpCookie=st.fixed_dictionaries({"name": words}, optional={"path": st.just("/"), "ttl": lengths}),
)
rings = some(ringHash=some(minimumRingSize=st.integers(1, 4096))) | some(
    maglev=st.fixed_dictionaries({"tableSize": st.sampled_from([101, 65537])})
)
policies = some(
    connectionPool=some(
        tcp=some(maxConnections=numbers, connectTimeout=lengths),
        http=some(
            http1MaxPendingRequests=numbers,
            http2MaxRequests=numbers,
            maxRequestsPerConnection=numbers,
            maxRetries=numbers,
            idleTimeout=lengths,
        ),
    ).filter(bool),
    loadBalancer=one(
        simple=st.sampled_from(["UNSPECIFIED", "LEAST_CONN", "LEAST_REQUEST", "RANDOM", "ROUND_ROBIN"]),
        consistentHash=st.builds(lambda by, ring: {**by, **ring}, hashes, rings),
    ),
    outlierDetection=some(
        consecutive5xxErrors=st.integers(0, 10),
        consecutiveGatewayErrors=st.integers(0, 10),
        interval=lengths,
        baseEjectionTime=lengths,
        maxEjectionPercent=st.integers(0, 100),
        minHealthPercent=st.integers(0, 100),
    ),
    tls=st.just({"mode": "DISABLE"}),
)
rules = lists(routes | redirects | answers)
connections = lists(
    st.fixed_dictionaries(
        {
            "route": lists(
                st.fixed_dictionaries({"destination": destinations, "weight": st.integers(1, 1000)})
            )
        },
        optional={"match": lists(some(**known_beforehand))},
    ),
    least=0,
)
declared = one(
    name=st.sampled_from(["http", "http2", "tcp-name", "https", "web", "grpc-web"]),
    appProtocol=st.sampled_from(["tcp", "http", "kubernetes.io/h2c", "example.com/own"]),
)


def virtual_service(http: list[Obj], tcp: list[Obj] | None = None) -> Obj:
    return _istio("VirtualService", {"hosts": ["name"], "http": http, "tcp": tcp or []})


def destination_rule(policy: Obj, of_subset: Obj, of_port: Obj) -> Obj:
    at_port = {"portLevelSettings": [{**of_port, "port": {"number": 5000}}]} if of_port else {}
    subsets = [
        {"name": "name-v1", "labels": {"version": "v1"}, **_policy({**of_subset, **at_port})},
        {"name": "name-v2", "labels": {"version": "v2"}},
    ]
    return _istio("DestinationRule", {"host": "name", **_policy(policy), "subsets": subsets})


def _policy(fields: Obj) -> Obj:
    """Return a trafficPolicy, or none: one without a field is no policy."""
    return {"trafficPolicy": fields} if fields else {}


def _istio(kind: str, spec: Obj) -> Obj:
    metadata = {"name": "name", "namespace": "default"}
    return {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def admit(resource: str, obj: Obj) -> None:
    """Judge as the API server does: the schema first, then the mesh."""
    assert [cause.message for cause in validate(RESOURCES[resource], schema_for(resource), obj)] == []
    refuse(resource, obj, "CREATE")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def mesh() -> AsyncIterator[Mesh]:
    async with running_mesh() as running:
        await running.sidecar()
        yield running


@pytest.mark.asyncio(loop_scope="module")
@examples(150)
@given(port=declared, http=rules, tcp=connections, policy=policies, of_subset=policies, of_port=policies)
async def test_what_is_admitted_is_in_force(
    mesh: Mesh,
    port: dict[str, str],
    http: list[Obj],
    tcp: list[Obj],
    policy: Obj,
    of_subset: Obj,
    of_port: Obj,
) -> None:
    mesh.registry.put("services", service("name", mesh.cluster_ip, port))
    applied = {
        "virtualservices": virtual_service(http, tcp),
        "destinationrules": destination_rule(policy, of_subset, of_port),
    }
    for resource, obj in applied.items():
        admit(resource, obj)
        mesh.registry.put(resource, obj)
    await mesh.pilot.settled(LIMIT)
    session = mesh.discovery._sessions[NODE]
    versions = await in_force(mesh)
    assert versions["route"] == session._version(("routes", ("http_proxy",)))
    assert versions["Clusters"] == session._version(("clusters", ()))
    assert versions["Listeners"] == session._version(("listeners", ()))


FLAWS: list[tuple[Obj, str]] = [
    ({"redirect": {"uri": "/"}}, "both route and redirect"),
    ({"directResponse": {"status": 200}}, "both route and direct_response"),
    ({"delegate": {"name": "inner"}}, "must not specify route"),
    ({"mirror": {"host": "name"}, "mirrors": [{"destination": {"host": "name"}}]}, "both mirror and mirrors"),
    ({"rewrite": {}}, "rewrite must specify at least one"),
    ({"rewrite": {"uri": "/", "uriRegexRewrite": {"match": "a", "rewrite": "b"}}}, "only contain one of URI"),
    ({"rewrite": {"uriRegexRewrite": {"match": "(a", "rewrite": "b"}}}, "UriRegexRewrite.Match"),
    ({"fault": {}}, "must have an abort and/or a delay"),
    ({"fault": {"abort": {"percentage": {"value": 1}}}}, "fault.abort without httpStatus"),
    ({"fault": {"delay": {"percentage": {"value": 1}}}}, "fault.delay without fixedDelay"),
    ({"fault": {"abort": {"httpStatus": 99}}}, "HTTP status 99"),
    ({"retries": {"attempts": -1}}, "attempts cannot be negative"),
    ({"retries": {"attempts": 0, "retryOn": "5xx"}}, "attempts are set to 0"),
    ({"match": [{"uri": {"regex": "/(?=a)"}}]}, r"unsupported Perl syntax: `\(\?=`"),
    ({"match": [{"headers": {"x": {"regex": r"(a)\1"}}}]}, r"\"headers\".*invalid escape sequence"),
    ({"headers": {"request": {"set": {"x": "50%"}}}}, "invalid header configuration"),
    ({"headers": {"response": {"remove": [":status"]}}}, 'invalid header ":status"'),
    ({"mirrorPercent": 5}, r"spec\.http\[0\]\.mirrorPercent"),
    ({"route": [{"destination": {"host": "name"}, "weight": -1}]}, "weight -1 < 0"),
]


@pytest.mark.parametrize(("flaw", "named"), FLAWS, ids=[named for _, named in FLAWS])
@examples(3)
@given(sound=routes)
def test_one_flaw_is_refused_by_name(sound: Obj, flaw: Obj, named: str) -> None:
    with pytest.raises(StatusError, match=named):
        refuse("virtualservices", virtual_service([{**sound, **flaw}]), "CREATE")
