"""The CustomResourceDefinition objects of Istio and the Gateway API, which clients read and nobody changes.

A client that installs them again is answered with what stands.
"""

import uuid

from kata_lib.engines import gateway_api
from kata_lib.engines.embedded.registry import crds
from kata_lib.engines.embedded.registry.definitions import custom_definition
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.resources import EXTENSIONS, Resource
from kata_lib.engines.embedded.registry.table import RESOURCES
from kata_lib.engines.embedded.store import Obj


def ensure_definitions(registry: Registry) -> None:
    """Write the definition of every custom kind that is served and not yet defined."""
    known = {name for _, name in registry.store.names(crds.KEY)}
    for resource in RESOURCES.values():
        if resource.custom and not resource.unsupported and resource.qualified not in known:
            _put(registry, resource.qualified, {}, _istio(resource))
    for definition in gateway_api.definitions():
        if (name := definition["metadata"]["name"]) not in known:
            _put(registry, name, definition["metadata"], definition["spec"])


def _istio(resource: Resource) -> Obj:
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
    return {**spec, "conversion": {"strategy": "None"}}


def _put(registry: Registry, name: str, metadata: Obj, spec: Obj) -> None:
    now = registry.now()
    settled = {"status": "True", "lastTransitionTime": now}
    conditions = [
        {"type": "NamesAccepted", **settled, "reason": "NoConflicts", "message": "no conflicts found"},
        {"type": "Established", **settled, "reason": "InitialNamesAccepted"},
    ]
    stored = next(version["name"] for version in spec["versions"] if version["storage"])
    made = {"name": name, "uid": str(uuid.uuid4()), "creationTimestamp": now, "generation": 1}
    definition = {
        "apiVersion": f"{EXTENSIONS}/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {**metadata, **made},
        "spec": spec,
        "status": {
            "acceptedNames": spec["names"],
            "conditions": conditions,
            "storedVersions": [stored],
        },
    }
    registry.store.put(crds.KEY, "", name, definition)
