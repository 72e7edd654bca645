"""A kubeconfig by lightkube; what lightkube does not read in it is done here, or refused by its name.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ has its fields. Used by `anywhere`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from lightkube.config.client_adapter import ConnectionParams
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.config.models import NameValue, User, UserExec
from lightkube.core.exceptions import ConfigError

from kata_lib.errors import ClusterError

UNSUPPORTED = ("tls-server-name", "as", "as-uid", "as-groups", "as-user-extra")
"""Fields of a cluster and of a user that lightkube does not read."""

_PLUGINS = "client.authentication.k8s.io"


def read(file: Path, context: str | None = None) -> tuple[SingleConfig, dict[str, Any]]:
    """Return what a context says, by default the current one, and the settings of its HTTP client.

    Raises ClusterError where the file, or what it names, cannot be used.
    """
    try:
        content = _content(file.read_text())
        config = KubeConfig.from_dict(content, fname=file).get(context)
        assert config is not None
        login = config.user or User()
        cluster, user = _named(content, "cluster", config), _named(content, "user", config)
        if found := [name for name in UNSUPPORTED if cluster.get(name) or user.get(name)]:
            raise ConfigError(f"{', '.join(found)} is not supported here")
        if login.exec:
            _tell(login.exec, user["exec"], cluster)
        parameters = ConnectionParams(proxy=cluster.get("proxy-url"))
        return config, parameters.httpx_params(config._replace(user=login))
    except (
        ConfigError,
        OSError,
        yaml.YAMLError,
        LookupError,
        TypeError,
        AttributeError,
        ValueError,
    ) as error:
        raise ClusterError(f"The kubeconfig {file} cannot be used: {error}") from error


def _content(text: str) -> Any:
    """Return what a kubeconfig holds; JSON is YAML as well, and is read in a twentieth of the time."""
    if text.startswith("{"):
        return json.loads(text)
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _named(content: Mapping[str, Any], kind: str, config: SingleConfig) -> Mapping[str, Any]:
    """Return the entry that a context names, as the file has it."""
    name = getattr(config.context, kind)
    entries = (entry[kind] for entry in content.get(f"{kind}s") or () if entry["name"] == name)
    return next(entries, None) or {}


def _tell(plugin: UserExec, written: Mapping[str, Any], cluster: Mapping[str, Any]) -> None:
    """Let a plugin be told what client-go tells it. Version 1 is asked as v1beta1, whose token is the same.

    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
    """
    told: dict[str, Any] = {"interactive": False}
    if written.get("provideClusterInfo"):
        told["cluster"] = cluster
    info = {"apiVersion": plugin.apiVersion, "kind": "ExecCredential", "spec": told}
    plugin.env = [*(plugin.env or ()), NameValue("KUBERNETES_EXEC_INFO", json.dumps(info))]
    if plugin.apiVersion == f"{_PLUGINS}/v1":
        plugin.apiVersion = f"{_PLUGINS}/v1beta1"
