"""Requests by TLS to a gateway, as a caller outside sends them, who trusts one authority."""

import http.client
import socket
import ssl
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from kata_lib.engines.kubectl import kubectl

SECONDS = 60.0


def secret(kubeconfig: Path, folder: Path, namespace: str, name: str, host: str, by: trustme.CA) -> None:
    """Make a Secret with the certificate of a host, signed by an authority; folder: for its files."""
    made = by.issue_cert(host)
    chain, key = folder / f"{name}.crt", folder / f"{name}.key"
    made.cert_chain_pems[0].write_to_path(str(chain))
    made.private_key_pem.write_to_path(str(key))
    words = ["create", "secret", "tls", name, f"--namespace={namespace}", f"--cert={chain}", f"--key={key}"]
    kubectl(kubeconfig, *words)


def let_read_secrets(kubeconfig: Path, namespace: str) -> None:
    """Let the account of a namespace's pods read its Secrets: istiod asks before it gives a router one.

    Source: https://istio.io/latest/docs/setup/additional-setup/gateway/
    """
    role, account = "gateway-secrets", f"--serviceaccount={namespace}:default"
    at = f"--namespace={namespace}"
    kubectl(kubeconfig, "create", "role", role, "--verb=get,watch,list", "--resource=secrets", at)
    kubectl(kubeconfig, "create", "rolebinding", role, f"--role={role}", account, at)


def asks(url: str, host: str, trusted: trustme.CA) -> bool:
    """Return whether a gateway answers to a request for a host."""
    try:
        return bool(ask(url, host, trusted))
    except OSError:
        return False


def ask(url: str, host: str, trusted: trustme.CA) -> str:
    """Return the answer to a request for a host; ConnectionError where it is not 200, or an ssl.SSLError."""
    context = ssl.create_default_context()
    trusted.configure_trust(context)
    place = urlsplit(url)
    assert place.scheme == "https"
    with (
        socket.create_connection((place.hostname or "", place.port or 0), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as encrypted,
    ):
        connection = http.client.HTTPConnection(host)
        connection.sock = encrypted
        connection.request("GET", place.path)
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise ConnectionError(f"{answer.status} {answer.reason}")
        return answer.read().decode()
