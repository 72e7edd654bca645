"""A kubeconfig as kubectl reads it: where the API server is, whom to trust there, and how to log in.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ has its fields. Used by `client`.
"""

import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kata_lib.cluster import login
from kata_lib.errors import ClusterError


@dataclass(frozen=True)
class Access:
    """What one context says: an API server and a way in, and the namespace that is meant.

    server_name: by which its certificate is judged, where that is not its host. proxy: through which it is
    asked, where the environment does not say so.
    """

    server: str
    namespace: str
    trust: ssl.SSLContext
    login: login.Login
    server_name: str
    proxy: str


def read(file: Path, context: str | None = None) -> Access:
    """Return what a context of a kubeconfig says, by default the current one.

    Raises ClusterError where the file, or what it names, cannot be used.
    """
    try:
        return _access(_content(file.read_text()), context, file.parent)
    except (ClusterError, OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ClusterError(f"The kubeconfig {file} cannot be used: {why}") from error


def _content(text: str) -> Any:
    """Return what a kubeconfig holds; JSON is YAML as well, and is read in a twentieth of the time."""
    if text.startswith("{"):
        return json.loads(text)
    import yaml

    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ClusterError(str(error)) from error


def _access(config: Mapping[str, Any], context: str | None, folder: Path) -> Access:
    chosen = _named(config, "context", context or config["current-context"])
    cluster = _named(config, "cluster", chosen["cluster"])
    user = _named(config, "user", chosen["user"]) if chosen.get("user") else {}
    return Access(
        server=cluster["server"],
        namespace=chosen.get("namespace") or "default",
        trust=_trust(cluster, user, folder),
        login=login.of_user(user, folder, cluster),
        server_name=cluster.get("tls-server-name", ""),
        proxy=cluster.get("proxy-url", ""),
    )


def _named(config: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    entries = config.get(f"{kind}s") or ()
    for entry in entries:
        if entry["name"] == name:
            return entry[kind] or {}
    known = ", ".join(entry["name"] for entry in entries) or "none"
    raise ClusterError(f"there is no {kind} {name!r} in it; there are: {known}")


def _trust(cluster: Mapping[str, Any], user: Mapping[str, Any], folder: Path) -> ssl.SSLContext:
    """Return which certificates are trusted, with the user's own where they have one."""
    authority = _file_or_data(cluster, "certificate-authority", folder)
    trust = ssl.create_default_context(cadata=authority.decode()) if authority else of_the_system()
    if cluster.get("insecure-skip-tls-verify"):
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    if certificate := _file_or_data(user, "client-certificate", folder):
        import tempfile

        key = _file_or_data(user, "client-key", folder)
        with tempfile.NamedTemporaryFile() as both:  # which OpenSSL reads from a file alone
            both.write(certificate + b"\n" + key)
            both.flush()
            trust.load_cert_chain(both.name)
    return trust


def of_the_system() -> ssl.SSLContext:
    """Return trust in the authorities that this machine trusts."""
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _file_or_data(entry: Mapping[str, Any], name: str, folder: Path) -> bytes:
    """Return the content of `name`-data, or of the file at `name`, or nothing."""
    if data := entry.get(f"{name}-data"):
        return base64.b64decode(data)
    return (folder / entry[name]).read_bytes() if entry.get(name) else b""
