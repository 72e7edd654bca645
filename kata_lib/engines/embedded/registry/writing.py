"""The way of a write: started or restricted, changed by admission, defaulted, validated, recorded, stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kata_lib.engines.embedded.registry import crds, managed_fields, metadata, validation
from kata_lib.engines.embedded.registry.decoding import check_fields
from kata_lib.engines.embedded.registry.defaults import apply_defaults, complete
from kata_lib.engines.embedded.registry.defaults.structural import fill
from kata_lib.engines.embedded.registry.resources import SCALES, Resource
from kata_lib.engines.embedded.registry.served import Resources
from kata_lib.engines.embedded.registry.services import ServiceAllocator
from kata_lib.engines.embedded.registry.status import (
    StatusError,
    already_exists,
    forbidden,
    invalid,
    modified,
    not_found,
    plain,
)
from kata_lib.engines.embedded.registry.subresources import concerned, not_applied, restricted
from kata_lib.engines.embedded.registry.table import RESOURCES
from kata_lib.engines.embedded.store import Obj, Store

Admission = Callable[[str, Obj, str], None]
"""Called with the resource's plural, the object, and CREATE or UPDATE; raises StatusError to refuse."""


@dataclass(frozen=True)
class Write:
    """What is written, and how: in which version, under which manager's name, whether it is kept."""

    kind: Resource
    manager: str
    version: str | None = None
    subresource: str = ""
    dry_run: bool = False

    @property
    def api_version(self) -> str:
        """The apiVersion that the client speaks."""
        return self.kind.api_version_of(self.version or self.kind.version)


class Writer:
    """Takes objects from what a client wants to what is stored."""

    def __init__(
        self,
        store: Store,
        resources: Resources,
        services: ServiceAllocator,
        clock: Callable[[], datetime],
        mutations: Sequence[Admission],
        admission: Sequence[Admission],
    ) -> None:
        self._store = store
        self._resources = resources
        self._services = services
        self._clock = clock
        self._mutations = mutations
        self._admission = admission

    def create(self, write: Write, namespace: str | None, new: Obj) -> Obj:
        """Store a new object; it is the callee's to change."""
        kind = write.kind
        metadata.check_size(kind, new)
        new["apiVersion"], new["kind"] = kind.api_version, kind.kind
        given = str((new.get("metadata") or {}).get("resourceVersion") or "")
        metadata.forget(kind, new)
        self._default(kind, new)
        self._record(write, None, new)
        kind, new = self._stored(kind, new)
        self._begin(kind, namespace, new)
        if given.isdigit() and int(given) and not write.dry_run:
            raise plain("resourceVersion should not be set on objects to be created")
        return self._add(write, new)

    def update(self, write: Write, old: Obj, new: Obj) -> Obj:
        """Store the new state of an object in place of the old; it is the callee's to change."""
        metadata.check_size(write.kind, new)
        return self._replace(write, old, new, applied=False)

    def apply(
        self, write: Write, namespace: str | None, name: str, live: Obj | None, applied: Obj, *, force: bool
    ) -> Obj:
        """Store what a manager applied, merged into the live object of that name if there is one."""
        kind = write.kind
        if live is None and write.subresource:
            raise not_found(kind, name)
        new = managed_fields.apply(
            live,
            applied,
            manager=write.manager,
            force=force,
            api_version=write.api_version,
            now=self._now(),
            schema=self._resources.schema(kind),
            subresource=write.subresource,
            left_out=not_applied(kind, applied, write.subresource),
        )
        metadata.check_size(kind, new)
        check_fields(kind, self._resources.schema(kind), new, "Ignore", None, version=write.version)
        metadata.check_same_name(name, new)
        if live is not None:
            return self._replace(write, live, new, applied=True)
        new["apiVersion"], new["kind"] = kind.api_version, kind.kind
        metadata.forget(kind, new)
        self._default(kind, new)
        kind, new = self._stored(kind, new)
        self._begin(kind, namespace, new)
        return self._add(write, new)

    def _now(self) -> str:
        return metadata.timestamp(self._clock())

    def _stored(self, kind: Resource, obj: Obj) -> tuple[Resource, Obj]:
        """Return the stored version's row, and an object as it is stored; raise StatusError 400."""
        stored, obj = self._resources.stored(kind, obj)
        if stored is not kind:
            check_fields(stored, self._resources.schema(stored), obj, "Ignore", None)
        return stored, obj

    def _default(self, kind: Resource, new: Obj) -> None:
        if kind.custom:
            fill(self._resources.schema(kind), new)
        else:
            apply_defaults(kind.shape, new)

    def _begin(self, kind: Resource, namespace: str | None, new: Obj) -> None:
        metadata.begin(kind, namespace, new, self._now())
        if kind.namespaced:
            self._check_namespace(kind, new)
        if kind.closing:
            why = "create not allowed while custom resource definition is terminating"
            raise forbidden(kind, new["metadata"]["name"], why)
        if kind.key == "pods":
            self._check_pod(kind, new)
        for mutate in self._mutations:
            mutate(kind.key, new, "CREATE")
        self._default(kind, new)  # what they added has defaults like what a client sends
        complete(kind.key, new)
        self._check(kind, new, None, "CREATE")
        if kind.key == "services":
            self._services.assign(new, None, self._store.list("services"))

    def _check_namespace(self, kind: Resource, new: Obj) -> None:
        name, namespace = new["metadata"]["name"], new["metadata"]["namespace"]
        found = self._store.get("namespaces", "", namespace)
        if found is None:
            raise not_found(RESOURCES["namespaces"], namespace)
        if found["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(kind, name, why)

    def _check_pod(self, kind: Resource, pod: Obj) -> None:
        """Refuse a pod that names a ServiceAccount that is not there, or a priority.

        The account "default" comes with its namespace: a pod that is faster than it need not wait.
        """
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        account = pod["spec"].get("serviceAccountName", "default")
        if account != "default" and not self._store.get("serviceaccounts", namespace, account):
            missing = f'serviceaccount "{account}" not found'
            why = f"error looking up service account {namespace}/{account}: {missing}"
            raise forbidden(kind, name, why)
        if priority := pod["spec"].get("priority"):
            what = f"the integer value of priority ({priority}) must not be provided in pod spec"
            computed = "priority admission controller computed 0 from the given PriorityClass name"
            raise forbidden(kind, name, f"{what}; {computed}")

    def _check(
        self, kind: Resource, new: Obj, old: Obj | None, operation: str, subresource: str = ""
    ) -> None:
        causes = validation.validate(kind, self._resources.schema(kind), new, old)
        if causes:
            said = SCALES if subresource == "scale" and not kind.custom else kind
            raise invalid(said.kind, said.group, new["metadata"]["name"], causes)
        for admit in self._admission:
            admit(kind.key, new, operation)

    def _add(self, write: Write, new: Obj) -> Obj:
        key = _key(write.kind, new)
        if self._store.get(*key):
            raise already_exists(write.kind, new["metadata"]["name"])
        return new if write.dry_run else self._store.put(*key, new)

    def _replace(self, write: Write, old: Obj, new: Obj, *, applied: bool) -> Obj:
        kind = write.kind
        found = new["metadata"].get("resourceVersion")
        if found and found != old["metadata"]["resourceVersion"]:
            raise modified(kind, old["metadata"]["name"])
        metadata.check_same_object(kind, old, new)
        if write.subresource in ("", "scale"):
            self._default(kind, new)
        if not applied:
            self._record(write, old, new)
        _, old = self._stored(kind, old)
        kind, new = self._stored(kind, new)
        new = restricted(kind, old, new, write.subresource)
        metadata.carry_over(old, new)
        if kind.key == crds.KEY and not (write.subresource and new["status"].get("storedVersions")):
            crds.note_stored(new)
        if write.subresource in ("", "scale"):
            if kind.key == "services":
                self._services.keep(old, new)
            complete(kind.key, new)
            self._check(kind, new, old, "UPDATE", write.subresource)
            if kind.key == "services":
                self._services.assign(new, old, self._other_services(new))
            metadata.raise_generation(kind, old, new)
        elif causes := validation.validate_status(kind, self._resources.schema(kind), new, old):
            raise invalid(kind.kind, kind.group, new["metadata"]["name"], causes)
        if metadata.same(old, new):
            return old
        if write.dry_run:
            return new
        if "deletionTimestamp" in new["metadata"] and not metadata.held(new):
            self._store.delete(*_key(kind, old))
            return new
        return self._store.put(*_key(kind, old), new)

    def _other_services(self, service: Obj) -> list[Obj]:
        uid = service["metadata"]["uid"]
        return [other for other in self._store.list("services") if other["metadata"]["uid"] != uid]

    def _record(self, write: Write, old: Obj | None, new: Obj) -> None:
        """Note in `new` who owns what was sent; what the server itself adds later belongs to nobody."""
        sent = concerned(write.kind, old, new, write.subresource)
        timeless = write.kind.custom and write.subresource == "scale"  # as in a real server
        managed_fields.record(
            old,
            sent,
            manager=write.manager,
            api_version=write.api_version,
            subresource=write.subresource,
            now="" if timeless else self._now(),
            schema=self._resources.schema(write.kind),
        )
        metadata.copy_managers(sent, new)


def _key(kind: Resource, obj: Obj) -> tuple[str, str, str]:
    return kind.key, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def unsupported(kind: Resource, name: str) -> StatusError:
    """403: the kind is one that this engine does not have, and others do."""
    why = f"the embedded engine does not support {kind.kind}; a cluster that runs it does"
    return forbidden(kind, name, why)


def is_own(kind: Resource, name: str) -> bool:
    """Return whether an object is the definition of a kind that the API serves by itself.

    Raises StatusError for one of a kind that it does not support.
    """
    if kind.key != crds.KEY:
        return False
    if (row := crds.own(name)) and row.unsupported:
        raise unsupported(row, "")
    return crds.is_provided(name)


def without_effect(kind: Resource, *, watched: bool) -> str:
    """Return why nothing comes of an object that is kept, "" where something may.

    A kind that a CustomResourceDefinition adds is its controller's, and a controller watches its kind.
    """
    if kind.defined and not watched:
        return f"this {kind.kind} is kept and nothing comes of it: no controller watches {kind.qualified}"
    return kind.inert
