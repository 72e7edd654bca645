"""What Envoys are answered: resources as JSON, made once for all Envoys that get the same ones."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import msgspec

from kata_lib.engines.embedded.mesh.stages import Kind

_TYPE_URLS: dict[Kind, str] = {
    "endpoints": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    "clusters": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "routes": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    "listeners": "type.googleapis.com/envoy.config.listener.v3.Listener",
}
_KEPT = 64


class Answer:
    """A DiscoveryResponse as JSON bytes; its version is the hash of its resources."""

    def __init__(self, kind: Kind, resources: Sequence[dict[str, Any]]) -> None:
        typed = [{"@type": _TYPE_URLS[kind], **resource} for resource in resources]
        text = msgspec.json.encode(typed, order="sorted")
        self.version = hashlib.blake2b(text, digest_size=8).hexdigest()
        about = f'{{"version_info":"{self.version}","type_url":"{_TYPE_URLS[kind]}","resources":'
        self.body = b"%s%s}" % (about.encode(), text)


class Answers:
    """The newest answers by the resources that they hold, which nobody may change."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[Kind | int, ...], tuple[Sequence[dict[str, Any]], Answer]]
        self._made = OrderedDict()

    def of(self, kind: Kind, resources: Sequence[dict[str, Any]]) -> Answer:
        """Return the answer that holds these resources: the same one for the same objects."""
        key = (kind, *map(id, resources))  # theirs alone as long as they are kept here
        if key not in self._made:
            self._made[key] = resources, Answer(kind, resources)
        self._made.move_to_end(key)
        _, answer = self._made[key]
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return answer
