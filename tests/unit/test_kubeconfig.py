"""kata_lib.cluster.connections.kubeconfig: who logs in how, whom is trusted, and what is refused in words."""

import base64
import json
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from kata_lib.cluster.client import KubeClient
from kata_lib.cluster.connections import kubeconfig
from kata_lib.errors import ClusterError

V1 = "client.authentication.k8s.io/v1"
SERVER = "https://127.0.0.1:6443"


def write(folder: Path, user: dict[str, Any] | None, **cluster: Any) -> Path:
    """Write a kubeconfig whose one context leads to a cluster as that user, or as none."""
    file = folder / "kubeconfig"
    context = {"cluster": "c", "namespace": "ada"} | ({} if user is None else {"user": "u"})
    config = {
        "clusters": [{"name": "c", "cluster": {"server": SERVER, **cluster}}],
        "contexts": [{"name": "here", "context": context}],
        "users": [] if user is None else [{"name": "u", "user": user}],
        "current-context": "here",
    }
    file.write_text(yaml.safe_dump(config))
    return file


def login(folder: Path, user: dict[str, Any] | None) -> str:
    """Return with which header a user logs in, "" for none."""
    _, headers, _ = KubeClient(write(folder, user)).websocket("/")
    return headers[0].removeprefix("Authorization: ") if headers else ""


def plugin(folder: Path, program: str, **fields: Any) -> dict[str, Any]:
    """Return a user who logs in by a program in Python."""
    (folder / "plugin.py").write_text(program)
    command = {"apiVersion": V1, "command": sys.executable, "args": [str(folder / "plugin.py")]}
    return {"exec": {**command, "interactiveMode": "Never", **fields}}


@pytest.mark.parametrize(
    ("user", "header"),
    [
        (None, ""),
        ({}, ""),
        ({"token": "t"}, "Bearer t"),
        ({"username": "Ada", "password": "x"}, "Basic QWRhOng="),
    ],
)
def test_a_user_logs_in_as_by_kubectl(user: dict[str, Any] | None, header: str, tmp_path: Path) -> None:
    assert login(tmp_path, user) == header


def test_json_is_read_as_well(tmp_path: Path) -> None:
    file = write(tmp_path, {"token": "t"})
    file.write_text(json.dumps(yaml.safe_load(file.read_text())))
    config, _ = kubeconfig.read(file)
    assert (config.cluster.server, config.namespace) == (SERVER, "ada")


def test_a_clusters_proxy_is_gone_through(tmp_path: Path) -> None:
    proxy = "http://proxy.example:3128"
    assert kubeconfig.read(write(tmp_path, {}, **{"proxy-url": proxy}))[1]["proxy"] == proxy


ANSWERS = """
import json, os
asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
assert asked["spec"]["interactive"] is False
token = f"{os.environ['WHO']}-{asked['spec'].get('cluster', {}).get('server', '')}"
print(json.dumps({"apiVersion": asked["apiVersion"], "kind": "ExecCredential", "status": {"token": token}}))
"""


@pytest.mark.parametrize("version", [V1, f"{V1}beta1"])
@pytest.mark.parametrize(("told", "server"), [(True, SERVER), (False, "")])
def test_a_plugin_is_asked_and_told_the_cluster_where_it_wants(
    version: str, told: bool, server: str, tmp_path: Path
) -> None:
    env = [{"name": "WHO", "value": "ada"}]
    user = plugin(tmp_path, ANSWERS, apiVersion=version, env=env, provideClusterInfo=told)
    assert login(tmp_path, user) == f"Bearer ada-{server}"


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"auth-provider": {"name": "gcp"}}, "auth-provider not supported"),
        ({"as": "root", "token": "t"}, "as is not supported here"),
        ({"tokenFile": "/none"}, "The login that the kubeconfig names fails: Token file /none not found"),
        ({"exec": {"apiVersion": V1, "command": "no-such-plugin"}}, "fails: .*'no-such-plugin'"),
        ({"exec": {"apiVersion": "v9", "command": "true"}}, "v9 not implemented"),
        ({"exec": {"apiVersion": V1, "command": "true"}}, "The login that the kubeconfig names fails"),
    ],
)
def test_what_cannot_log_in_is_said(user: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=said):
        login(tmp_path, user)


def test_a_server_by_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="tls-server-name is not supported here"):
        kubeconfig.read(write(tmp_path, {}, **{"tls-server-name": "api.example"}))


def test_a_plugin_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="you are nobody"):
        login(tmp_path, plugin(tmp_path, "import sys; sys.exit('you are nobody')"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be used"),
        ("[", "cannot be used: while parsing"),
        ("{", "cannot be used"),
        ("contexts: []", "'clusters'"),
        ("current-context: x\nclusters: []\ncontexts: []", "Context 'x' not found"),
    ],
)
def test_a_file_that_is_none_is_said(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(ClusterError, match=said):
        kubeconfig.read(file)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="No such file"):
        kubeconfig.read(tmp_path / "none")


def test_a_certificate_that_nobody_is_to_judge(tmp_path: Path) -> None:
    trust = kubeconfig.read(write(tmp_path, {}, **{"insecure-skip-tls-verify": True}))[1]["verify"]
    assert (trust.verify_mode, trust.check_hostname) == (ssl.CERT_NONE, False)
    assert kubeconfig.read(write(tmp_path, {}))[1]["verify"].verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("in_files", [False, True], ids=["as data", "in files beside it"])
def test_a_user_shows_a_certificate(in_files: bool, tmp_path: Path) -> None:
    authority = trustme.CA()
    own = authority.issue_cert("ada@example.org")
    user = kept(tmp_path, in_files, "client-certificate", own.cert_chain_pems[0])
    user |= kept(tmp_path, in_files, "client-key", own.private_key_pem)
    cluster = kept(tmp_path, in_files, "certificate-authority", authority.cert_pem)
    trust = kubeconfig.read(write(tmp_path, user, **cluster))[1]["verify"]
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    assert met(server, trust)["subjectAltName"] == (("email", "ada@example.org"),)


def kept(folder: Path, in_files: bool, name: str, content: trustme.Blob) -> dict[str, str]:
    """Return the field of a kubeconfig that holds a content, or names a file in the folder that does."""
    if not in_files:
        return {f"{name}-data": base64.b64encode(content.bytes()).decode()}
    content.write_to_path(str(folder / f"{name}.pem"))
    return {name: f"{name}.pem"}


def met(server: ssl.SSLContext, client: ssl.SSLContext) -> dict[str, Any]:
    """Return the certificate that a client shows a server."""
    ours, theirs = socket.socketpair()
    with ThreadPoolExecutor(1) as apart, ours, theirs:
        accepted = apart.submit(server.wrap_socket, theirs, server_side=True)
        with client.wrap_socket(ours, server_hostname="127.0.0.1"), accepted.result(5) as end:
            return dict(end.getpeercert() or {})
