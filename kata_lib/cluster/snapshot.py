"""A namespace as one moment shows it: each question goes to the API once, whoever asks it how often."""

from functools import cache

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster


class Snapshot(Cluster):
    """A cluster whose answers stay as they were when they were first asked for: for reading, not for waiting.

    Objects are shared among those who ask: nobody changes them.
    """

    def __init__(self, live: Cluster) -> None:
        vars(self).update(vars(live))
        self._objects = cache(live.objects)
        self._everywhere = cache(live.objects_everywhere)
        self._envoy = cache(live.ask_envoy)

    def get(self, api_version: str, kind: str, name: str) -> Obj | None:
        """Return one object, or None where there is none."""
        found = self.objects(api_version, kind)
        return next((obj for obj in found if obj["metadata"]["name"] == name), None)

    def objects(self, api_version: str, kind: str, labels: str = "") -> list[Obj]:
        """Return the namespace's objects of a kind; labels is a selector such as `app=name,version=v2`."""
        return self._objects(api_version, kind, labels)

    def objects_everywhere(self, api_version: str, kind: str) -> list[Obj]:
        """Return a kind's objects of all namespaces; ApiRefused with code 403 where that is forbidden."""
        return self._everywhere(api_version, kind)

    def ask_envoy(self, pod: str, path: str) -> str:
        """Return what the administrator of a pod's Envoy answers; path without its first slash."""
        return self._envoy(pod, path)
