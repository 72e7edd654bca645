"""Which resources are served now: the API's own, and those that CustomResourceDefinitions add to them.

Flows in: definitions as they are stored, from the registry. Flows out: rows, by key, path or kind, and their
schemas. A definition's schema is compiled when the first object needs it, and kept until the definition
changes.
"""

from collections.abc import Iterator

from kata_lib.engines.embedded.registry import autoscaling_v1, crds
from kata_lib.engines.embedded.registry.crds.stability import by_stability
from kata_lib.engines.embedded.registry.decoding import prune
from kata_lib.engines.embedded.registry.defaults.structural import fill
from kata_lib.engines.embedded.registry.metadata import own_copy
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.schemas import Schema, custom_schema, schema_for
from kata_lib.engines.embedded.registry.table import CONVERTED, GROUP_ORDER, RESOURCES
from kata_lib.engines.embedded.store import Event, Obj, Store


class Resources:
    """The rows of all resources; a change of a definition in the store shows in them at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._defined: dict[str, tuple[Resource, ...]] = {}
        self._schemas: dict[tuple[str, str], Schema] = {}
        for _, name in store.names(crds.KEY):
            if not crds.own(name) and (definition := store.get(crds.KEY, "", name)):
                self._define(name, crds.rows(definition))
        store.subscribe(self._follow)

    def _follow(self, event: Event) -> None:
        if event.resource == crds.KEY:
            rows = () if event.type == "DELETED" else crds.rows(event.object)
            self._define(event.object["metadata"]["name"], rows)

    def _define(self, key: str, rows: tuple[Resource, ...]) -> None:
        """Serve a defined resource anew: a row for each version, the stored one first; none ends it."""
        for version in self._defined.pop(key, ()):
            self._schemas.pop((key, version.spoken), None)
        if rows:
            self._defined[key] = rows

    def get(self, key: str, version: str | None = None) -> Resource:
        """Return a resource's row, in the given or the stored version; raise KeyError where there is none."""
        if key in RESOURCES:
            return CONVERTED.get((key, version or ""), RESOURCES[key])
        rows = self._defined[key]
        return next((row for row in rows if row.spoken == version), rows[0])

    def __contains__(self, key: str) -> bool:
        return key in RESOURCES or key in self._defined

    def __iter__(self) -> Iterator[Resource]:
        """Return one row for each resource."""
        yield from RESOURCES.values()
        for key in sorted(self._defined):
            yield self._defined[key][0]

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """Return the resource that is served at a path, or None."""
        row = RESOURCES.get(plural)
        if row is None or row.group != group:
            rows = self._defined.get(f"{plural}.{group}", ())
            row = next((row for row in rows if row.spoken == version), None)
        return self.get(row.key, version) if row and version in row.versions else None

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return the resource of an object's apiVersion and kind, or None where it is not served."""
        group, _, version = api_version.rpartition("/")
        for row in self:
            if (row.kind, row.group) == (kind, group) and version in row.versions:
                return self.get(row.key, version)
        return None

    def in_version(self, group: str, version: str) -> list[Resource]:
        """Return the rows of all that one version of a group serves."""
        return [self.get(row.key, version) for row in self if row.group == group and version in row.versions]

    def groups(self) -> list[str]:
        """Return all groups in the order of discovery: a name that two share means the earlier one."""
        added = {row.group for row in self if row.group not in GROUP_ORDER}
        own, last = GROUP_ORDER[:-1], GROUP_ORDER[-1]
        return [*own, *sorted(added), last]

    def versions(self, group: str) -> list[str]:
        """Return a group's versions, the newest and most stable first."""
        found = {version for row in self if row.group == group for version in row.versions}
        return by_stability(found)

    def schema(self, resource: Resource, subresource: str = "") -> Schema:
        """Return the schema of a resource's objects, in the version of its row, or of their scale."""
        if subresource == "scale":
            return schema_for("scales")
        if not resource.defined:
            return schema_for(resource.shape)
        at = resource.key, resource.spoken
        if at not in self._schemas:
            self._schemas[at] = custom_schema(resource.kind, self.raw_schema(resource))
        return self._schemas[at]

    def coerced(self, resource: Resource, obj: Obj) -> Obj:
        """Return a stored object as the version of a row has it.

        One of a defined kind gets the defaults of the version in which it was stored, and is pruned.
        """
        if resource.shape == autoscaling_v1.SHAPE:
            return autoscaling_v1.shown(obj)
        if not resource.defined:
            return obj
        shaped: Obj = own_copy(obj)
        stored = self.get(resource.key, obj["apiVersion"].rpartition("/")[2])
        fill(self.schema(stored), shaped)
        shaped = prune(self.schema(resource), shaped)
        return {**shaped, "apiVersion": resource.api_version}

    def stored(self, resource: Resource, obj: Obj) -> tuple[Resource, Obj]:
        """Return the stored version's row, and an object in the shape of the given one as it is stored.

        Raises StatusError where it cannot be.
        """
        if resource.shape != autoscaling_v1.SHAPE:
            return resource, obj
        return self.get(resource.key), autoscaling_v1.stored(obj)

    def raw_schema(self, resource: Resource) -> Obj:
        """Return a defined resource's schema as its definition has it."""
        definition = self._store.get(crds.KEY, "", resource.key)
        if definition is None:
            raise KeyError(resource.key)
        versions = {version["name"]: version for version in definition["spec"]["versions"]}
        schema: Obj = versions[resource.spoken]["schema"]["openAPIV3Schema"]
        return schema
