"""The versions of the programs that the workshop stands on, as versions.json has them.

On the standard library alone: the set-up reads them before anything is installed.
"""

import json
import re
from pathlib import Path

_FOUND: dict[str, str] = json.loads(Path(__file__).with_name("versions.json").read_text())

KUBERNETES = _FOUND["kubernetes"]
"""As which the embedded engine answers."""
KUBECTL = _FOUND["kubectl"]
OLDEST_KUBECTL = _FOUND["oldest_kubectl"]
"""Kubernetes supports a kubectl that is one minor version older than the server."""
KIND = _FOUND["kind"]
OLDEST_KIND = _FOUND["oldest_kind"]
NODE_IMAGE = _FOUND["node_image"]
"""As the release notes of kind name it for the same minor version of Kubernetes."""
ISTIO = _FOUND["istio"]
OLDEST_ISTIOCTL = _FOUND["oldest_istioctl"]
ENVOY = _FOUND["envoy"]
GATEWAY_API = _FOUND["gateway_api"]
ARGO_ROLLOUTS = _FOUND["argo_rollouts"]
GATEWAY_API_PLUGIN = _FOUND["gateway_api_plugin"]
"""Argo Rollouts' own, which moves the weights of HTTPRoutes."""
FLAGGER = _FOUND["flagger"]
"""Whose schema the workshop's own release plan is valid by."""


def numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version, such as (2, 36)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def minor(version: str) -> str:
    """Return a version without what stands behind its second number, such as "2.36"."""
    return ".".join(map(str, numbers(version)))
