"""Gateways on the engine: real Envoys that take requests from outside, by both of their APIs."""

import socket
import ssl
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
import yaml
from share_cases import REQUESTS, agrees

from embedded.engine_cluster import DEPLOY, LIMIT, Cluster, until
from kata_lib.cluster.cluster import Cluster as Namespace
from kata_lib.course import application
from kata_lib.mesh import in_force

NAME = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "name-outside"},
    "spec": {
        "hosts": ["*"],
        "gateways": ["gateway"],
        "http": [
            {
                "route": [
                    {"destination": {"host": "name", "subset": "name-v1"}, "weight": 90},
                    {"destination": {"host": "name", "subset": "name-v2"}, "weight": 10},
                ]
            }
        ],
    },
}
"""A rule for the gateway alone: two versions of `name`, whose answers tell which they are."""


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """The shared cluster with a gateway, which is gone afterwards with all that was applied."""
    files = [f"--filename={DEPLOY / 'gateway'}", f"--filename={DEPLOY / 'virtual-service-canary.yaml'}"]
    cluster.kubectl("apply", *files)
    cluster.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=60s")
    yield Namespace.at(cluster.location)
    for written in (files, ["virtualservice", "name-outside"]):
        cluster.kubectl("delete", "--ignore-not-found", *written)
    until(lambda: "gateway" not in cluster.kubectl("get", "pods"))


def test_requests_from_outside_go_where_the_gateways_own_envoy_says(
    cluster: Cluster, namespace: Namespace
) -> None:
    answers = application.sample(namespace.url("gateway"), requests=50)
    assert not answers["error"].any()
    cluster.kubectl("delete", "virtualservice", "sentences")
    cluster.kubectl("apply", "--filename=-", stdin=yaml.safe_dump(NAME))
    until(lambda: in_force.read(namespace, "name", "gateway").versions)
    found = in_force.read(namespace, "name", "gateway")
    assert found.versions == {"v1": 0.9, "v2": 0.1}
    of_v2 = sum(application.sample(namespace.url("gateway"), requests=REQUESTS)["version"] == "v2")
    assert agrees(Counter(v1=REQUESTS - of_v2, v2=of_v2), found.outcome())


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


@pytest.fixture
def certificates(cluster: Cluster) -> Iterator[trustme.CA]:
    """Secrets `shop` and `kata`, each with the certificate of a host of its name, and who signed them."""
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("shop", "kata"):
            made = authority.issue_cert(f"{name}.example")
            chain, key = Path(folder) / f"{name}.crt", Path(folder) / f"{name}.key"
            made.cert_chain_pems[0].write_to_path(str(chain))
            made.private_key_pem.write_to_path(str(key))
            cluster.kubectl("create", "secret", "tls", name, f"--cert={chain}", f"--key={key}")
    yield authority
    cluster.kubectl("delete", "secret", "shop", "kata")


def test_a_gateway_of_the_gateway_api_is_deployed_programmed_and_asked(
    cluster: Cluster, certificates: trustme.CA
) -> None:
    cluster.kubectl("apply", "--filename=-", stdin=API)
    try:
        gateway = "gateway.gateway.networking.k8s.io/door"
        cluster.kubectl("wait", "--for=condition=Programmed", gateway, "--timeout=60s")
        cluster.kubectl("rollout", "status", "deployment/door-istio", "--timeout=60s")
        namespace = Namespace.at(cluster.location)
        until(lambda: in_force.read(namespace, "name-v1", "door").shares)
        assert in_force.read(namespace, "name-v1", "door").shares == {"name-v1": 0.9, "name-v2": 0.1}
        url = application.url(namespace, "door")
        of_v2 = sum(application.sample(url, requests=REQUESTS)["version"] == "v2")
        found = in_force.read(namespace, "name-v1", "door").outcome()
        assert agrees(Counter(v1=REQUESTS - of_v2, v2=of_v2), found)
        address = cluster.kubectl("get", gateway, "--output=jsonpath={.status.addresses[0].value}")
        assert "(v2)" in asked_by_tls(address, "shop.example", certificates)
        assert asked_by_tls(address, "kata.example", certificates)
        with pytest.raises((ssl.SSLError, ConnectionError)):  # no certificate is for it
            asked_by_tls(address, "other.example", certificates)
    finally:
        cluster.kubectl("delete", "--filename=-", stdin=API)
    until(lambda: "door-istio" not in cluster.kubectl("get", "pods"))


def asked_by_tls(address: str, host: str, authority: trustme.CA) -> str:
    """Return the answer of a gateway to a request for a host, whose certificate the authority signed."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with (
        socket.create_connection((address, 8443), LIMIT) as plain,
        context.wrap_socket(plain, server_hostname=host) as encrypted,
    ):
        encrypted.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: encrypted.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert " 200 " in head.partition("\r\n")[0]
    return body
