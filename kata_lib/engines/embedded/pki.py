"""The API server's certificate and the administrator's token.

They are made once a cluster and kept, so that a kubeconfig stays valid over restarts.
"""

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kata_lib.engines.embedded.state import State
from kata_lib.files import write_text


@dataclass(frozen=True)
class Pki:
    """What is in the folder: the authority's certificate (PEM), the server's with its key, and the token."""

    folder: Path

    @property
    def authority(self) -> str:
        return (self.folder / "ca.pem").read_text()

    @property
    def token(self) -> str:
        return (self.folder / "token").read_text()

    def server_context(self) -> ssl.SSLContext:
        """Return what the API server serves with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem")
        return context


def ensure(state: State, host: str) -> Pki:
    """Return the cluster's certificates, made now for the address `host` where there are none.

    Called in the process that starts the daemon: what makes certificates would cost the daemon memory.
    """
    pki = Pki(state.pki)
    if not (state.pki / "token").exists():
        import secrets

        import trustme

        authority = trustme.CA(organization_name=f"kata {state.name}")
        server = authority.issue_cert(host, "localhost", "kubernetes", "kubernetes.default.svc")
        write_text(state.pki / "ca.pem", authority.cert_pem.bytes().decode())
        write_text(state.pki / "server.pem", server.private_key_and_cert_chain_pem.bytes().decode())
        write_text(state.pki / "token", secrets.token_urlsafe(32))
    return pki


def kubeconfig(state: State, pki: Pki, server: str) -> dict[str, Any]:
    """Return the administrator's kubeconfig: context kata-<name>, namespace default.

    It is written as JSON, which is YAML as well and quicker to read.
    """
    authority = base64.b64encode(pki.authority.encode()).decode()
    name = f"kata-{state.name}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": name, "user": {"token": pki.token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
    }
