"""Callers outside on one engine, by a gateway of either API: what holds on one holds on each.

What differs is whether a Service of type LoadBalancer is given an address: the embedded engine gives one,
kind, which has no load balancer, none.
"""

import os
import signal
import ssl
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import by_tls
import pytest
import trustme
from labs import lab_on
from share_cases import REQUESTS, agrees

from kata_lib.cluster import pods, waiting
from kata_lib.course import application, service
from kata_lib.lab.lab import Lab
from kata_lib.machine import PROJECT
from kata_lib.mesh import in_force
from kata_lib.mesh.gateways import GATEWAY_API

CLUSTER = "gateways"
LIMIT = 60.0
KATA = (sys.executable, "-m", "kata_lib.cli")


@pytest.fixture(scope="module")
def kata(engine_environment: dict[str, str]) -> Iterator[Lab]:
    """Yield a lab as 08 begins: a canary for callers inside, and a gateway that leads to all of name."""
    with lab_on(engine_environment, CLUSTER) as made:
        made.begin("gateway", reset=True)
        yield made


def until(holds: Callable[[], bool]) -> None:
    assert waiting.holds(holds, LIMIT, 0.1), "it did not come to hold"


def seen_through(kata: Lab, gateway: str, asked: str = "") -> Counter[Any]:
    return Counter(kata.sample(requests=REQUESTS, concurrency=4, through=gateway, service=asked)["version"])


def test_the_command_says_where_a_gateway_answers_as_the_lab_does(kata: Lab) -> None:
    said = subprocess.run([*KATA, "url", "gateway"], capture_output=True, text=True, timeout=LIMIT)
    assert (said.stdout.strip(), said.stderr) == (kata.url(through="gateway"), "")


def test_callers_outside_go_where_the_gateways_own_envoy_says(kata: Lab) -> None:
    outcome = service.in_force(kata.cluster, "gateway").outcome()
    assert outcome.versions == pytest.approx({"v1": 2 / 3, "v2": 1 / 3})
    assert agrees(seen_through(kata, "gateway", "name"), outcome)


def test_the_loop_asks_through_the_gateway(kata: Lab) -> None:
    loop = subprocess.Popen(
        [PROJECT / "scripts" / "loop-query.sh", "-s", "0", "-t", "gateway"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert loop.stdout
    answers = [loop.stdout.readline().strip() for _ in range(5)]
    os.killpg(loop.pid, signal.SIGINT)
    last = loop.communicate(timeout=LIMIT)[0].splitlines()[-1]
    assert {application.version_of(answer) for answer in answers} <= {"v1", "v2"}
    assert last.endswith(" requests, 0 failed")


def test_a_gateways_pod_may_go_and_its_url_stays(kata: Lab) -> None:
    url = kata.url(through="gateway")
    (old,) = kata.cluster.pods("istio=gateway")
    kata.cluster.remove("v1", "Pod", old["metadata"]["name"])
    until(lambda: [p for p in kata.cluster.pods("istio=gateway") if pods.is_ready(p)] != [])
    until(lambda: kata.url(through="gateway") == url)
    until(lambda: not application.sample(url, requests=5)["error"].any())


@pytest.fixture(scope="module")
def certificates(kata: Lab, tmp_path_factory: pytest.TempPathFactory) -> trustme.CA:
    """Make Secrets `shop` and `kata`, each with the certificate of a host of its name; return who signed."""
    authority, cluster = trustme.CA(), kata.cluster
    for name in ("shop", "kata"):
        folder = tmp_path_factory.mktemp(name)
        by_tls.secret(cluster.kubeconfig, folder, cluster.namespace, name, f"{name}.example", authority)
    by_tls.let_read_secrets(cluster.kubeconfig, cluster.namespace)
    return authority


HTTPS = {
    "spec": {
        "servers": [
            {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]},
            {
                "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
                "hosts": ["kata.example"],
                "tls": {"mode": "SIMPLE", "credentialName": "kata"},
            },
        ]
    }
}


def test_istios_gateway_by_https(kata: Lab, certificates: trustme.CA) -> None:
    kata.cluster.patch("networking.istio.io/v1", "Gateway", "gateway", HTTPS)
    url = kata.url(through="gateway", port="https")
    until(lambda: by_tls.asks(url, "kata.example", certificates))
    assert application.version_of(by_tls.ask(url, "kata.example", certificates)) in ("v1", "v2")
    with pytest.raises((ssl.SSLError, ConnectionError)):  # no certificate is for it
        by_tls.ask(url, "other.example", certificates)


API = """
apiVersion: v1
kind: Service
metadata: {name: name-v1}
spec: {selector: {app: name, version: v1}, ports: [{port: 5000}]}
---
apiVersion: v1
kind: Service
metadata: {name: name-v2}
spec: {selector: {app: name, version: v2}, ports: [{port: 5000}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: door}
spec:
  gatewayClassName: istio
  listeners:
  - {name: http, port: 8080, protocol: HTTP}
  - name: shop
    hostname: shop.example
    port: 8443
    protocol: HTTPS
    tls: {certificateRefs: [{name: shop}]}
  - name: kata
    hostname: kata.example
    port: 8443
    protocol: HTTPS
    tls: {certificateRefs: [{name: kata}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: outside}
spec:
  parentRefs: [{name: door, sectionName: http}, {name: door, sectionName: kata}]
  rules:
  - backendRefs:
    - {name: name-v1, port: 5000, weight: 90}
    - {name: name-v2, port: 5000, weight: 10}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: door, sectionName: shop}]
  rules: [{backendRefs: [{name: name-v2, port: 5000}]}]
"""


def status(kata: Lab, kind: str, name: str) -> dict[str, Any]:
    found = kata.cluster.get(GATEWAY_API, kind, name) or {}
    return dict(found.get("status", {}))


def condition(of: dict[str, Any], name: str) -> tuple[str, str]:
    """Return status and reason of one of an object's conditions, ("", "") where it is not there."""
    held = (one for one in of.get("conditions", ()) if one["type"] == name)
    return next(((one["status"], one["reason"]) for one in held), ("", ""))


@pytest.fixture(scope="module")
def door(kata: Lab, certificates: trustme.CA) -> Iterator[None]:
    """Have a Gateway of class istio with one port for HTTP and two hosts by HTTPS, and their routes."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(API)
        file.flush()
        kata.apply(file.name)
        until(lambda: kata.cluster.get("apps/v1", "Deployment", "door-istio") is not None)
        kata.cluster.wait_ready()
        yield
        kata.delete(file.name)
    until(lambda: not [p for p in kata.cluster.pods() if p["metadata"]["name"].startswith("door-istio")])


@pytest.mark.usefixtures("door")
def test_a_gateway_of_the_gateway_api_is_asked(kata: Lab, certificates: trustme.CA) -> None:
    until(lambda: in_force.read(kata.cluster, "name-v1", "door").shares == {"name-v1": 0.9, "name-v2": 0.1})
    outcome = in_force.read(kata.cluster, "name-v1", "door").outcome()
    assert agrees(seen_through(kata, "door", "name"), outcome)
    url = kata.url(through="door", port="8443")
    until(lambda: by_tls.asks(url, "shop.example", certificates))
    assert "(v2)" in by_tls.ask(url, "shop.example", certificates)
    assert by_tls.ask(url, "kata.example", certificates)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        by_tls.ask(url, "other.example", certificates)


@pytest.mark.usefixtures("door")
def test_its_status_says_at_which_address_it_is(kata: Lab) -> None:
    for route in ("outside", "shop"):
        (parent, *_) = status(kata, "HTTPRoute", route)["parents"]
        assert condition(parent, "Accepted") == ("True", "Accepted")
    until(lambda: condition(status(kata, "Gateway", "door"), "Programmed")[1] != "Pending")
    said = status(kata, "Gateway", "door")
    assert condition(said, "Accepted") == ("True", "Accepted")
    assert [condition(one, "Programmed") for one in said["listeners"]] == [("True", "Programmed")] * 3
    made = kata.cluster.get("v1", "Service", "door-istio") or {}
    given = [one["ip"] for one in made["status"]["loadBalancer"].get("ingress", ())]
    assert [one["value"] for one in said.get("addresses", ())] == given
    programmed = ("True", "Programmed") if given else ("False", "AddressNotAssigned")
    assert condition(said, "Programmed") == programmed


@pytest.mark.usefixtures("door")
def test_without_a_load_balancer_its_address_is_the_clusters_own_name(kata: Lab) -> None:
    annotations = {"networking.istio.io/service-type": "ClusterIP"}
    kata.cluster.patch(GATEWAY_API, "Gateway", "door", {"metadata": {"annotations": annotations}})
    own = {"type": "Hostname", "value": f"door-istio.{kata.cluster.namespace}.svc.cluster.local"}
    until(lambda: status(kata, "Gateway", "door").get("addresses") == [own])
    assert condition(status(kata, "Gateway", "door"), "Programmed") == ("True", "Programmed")
