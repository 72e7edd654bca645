"""Kubernetes' own schemas, as the API server serves them: those of the kinds that the embedded engine has."""

import json

from kata_lib.engines.embedded.registry.definitions import DEFINITIONS, with_referenced
from recorders.lab import Lab
from recorders.recorded import REGISTRY, Versions


def record(lab: Lab) -> Versions:
    """Write kubernetes_schemas.json, a definition a line."""
    served = lab.client.request("GET", "/openapi/v2")["definitions"]
    found = with_referenced(served, DEFINITIONS.values())
    lines = [f"{json.dumps(name)}: {_line(found[name])}" for name in sorted(found)]
    (REGISTRY / "kubernetes_schemas.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return {"kubernetes": lab.kubernetes}


def _line(definition: object) -> str:
    return json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
