"""The CustomResourceDefinition objects of Istio's kinds, which clients read and nobody writes."""

import uuid

from kata_lib.engines.embedded.registry.definitions import custom_definition
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.resources import EXTENSIONS, Resource
from kata_lib.engines.embedded.registry.table import RESOURCES
from kata_lib.engines.embedded.store import Obj

PLURAL = "customresourcedefinitions"


def ensure_definitions(registry: Registry) -> None:
    """Write the definition of every custom kind that is served and not yet defined."""
    for resource in RESOURCES.values():
        if resource.custom and not resource.unsupported:
            name = f"{resource.plural}.{resource.group}"
            if registry.store.get(PLURAL, "", name) is None:
                registry.store.put(PLURAL, "", name, _definition(resource, name, registry.now()))


def _definition(resource: Resource, name: str, now: str) -> Obj:
    known = custom_definition(resource.kind)
    versions: list[Obj] = [
        {
            "name": version,
            "served": True,
            "storage": version == resource.version,
            "subresources": {"status": {}},
            "additionalPrinterColumns": known["columns"] or [],
            "schema": {"openAPIV3Schema": known["schema"]},
        }
        for version in sorted(resource.versions)
    ]
    spec = {"group": resource.group, "names": known["names"], "scope": "Namespaced", "versions": versions}
    settled = {"status": "True", "lastTransitionTime": now}
    conditions = [
        {"type": "NamesAccepted", **settled, "reason": "NoConflicts", "message": "no conflicts found"},
        {"type": "Established", **settled, "reason": "InitialNamesAccepted"},
    ]
    return {
        "apiVersion": f"{EXTENSIONS}/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name, "uid": str(uuid.uuid4()), "creationTimestamp": now, "generation": 1},
        "spec": {**spec, "conversion": {"strategy": "None"}},
        "status": {
            "acceptedNames": known["names"],
            "conditions": conditions,
            "storedVersions": [resource.version],
        },
    }
