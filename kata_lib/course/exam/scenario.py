"""Other services than the workshop's, made from its manifests: who calls whom, in which versions.

A Scenario goes in, plain objects come out. Every version marks its answers, as the workshop's second does.
"""

import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.course import originals
from kata_lib.mesh.virtual_services import ISTIO

PORT = 5000
_TEMPLATE = "deploy/v1/age.yaml"


@dataclass(frozen=True)
class Theme:
    """Three services: `caller` asks `service` for one of `words`, and `number` for a number."""

    caller: str
    service: str
    number: str
    words: tuple[str, str, str]


THEMES = (
    Theme("harbour", "ship", "voyages", ("Vega", "Mira", "Altair")),
    Theme("cellar", "wine", "vintage", ("Rioja", "Barolo", "Chablis")),
    Theme("grove", "tree", "rings", ("Oak", "Yew", "Linden")),
    Theme("museum", "painting", "dating", ("Iris", "Olympia", "Nocturne")),
    Theme("observatory", "star", "distance", ("Rigel", "Deneb", "Spica")),
    Theme("orchard", "apple", "harvest", ("Boskoop", "Elstar", "Topaz")),
)


@dataclass(frozen=True)
class Illness:
    """What is wrong with a version: the share of its answers that fail (0 to 1), seconds before each."""

    errors: float = 0.0
    delay: float = 0.0


WELL = Illness()


@dataclass(frozen=True)
class Scenario:
    """A theme, its service's versions from the oldest to the newest, and how many pods each has."""

    theme: Theme
    versions: tuple[str, ...]
    replicas: tuple[int, ...]

    @property
    def newest(self) -> str:
        """The version that is released."""
        return self.versions[-1]

    def by_pods(self, version: str) -> float:
        """Return the share, 0 to 1, that plain Kubernetes gives a version."""
        return self.replicas[self.versions.index(version)] / sum(self.replicas)

    def deployment(self, version: str) -> str:
        """Return the name of a version's Deployment, which is its subset's too."""
        return f"{self.theme.service}-{version}"

    def workloads(self, ill: Mapping[str, Illness]) -> list[Obj]:
        """Return Services and Deployments; ill: by version, the others are well."""
        theme = self.theme
        urls = {"NAME": theme.service, "AGE": theme.number}
        asks = {f"SENTENCE_{key}_SVC_URL": f"http://{host}:{PORT}/" for key, host in urls.items()}
        return [
            *(_service(name) for name in (theme.caller, theme.number, theme.service)),
            _deployment(theme.number, theme.number, "v1", 1, {"SENTENCE_MODE": "age"}),
            *(self._version(version, ill.get(version, WELL)) for version in self.versions),
            _deployment(theme.caller, theme.caller, "v1", 1, {"SENTENCE_MODE": "sentence", **asks}),
        ]

    def routing(self, weights: Mapping[str, int]) -> list[Obj]:
        """Return the DestinationRule and the VirtualService that give each version its weight."""
        host = self.theme.service
        subsets = [{"name": self.deployment(v), "labels": {"version": v}} for v in self.versions]
        route = [
            {"destination": {"host": host, "subset": self.deployment(version)}, "weight": weight}
            for version, weight in weights.items()
        ]
        return [
            _istio("DestinationRule", host, {"host": host, "subsets": subsets}),
            _istio("VirtualService", host, {"hosts": [host], "http": [{"route": route}]}),
        ]

    def _version(self, version: str, illness: Illness) -> Obj:
        words = ",".join(f"{word} ({version})" for word in self.theme.words)
        environment = {"SENTENCE_MODE": "name", "SENTENCE_NAMES": words}
        if illness.errors:
            environment["ERROR_RATE"] = f"{illness.errors:g}"
        if illness.delay:
            environment["DELAY"] = f"{illness.delay:g}"
        pods = self.replicas[self.versions.index(version)]
        return _deployment(self.deployment(version), self.theme.service, version, pods, environment)


def find(objects: Sequence[Obj], kind: str, name: str) -> Obj:
    """Return the object of a kind and name."""
    return next(o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))


@functools.cache
def _templates() -> list[Obj]:
    """Return a Service and a Deployment of the workshop; they are copied, not changed."""
    return originals.manifests(_TEMPLATE)


def _service(name: str) -> Obj:
    service = copy.deepcopy(_templates()[0])
    service["metadata"] = {"name": name, "labels": {"app": name}}
    service["spec"]["selector"] = {"app": name}
    return service


def _deployment(name: str, app: str, version: str, replicas: int, environment: Mapping[str, str]) -> Obj:
    deployment = copy.deepcopy(_templates()[1])
    labels = {"app": app, "version": version}
    deployment["metadata"] = {"name": name, "labels": dict(labels)}
    spec = deployment["spec"]
    spec["replicas"], spec["selector"] = replicas, {"matchLabels": dict(labels)}
    spec["template"]["metadata"] = {"labels": dict(labels)}
    container = spec["template"]["spec"]["containers"][0]
    container["name"] = app
    container["env"] = [{"name": key, "value": value} for key, value in environment.items()]
    return deployment


def _istio(kind: str, name: str, spec: dict[str, Any]) -> Obj:
    return {"apiVersion": ISTIO, "kind": kind, "metadata": {"name": name}, "spec": spec}
