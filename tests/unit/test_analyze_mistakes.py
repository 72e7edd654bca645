"""kata_lib.mesh.analyze: each mistake has its code, its place, and the line that mends it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from analyzed import (
    ALL,
    PROMOTE,
    deployment,
    destination,
    door,
    gateway,
    kata,
    redeploy,
    route,
    server,
    spec,
    without_sidecar,
)

from kata_lib.cluster.client import Obj
from kata_lib.cluster.hosts import of_object
from kata_lib.engines.embedded.mesh.translate.gateway_api import conditions
from kata_lib.mesh import analyze
from kata_lib.mesh.analyze import CODES, Objects
from kata_lib.mesh.gateways import GATEWAY_API


def first_subset(found: Objects) -> Obj:
    return found.destination_rules[0]["spec"]["subsets"][0]  # type: ignore[no-any-return]


def second_service(found: Objects) -> None:
    again = copy.deepcopy(found.virtual_services[0])
    again["metadata"]["name"] = "name-again"
    found.virtual_services.append(again)


def rules(*matches: list[Obj] | None) -> Callable[[Objects], None]:
    def change(found: Objects) -> None:
        first = spec(found)["http"][0]
        spec(found)["http"] = [first | ({"match": m} if m else {}) for m in matches]

    return change


def two_doors(one: Obj, two: Obj) -> Callable[[Objects], None]:
    def change(found: Objects) -> None:
        door(found, one, name="one")
        door(found, two, name="two")

    return change


def lost_route(found: Objects) -> None:
    """Give the namespace an HTTPRoute whose parent and backend are not there, with its status."""
    metadata = {"name": "lost", "namespace": "default", "generation": 1}
    parent = {"group": "", "kind": "Service", "name": "nam"}
    lost = {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": "name-v3", "port": 5000}]}]}
    route = {"apiVersion": GATEWAY_API, "kind": "HTTPRoute", "metadata": metadata, "spec": lost}
    hosts = {of_object(service) for service in found.services}
    route["status"] = {"parents": conditions.statuses(route, hosts, "2026-01-01T12:00:00Z")}
    found.http_routes.append(route)


def other_namespace(found: Objects) -> None:
    found.virtual_services[0]["metadata"]["namespace"] = "other"


def opt_out(found: Objects) -> None:
    template = deployment(found, "sentences")["spec"]["template"]["metadata"]
    redeploy(found, "sentences", lambda d: template["labels"].update({"sidecar.istio.io/inject": "false"}))
    without_sidecar(found, "sentences")


def not_ready(found: Objects) -> None:
    for pod in found.pods:
        if pod["metadata"]["name"].startswith("name-v2"):
            pod["status"]["conditions"][0]["status"] = "False"


def second_port(found: Objects) -> None:
    service = found.service("name")
    assert service is not None
    service["spec"]["ports"].append({"name": "http-2", "port": 5001})


def without_version(found: Objects) -> None:
    def change(deployment: Obj) -> None:
        deployment["spec"]["selector"]["matchLabels"].pop("version")
        deployment["spec"]["template"]["metadata"]["labels"].pop("version")

    redeploy(found, "name-v2", change)


def scaled_instead(found: Objects) -> None:
    found.virtual_services.clear()
    redeploy(found, "name-v2", lambda d: d["spec"].update(replicas=4))


MISTAKES: list[tuple[str, Callable[[Objects], object], str, str, str]] = [
    (
        "IST0101",
        lambda f: route(f, ("name-v1", 90), ("name-v3", 10)),
        'VirtualService default/name: Referenced host+subset in destinationrule not found: "name+name-v3"',
        "spec.http[0].route[1].destination: the DestinationRule has name-v1, name-v2; ",
        '[{"op":"replace","path":"/spec/http/0/route/1/destination/subset","value":"nam',
    ),
    (
        "IST0101",
        lambda f: f.destination_rules.clear(),
        'VirtualService default/name: Referenced host+subset in destinationrule not found: "name+name-v1"',
        "spec.http[0].route[0].destination: no DestinationRule defines it; ",
        '[{"name":"name-v1","labels":{"version":"v1"}},{"name":"name-v2","labels":{"ver',
    ),
    (
        "IST0101",
        destination({"host": "nmae"}),
        'VirtualService default/name: Referenced host not found: "nmae"',
        "spec.http[0].route[1].destination",
        '[{"op":"replace","path":"/spec/http/0/route/1/destination/host","value":"name"',
    ),
    (
        "IST0101",
        destination({"host": "name.default"}),
        'VirtualService default/name: Referenced host not found: "name.default"',
        "spec.http[0].route[1].destination",
        '[{"op":"replace","path":"/spec/http/0/route/1/destination/host","value":"name"',
    ),
    (
        "IST0101",
        destination({"port": {"number": 80}}),
        'VirtualService default/name: Referenced host:port not found: "name:80"',
        "spec.http[0].route[1].destination",
        '[{"op":"add","path":"/spec/http/0/route/1/destination/port","value":{"number":',
    ),
    (
        "IST0101",
        lambda f: spec(f)["http"][0].update(mirror={"host": "nobody"}),
        'VirtualService default/name: Referenced mirror host not found: "nobody"',
        "spec.http[0].mirror: no copies",
        '[{"op":"replace","path":"/spec/http/0/mirror/host","value":"name"}]\'',
    ),
    (
        "IST0102",
        lambda f: f.namespace["metadata"]["labels"].clear(),
        "Namespace default: The namespace is not enabled for Istio injection. Run 'kubectl label namespace "
        "default istio-injection=enabled' to enable it, or",
        "metadata.labels",
        "kubectl label namespace default istio-injection=enabled --overwrite && kubectl rollout restart",
    ),
    (
        "IST0103",
        lambda f: without_sidecar(f, "name-v2"),
        "Pod default/name-v2-0: The pod default/name-v2-0 is missing the Istio proxy. This can often be "
        "resolved by restarting or redeploying the workload.",
        "READY 1/1",
        "kubectl rollout restart deployment name-v2",
    ),
    (
        "IST0109",
        second_service,
        "VirtualService default/name: The VirtualServices default/name,default/name-again associated with "
        "mesh gateway define the same host */name.default.svc.cluster.local which can lead to undefined "
        "behavior.",
        "spec.hosts; the oldest counts: name",
        "kubectl delete virtualservice name -n default",
    ),
    (
        "IST0112",
        second_port,
        'VirtualService default/name: This VirtualService routes to a service "name" that exposes multiple '
        "ports [5000 5001]. Specifying a port",
        "spec.http[0].route[0].destination",
        '[{"op":"add","path":"/spec/http/0/route/0/destination/port","value":{"number":',
    ),
    (
        "IST0118",
        lambda f: f.services[1]["spec"]["ports"][0].update(name="web"),
        "Service default/name: Port name web (port: 5000, targetPort: 5000) doesn't follow the naming "
        "convention of Istio port.",
        "spec.ports[0].name",
        '[{"op":"add","path":"/spec/ports/0/name","value":"http-web"}]\'',
    ),
    (
        "KATA0105",
        lambda f: f.services[1]["spec"]["ports"][0].update(name="tcp-name"),
        "VirtualService default/name: spec.http is about HTTP requests, and port 5000 of name is tcp to "
        "Istio (name: tcp-name)",
        "spec.http; Service name, spec.ports[0].name: tcp-name",
        "kubectl patch service name -n default --type=json -p '[{",
    ),
    (
        "IST0130",
        rules(None, None),
        "VirtualService default/name: VirtualService rule #1 not used (only the last rule can have no "
        "matches).",
        "spec.http[1]",
        '[{"op":"remove","path":"/spec/http/1"}]\'',
    ),
    (
        "IST0130",
        rules(None, [{"uri": {"prefix": "/x"}}]),
        "VirtualService default/name: VirtualService rule #1 not used (route without matches defined "
        "before).",
        "spec.http[1]",
        '[{"op":"remove","path":"/spec/http/1"}]\'',
    ),
    (
        "IST0130",
        rules([{"uri": {"prefix": "/x"}}], [{"name": "y", "uri": {"prefix": "/x"}}]),
        "VirtualService default/name: VirtualService rule #1 not used (all matches used by prior rules).",
        "spec.http[1]",
        '[{"op":"remove","path":"/spec/http/1"}]\'',
    ),
    (
        "IST0131",
        rules([{"uri": {"prefix": "/x"}}], [{"uri": {"prefix": "/y"}}, {"uri": {"prefix": "/x"}}]),
        "VirtualService default/name: VirtualService rule #1 match #1 is not used (duplicate/overlapping "
        "match in rule #0).",
        "spec.http[1].match[1]",
        '[{"op":"remove","path":"/spec/http/1/match/1"}]\'',
    ),
    (
        "IST0101",
        lambda f: spec(f).update(gateways=["mesh", "front"]),
        'VirtualService default/name: Referenced gateway not found: "front"',
        "spec.gateways[1]: no requests come in by it",
        '[{"op":"remove","path":"/spec/gateways/1"}]\'',
    ),
    (
        "IST0132",
        lambda f: gateway(f, "shop.example.com", "other/*"),
        "VirtualService default/name: one or more host [name] defined in VirtualService default/name not "
        "found in Gateway default/front.",
        "spec.gateways[1]: the gateway is open to shop.example.com",
        '[{"op":"add","path":"/spec/hosts/-","value":"shop.example.com"}]\'',
    ),
    (
        "IST0173",
        lambda f: first_subset(f).update(labels={"version": "v9"}),
        "DestinationRule default/name: The Subset name-v1 defined in the DestinationRule does not select any "
        "pods. Which may lead to 503 UH (NoHealthyUpstream).",
        "spec.subsets[0].labels: version=v9",
        '[{"op":"replace","path":"/spec/subsets/0/labels","value":{"version":"v1"}}]\'',
    ),
    (
        "IST0173",
        lambda f: redeploy(f, "name-v2", lambda d: d["spec"].update(replicas=0)),
        "DestinationRule default/name: The Subset name-v2 defined",
        "spec.subsets[1].labels: version=v2",
        "kubectl scale deployment name-v2 --replicas=1",
    ),
    (
        "IST0173",
        without_version,
        "DestinationRule default/name: The Subset name-v2 defined",
        "spec.subsets[1].labels: version=v2",
        '{"spec":{"template":{"metadata":{"labels":{"version":"v2"}}}}}\'',
    ),
    (
        "IST0174",
        lambda f: f.destination_rules[0]["spec"].update(host="names"),
        "DestinationRule default/name: The host names defined in the DestinationRule does not match any "
        "services in the mesh.",
        "spec.host",
        '[{"op":"replace","path":"/spec/host","value":"name"}]\'',
    ),
    (
        "KATA0101",
        lambda f: without_sidecar(f, created="2026-01-01T11:59:59Z"),
        "Namespace default: 5 pods are older than the namespace's label istio-injection=enabled",
        "labelled at 2026-01-01T12:00:00Z; created before: age-0, ",
        "kubectl rollout restart deployment age name-v1 name-v2 sentences",
    ),
    (
        "KATA0102",
        lambda f: without_sidecar(f, "sentences"),
        "Deployment default/sentences: The pods of sentences send requests and have no sidecar",
        "pods without istio-proxy: sentences-0",
        "kubectl rollout restart deployment sentences",
    ),
    (
        "KATA0102",
        opt_out,
        "Deployment default/sentences: The pods of sentences send requests and have no sidecar",
        "sentences-0",
        'kubectl patch deployment sentences -p \'{"spec":{"template":{"metadata":{"labels":'
        '{"sidecar.istio.io/inject":"true"}}}}}\'',
    ),
    (
        "KATA0103",
        lambda f: f.services[0]["spec"]["selector"].update(app="ages"),
        "Service default/age: The Service age selects no pod",
        "spec.selector: app=ages",
        '[{"op":"replace","path":"/spec/selector","value":{"app":"age"}}]\'',
    ),
    (
        "KATA0201",
        lambda f: spec(f).update(hosts=["names"]),
        "VirtualService default/name: The VirtualService name is for names, and there is no such Service: "
        "requests to name are still spread evenly over its pods.",
        "spec.hosts[0]",
        '[{"op":"replace","path":"/spec/hosts/0","value":"name"}]\'',
    ),
    (
        "KATA0202",
        lambda f: spec(f).update(hosts=["age"]),
        "VirtualService default/name: The VirtualService name sends the requests for age to name",
        "spec.hosts[0]",
        '[{"op":"replace","path":"/spec/hosts/0","value":"name"}]\'',
    ),
    (
        "KATA0203",
        other_namespace,
        "VirtualService other/name: The VirtualService name in namespace other is for "
        "name.other.svc.cluster.local, which is not there; the Service name is in default.",
        "metadata.namespace: other",
        '[{"route":[{"destination":{"host":"name","subset":"name-v1"},"weight":90},{"de',
    ),
    (
        "KATA0204",
        lambda f: spec(f).update(gateways=["front"]),
        "VirtualService default/name: The VirtualService name is for gateways alone",
        "spec.gateways: front",
        '[{"op":"add","path":"/spec/gateways/-","value":"mesh"}]\'',
    ),
    (
        "KATA0301",
        lambda f: redeploy(f, "name-v1", lambda d: d["spec"].update(replicas=0)),
        "DestinationRule default/name: The subset name-v1 selects no pod of name, though one of another "
        "service",
        "spec.subsets[0].labels: version=v1",
        "kubectl scale deployment name-v1 --replicas=1",
    ),
    (
        "KATA0302",
        not_ready,
        "DestinationRule default/name: The subset name-v2 has no ready pod",
        "spec.subsets[1].labels: version=v2; not ready: name-v2-0",
        "",
    ),
    (
        "KATA0303",
        lambda f: route(f, ("name-v1", 100)),
        "DestinationRule default/name: Nothing sends requests to the subset name-v2: no route of the "
        "VirtualService names it.",
        "spec.subsets[1].name",
        '[{"op":"remove","path":"/spec/subsets/1"}]\'',
    ),
    (
        "KATA0303",
        lambda f: f.virtual_services.clear(),
        "DestinationRule default/name: Nothing sends requests to the subset name-v1: no VirtualService "
        "routes name by subsets.",
        "spec.subsets[0].name",
        '[{"op":"remove","path":"/spec/subsets/0"}]\'',
    ),
    (
        "KATA0304",
        without_version,
        "Deployment default/name-v2: The template of name-v2 has no label version, so its pods are in no "
        "subset",
        "spec.template.metadata.labels: app=name",
        '{"spec":{"template":{"metadata":{"labels":{"version":"v2"}}}}}\'',
    ),
    (
        "IST0101",
        lambda f: door(f, server(80, "shop.example"), selector="gatewey"),
        'Gateway default/door: Referenced selector not found: "istio=gatewey"',
        "spec.selector: no proxy has its servers",
        '"path":"/spec/selector","value":{"istio":"gateway"}',
    ),
    (
        "IST0101",
        lambda f: door(f, server(80, "shop.example"), server(8443, "shop.example", "shop")),
        'Gateway default/door: Referenced credentialName not found: "shop"',
        "spec.servers[1].tls.credentialName: no connection to port 8443 is taken",
        "",
    ),
    (
        "IST0162",
        lambda f: door(f, server(8080, "shop.example"), server(8081, "shop.example")),
        "Gateway default/door: The gateway is listening on a target port (port 8081) that is not defined",
        "spec.servers[1].port",
        '"path":"/spec/ports/-","value":{"name":"http-8081","port":8081}',
    ),
    (
        "IST0145",
        two_doors(server(80, "shop.example"), server(80, "shop.example")),
        "Gateway default/one: Conflict with gateways default/two (workload selector istio=gateway, port 80",
        "spec.servers[0].hosts",
        "",
    ),
    (
        "IST0138",
        two_doors(server(443, "one.example", "both"), server(443, "two.example", "both")),
        "Gateway default/one: Duplicate certificate in multiple gateways [default/one default/two]",
        "tls.credentialName: both",
        "",
    ),
    (
        "IST0171",
        lost_route,
        "HTTPRoute default/lost: A condition with a negative status is present: type=Accepted, "
        'reason=NoMatchingParent, message=parent service: "nam" not found.',
        "status.parents[0].conditions",
        "",
    ),
    (
        "KATA0401",
        lambda f: route(f, ("name-v1", 80), ("name-v2", 10)),
        "VirtualService default/name: The weights total 90, not 100. Istio divides each by the total: the "
        "true shares are name-v1 88.9 %, name-v2 11.1 %.",
        "spec.http[0].route: weight 80, weight 10",
        "kata weights name-v1=90 name-v2=10",
    ),
    (
        "KATA0402",
        lambda f: route(f, ("name-v1", 67), ("name-v2", 33)),
        "VirtualService default/name: The weights are those of the pods (name-v1 66.7 %, name-v2 33.3 %)",
        "spec.http[0].route: weight 67, weight 33; 3 pods",
        "kata weights name-v1=90 name-v2=10",
    ),
    (
        "KATA0403",
        scaled_instead,
        "Deployment default/name-v2: name-v2 was scaled from 1 to 4, which gives it 66.7 % of the requests",
        "spec.replicas: 4; last applied: 1; no VirtualService routes name.default.svc.cluster.local",
        "kubectl scale deployment name-v2 --replicas=1",
    ),
    (
        "KATA0404",
        lambda f: redeploy(f, "name-v2", lambda d: d["spec"].update(replicas=4)),
        "Deployment default/name-v2: name-v2 was scaled from 1 to 4; the shares of name stay those of the "
        "VirtualService name",
        "spec.replicas: 4; last applied: 1",
        "kubectl scale deployment name-v2 --replicas=1",
    ),
]


@pytest.mark.parametrize(
    "paths", [(), ("deploy/v1",), ("deploy/v1", "deploy/v2"), ALL, ("deploy/v1", "deploy/v2", PROMOTE)]
)
def test_what_the_kata_applies_has_no_mistake(paths: tuple[str, ...]) -> None:
    assert analyze.findings(kata(*paths)) == []


def labels_of(mistakes: list[tuple[str, Callable[[Objects], object], str, str, str]]) -> list[str]:
    """Return a label for each mistake: its code, and what is said of it, with a number the second time."""
    labels = [" | ".join((code, message, seen)) for code, _, message, seen, _ in mistakes]
    again = [labels[:number].count(label) for number, label in enumerate(labels)]
    return [f"{label} ({count + 1})" if count else label for label, count in zip(labels, again, strict=True)]


RECORDED = json.loads((Path(__file__).parents[1] / "reference" / "istioctl-analyze.json").read_text())
"""What istioctl said of each mistake on a real API server, by record_istioctl.py."""


@pytest.mark.parametrize(
    ("label", "mistake"), list(zip(labels_of(MISTAKES), [m[1] for m in MISTAKES], strict=True))
)
def test_istioctl_says_the_same_of_it(label: str, mistake: Callable[[Objects], object]) -> None:
    found = kata(*ALL)
    mistake(found)
    ours = [
        [f.code, f.severity, f.object, f.message] for f in analyze.findings(found) if f.code.startswith("IST")
    ]
    assert sorted(ours) == RECORDED[label]


@pytest.mark.parametrize("hosts", [["*"], ["*/name"], ["./name"], ["default/*"], ["na", "*me"]])
def test_a_gateway_that_is_open_to_the_host_is_no_mistake(hosts: list[str]) -> None:
    found = kata(*ALL)
    gateway(found, *hosts)
    assert {f.code for f in analyze.findings(found)} == {"IST0162"}  # no Service leads to it


@pytest.mark.parametrize(("code", "mistake", "message", "seen", "mend"), MISTAKES)
def test_a_mistake_is_found(
    code: str, mistake: Callable[[Objects], object], message: str, seen: str, mend: str
) -> None:
    found = kata(*ALL)
    mistake(found)
    said = [f for f in analyze.findings(found) if f.code == code]
    assert said
    assert f"{said[0].object}: {said[0].message}".startswith(message)
    assert said[0].severity == CODES[code][1]
    assert seen in said[0].seen
    lines = [said[0].mend, *(choice.line for choice in said[0].choices)]
    assert any(mend in line for line in lines) if mend else not any(lines)


OF_HTTP_ROUTES = {code for code in CODES if code.startswith("KATA06")}
"""In test_analyze_http_routes.py."""

OF_WHAT_IS_IN_FORCE = {code for code in CODES if code.startswith("KATA05")} | {
    "KATA0104",
    "KATA0305",
    "KATA0405",
    "KATA0406",
}
"""In test_analyze_outages.py."""


def test_every_code_has_a_mistake() -> None:
    assert {code for code, *_ in MISTAKES} == set(CODES) - OF_WHAT_IS_IN_FORCE - OF_HTTP_ROUTES


ALONE = {"IST0102", "IST0118", "IST0131", "KATA0201", "KATA0202", "KATA0401", "KATA0402", "KATA0404"}
"""Codes of mistakes that have no other consequences."""


@pytest.mark.parametrize(("code", "mistake"), [m[:2] for m in MISTAKES if m[0] in ALONE])
def test_one_mistake_is_one_finding(code: str, mistake: Callable[[Objects], object]) -> None:
    found = kata(*ALL)
    mistake(found)
    assert [f.code for f in analyze.findings(found)] == [code]
