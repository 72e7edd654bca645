"""What a Prometheus finds here: one target for each pod that runs and says where its counters are.

The form is that of Prometheus' discovery over HTTP, which every build of it has:
https://prometheus.io/docs/prometheus/latest/http_sd/. A pod is reached through this server, which knows where
its ports are.
"""

from collections.abc import Iterator

from aiohttp import web

from kata_lib.engines.embedded.api.respond import answer
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.store import Obj


class ScrapeTargets:
    """The handler of SCRAPE_TARGETS."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def targets(self, request: web.Request) -> web.Response:
        """Answer with every target; `request.host` is where it asks for their counters as well."""
        return answer(list(targets(self._registry.list("pods"), request.host)))


def targets(pods: list[Obj], server: str) -> Iterator[Obj]:
    """Yield the target of each running pod with Istio's annotations for Prometheus."""
    for pod in pods:
        metadata = pod["metadata"]
        annotations = {
            key.removeprefix("prometheus.io/"): value
            for key, value in metadata.get("annotations", {}).items()
            if key.startswith("prometheus.io/")
        }
        if annotations.get("scrape") != "true" or pod.get("status", {}).get("phase") != "Running":
            continue
        namespace, name = metadata["namespace"], metadata["name"]
        port, path = annotations.get("port", "80"), annotations.get("path", "/metrics")
        labels = {
            "__metrics_path__": f"/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy{path}",
            "instance": f"{namespace}/{name}",
            "namespace": namespace,
            "pod": name,
        }
        yield {"targets": [server], "labels": labels}
