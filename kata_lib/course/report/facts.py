"""On what a run ran: date, machine, engine, versions, as pairs of a word and a text."""

import os
import platform
from collections.abc import Iterator
from datetime import datetime
from importlib import metadata

from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import SIDECAR
from kata_lib.course.journal import Content
from kata_lib.mesh import proxy_config

Facts = list[tuple[str, str]]
_PACKAGES = ("canary-kata", "jupyterlab", "plotly", "pandas")


def of_run(kept: Content, learner: str = "") -> Facts:
    """Return the facts of now, and on what the kept run was; learner: "" for none."""
    name = [("name", learner)] if learner else []
    now = datetime.now().astimezone()
    date = f"{now.day} {now:%B %Y, %H:%M %Z}"
    engines = [("engine", f"{engine}: {versions}") for engine, versions in kept.ran_on.items()]
    return [*name, ("date", date), ("machine", _machine()), *engines, ("versions", _versions())]


def of_cluster(cluster: Cluster) -> str:
    """Return the versions of what a cluster runs: Kubernetes, one sidecar's image, its Envoy."""
    return ", ".join(_parts(cluster))


def _parts(cluster: Cluster) -> Iterator[str]:
    yield f"Kubernetes {cluster.api.request('GET', '/version')['gitVersion']}"
    for pod in cluster.pods():
        containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
        for image in (container["image"] for container in containers if container["name"] == SIDECAR):
            yield f"sidecar {image}"
            version = proxy_config.envoy_version(proxy_config.dump(cluster, pod["metadata"]["name"]))
            yield f"Envoy {version or 'of a version that it does not tell'}"
            return


def _machine() -> str:
    import psutil

    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()} on {platform.machine()}"
    return f"{system}, {os.cpu_count()} processors, {memory:.1f} GiB of memory"


def _versions() -> str:
    packages = [f"{name} {metadata.version(name)}" for name in _PACKAGES]
    return ", ".join([f"Python {platform.python_version()}", *packages])
