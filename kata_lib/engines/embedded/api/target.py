"""What a request is aimed at: its path taken apart."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.served import Resources
from kata_lib.engines.embedded.registry.status import no_such_path
from kata_lib.engines.embedded.store import Obj


def _as_it_is(obj: Obj) -> Obj:
    return obj


@dataclass(frozen=True)
class Target:
    """A resource in the version asked for; no name means the collection, no namespace all of them.

    `coerce` gives a stored object of a defined kind the shape of that version.
    """

    resource: Resource
    version: str
    namespace: str | None = None
    name: str | None = None
    subresource: str = ""
    coerce: Callable[[Obj], Obj] = _as_it_is

    @property
    def api_version(self) -> str:
        """The apiVersion that the client speaks."""
        return self.resource.api_version_of(self.version)


def parse(resources: Resources, group: str, version: str, rest: str) -> Target:
    """Return the target of the path after /api/v1/ or /apis/GROUP/VERSION/; raise StatusError 404 for others.

    `namespaces/a/pods/b/log` is namespaced, `namespaces/a/status` a subresource of the namespace itself.
    """

    def target(resource: Resource, namespace: str | None, name: str, subresource: str) -> Target:
        coerce = partial(resources.coerced, resource)
        return Target(resource, version, namespace, name or None, subresource, coerce)

    parts = rest.strip("/").split("/")
    if len(parts) >= 3 and parts[0] == "namespaces":
        resource = resources.find(group, version, parts[2])
        if resource and resource.namespaced and len(parts) <= 5:
            name, subresource = [*parts[3:], "", ""][:2]
            return target(resource, parts[1], name, subresource)
    resource = resources.find(group, version, parts[0])
    if resource is None or len(parts) > 3 or (resource.namespaced and len(parts) > 1):
        raise no_such_path()
    name, subresource = [*parts[1:], "", ""][:2]
    return target(resource, None, name, subresource)
