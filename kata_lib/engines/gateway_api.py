"""The CustomResourceDefinitions of the Gateway API, which a cluster of the workshop's own brings.

`gateway_api.json` has those of the standard channel (https://gateway-api.sigs.k8s.io, Apache-2.0), without
descriptions; `scripts/record` writes it.
"""

import json
from pathlib import Path
from typing import Any

from kata_lib.engines.kubectl import kubectl

FILE = Path(__file__).with_suffix(".json")
_KIND = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}


def definitions() -> list[dict[str, Any]]:
    """Read the definitions: `metadata` and `spec` of each."""
    found: list[dict[str, Any]] = json.loads(FILE.read_bytes())
    return found


def install(kubeconfig: Path) -> None:
    """Make the definitions in a cluster, or bring them up to these; ProgramFailed with kubectl's words.

    On the server's side: the annotation in which kubectl keeps what it applied has no room for them.
    """
    items = [{**_KIND, **definition} for definition in definitions()]
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    kubectl(kubeconfig, "apply", "--server-side", "--filename=-", given=given)
