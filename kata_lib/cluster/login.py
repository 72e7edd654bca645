"""How a user of a kubeconfig logs in: the value of the `Authorization` header of each request.

Which entry counts where there are several is client-go's order: token file, token, plugin, password.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/ (client-go credential plugins)
"""

import base64
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kata_lib.errors import ClusterError

PLUGIN_SECONDS = 120
"""How long a plugin may take: some wait for a person in a browser."""

Login = Callable[[bool], str]
"""Returns the header's value, "" for none; True: what it returned last was refused."""

UNSUPPORTED = ("auth-provider", "as", "as-uid", "as-groups", "as-user-extra")


def of_user(user: Mapping[str, Any], folder: Path, cluster: Mapping[str, Any]) -> Login:
    """Return how a user logs in; folder: where relative paths begin, cluster: what a plugin may be told.

    Raises ClusterError for what is not supported here, by its name.
    """
    if found := [name for name in UNSUPPORTED if user.get(name)]:
        raise ClusterError(f"the user has {', '.join(found)}, which is not supported here")
    if file := user.get("tokenFile"):
        return lambda _: f"Bearer {(folder / file).read_text().strip()}"
    if token := user.get("token"):
        return lambda _: f"Bearer {token}"
    if plugin := user.get("exec"):
        return Plugin(plugin, folder, cluster)
    if name := user.get("username"):
        pair = base64.b64encode(f"{name}:{user.get('password', '')}".encode()).decode()
        return lambda _: f"Basic {pair}"
    return lambda _: ""


class Plugin:
    """A program that gives tokens; it is asked again when one has expired or was refused."""

    def __init__(self, plugin: Mapping[str, Any], folder: Path, cluster: Mapping[str, Any]) -> None:
        self._plugin, self._folder, self._cluster = plugin, folder, cluster
        self._given: Mapping[str, Any] = {}

    def __call__(self, refused: bool) -> str:
        if refused or not self._given or _expired(self._given):
            self._given = self._ask()
        if token := self._given.get("token"):
            return f"Bearer {token}"
        raise ClusterError(f"{self._plugin['command']} gave no token, and nothing else is supported here.")

    def _ask(self) -> Mapping[str, Any]:
        """Run the program and return the status of its ExecCredential."""
        import subprocess

        command = self._plugin["command"]
        if os.sep in command:
            command = str(self._folder / command)
        try:
            answer = subprocess.run(
                [command, *(self._plugin.get("args") or ())],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=PLUGIN_SECONDS,
            )
            status: Mapping[str, Any] = json.loads(answer.stdout)["status"]
        except FileNotFoundError as error:
            hint = self._plugin.get("installHint") or "Install it, or log in otherwise."
            raise ClusterError(f"The kubeconfig logs in by {command}, which is not here. {hint}") from error
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip() or f"exit code {error.returncode}"
            raise ClusterError(f"{command}, by which the kubeconfig logs in, failed: {said}") from error
        except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
            raise ClusterError(f"{command} gives no login: {error!r}") from error
        return status

    def _environment(self) -> dict[str, str]:
        told: dict[str, Any] = {"interactive": False}
        if self._plugin.get("provideClusterInfo"):
            told["cluster"] = self._cluster
        version = self._plugin["apiVersion"]
        asked = {"apiVersion": version, "kind": "ExecCredential", "spec": told}
        added = {one["name"]: one["value"] for one in self._plugin.get("env") or ()}
        return {**os.environ, **added, "KUBERNETES_EXEC_INFO": json.dumps(asked)}


def _expired(status: Mapping[str, Any]) -> bool:
    end: str | None = status.get("expirationTimestamp")
    return end is not None and datetime.fromisoformat(end) <= datetime.now(UTC)
