"""kata_lib.cluster.kubeconfig: who logs in how, whom is trusted, and what is refused in words."""

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

from kata_lib.cluster import kubeconfig
from kata_lib.errors import ClusterError

V1 = "client.authentication.k8s.io/v1"


def write(folder: Path, user: dict[str, Any], **cluster: Any) -> Path:
    """Write a kubeconfig whose one context leads to a cluster as that user."""
    file = folder / "kubeconfig"
    config = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443", **cluster}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "ada"}}],
        "users": [{"name": "u", "user": user}],
        "current-context": "here",
    }
    file.write_text(yaml.safe_dump(config))
    return file


def login(folder: Path, user: dict[str, Any], refused: bool = False) -> str:
    return kubeconfig.read(write(folder, user)).login(refused)


def plugin(folder: Path, program: str, **fields: Any) -> dict[str, Any]:
    """Return a user who logs in by a program in Python."""
    (folder / "plugin.py").write_text(program)
    command = {"apiVersion": V1, "command": sys.executable, "args": [str(folder / "plugin.py")]}
    return {"exec": {**command, "interactiveMode": "Never", **fields}}


@pytest.mark.parametrize(
    ("user", "header"),
    [
        ({}, ""),
        ({"token": "t"}, "Bearer t"),
        ({"tokenFile": "token", "token": "t"}, "Bearer of-the-file"),
        ({"username": "Ada", "password": "x"}, "Basic QWRhOng="),
    ],
)
def test_a_user_logs_in_as_by_kubectl(user: dict[str, Any], header: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-file\n")
    assert login(tmp_path, user) == header


def test_json_is_read_as_well(tmp_path: Path) -> None:
    file = write(tmp_path, {"token": "t"})
    file.write_text(json.dumps(yaml.safe_load(file.read_text())))
    access = kubeconfig.read(file)
    assert (access.server, access.namespace) == ("https://127.0.0.1:6443", "ada")
    assert access.login(False) == "Bearer t"


ANSWERS = """
import json, os
asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
assert asked["apiVersion"] == "client.authentication.k8s.io/v1" and asked["spec"]["interactive"] is False
open("asked", "a").close()
count = os.path.getsize("asked")
open("asked", "a").write("x")
token = f"{os.environ['WHO']}-{asked['spec'].get('cluster', {}).get('server', '')}-{count}"
status = {"token": token} | ({"expirationTimestamp": os.environ["END"]} if "END" in os.environ else {})
print(json.dumps({"apiVersion": asked["apiVersion"], "kind": "ExecCredential", "status": status}))
"""


def test_a_plugin_is_told_the_cluster_and_asked_again_when_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    user = plugin(tmp_path, ANSWERS, env=[{"name": "WHO", "value": "ada"}], provideClusterInfo=True)
    access = kubeconfig.read(write(tmp_path, user))
    server = "https://127.0.0.1:6443"
    assert [access.login(refused) for refused in (False, False, True)] == [
        f"Bearer ada-{server}-0",
        f"Bearer ada-{server}-0",
        f"Bearer ada-{server}-1",
    ]


def test_a_token_that_has_expired_is_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = [{"name": "WHO", "value": "ada"}, {"name": "END", "value": "2026-01-01T00:00:00Z"}]
    access = kubeconfig.read(write(tmp_path, plugin(tmp_path, ANSWERS, env=env)))
    assert [access.login(False), access.login(False)] == ["Bearer ada--0", "Bearer ada--1"]


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"auth-provider": {"name": "gcp"}}, "the user has auth-provider, which is not supported here"),
        ({"as": "root", "token": "t"}, "the user has as, which"),
        ({"exec": {"apiVersion": V1, "command": "no-such-plugin", "installHint": "Get it."}}, "Get it."),
    ],
)
def test_what_cannot_log_in_is_said(user: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=said):
        login(tmp_path, user)


def test_a_plugin_that_fails_is_quoted(tmp_path: Path) -> None:
    user = plugin(tmp_path, "import sys; sys.exit('you are nobody')")
    with pytest.raises(ClusterError, match=r"by which the kubeconfig logs in, failed: you are nobody"):
        login(tmp_path, user)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be used"),
        ("[", "cannot be used: while parsing"),
        ("{", "cannot be used"),
        ("contexts: []", "'current-context' is missing"),
        ("current-context: x\ncontexts: [{name: y, context: {}}]", "no context 'x' in it; there are: y"),
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
    trust = kubeconfig.read(write(tmp_path, {}, **{"insecure-skip-tls-verify": True})).trust
    assert (trust.verify_mode, trust.check_hostname) == (ssl.CERT_NONE, False)
    assert kubeconfig.read(write(tmp_path, {})).trust.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("in_files", [False, True], ids=["as data", "in files beside it"])
def test_a_user_shows_a_certificate(in_files: bool, tmp_path: Path) -> None:
    authority = trustme.CA()
    own = authority.issue_cert("ada@example.org")
    user = kept(tmp_path, in_files, "client-certificate", own.cert_chain_pems[0])
    user |= kept(tmp_path, in_files, "client-key", own.private_key_pem)
    cluster = kept(tmp_path, in_files, "certificate-authority", authority.cert_pem)
    trust = kubeconfig.read(write(tmp_path, user, **cluster)).trust
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
