"""What a request is aimed at: its path taken apart."""

from dataclasses import dataclass

from kata_lib.engines.embedded.registry.resources import Resource, find
from kata_lib.engines.embedded.registry.status import no_such_path


@dataclass(frozen=True)
class Target:
    """A resource in the version asked for; no name means the collection, no namespace all of them."""

    resource: Resource
    version: str
    namespace: str | None = None
    name: str | None = None
    subresource: str = ""

    @property
    def api_version(self) -> str:
        """The apiVersion that the client speaks."""
        return self.resource.api_version_of(self.version)


def parse(group: str, version: str, rest: str) -> Target:
    """Return the target of the path after /api/v1/ or /apis/GROUP/VERSION/; raise StatusError 404 for others.

    `namespaces/a/pods/b/log` is namespaced, `namespaces/a/status` a subresource of the namespace itself.
    """
    parts = rest.strip("/").split("/")
    if len(parts) >= 3 and parts[0] == "namespaces":
        resource = find(group, version, parts[2])
        if resource and resource.namespaced and len(parts) <= 5:
            name, subresource = [*parts[3:], "", ""][:2]
            return Target(resource, version, parts[1], name or None, subresource)
    resource = find(group, version, parts[0])
    if resource is None or len(parts) > 3 or (resource.namespaced and len(parts) > 1):
        raise no_such_path()
    name, subresource = [*parts[1:], "", ""][:2]
    return Target(resource, version, None, name or None, subresource)
