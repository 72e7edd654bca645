"""What a lab changes: what a hand with kubectl would, and until the next request meets it."""

import time
from collections.abc import Mapping

from kata_lib.cluster.manifests import parse
from kata_lib.course import service
from kata_lib.errors import WaitTimeout
from kata_lib.lab import activity
from kata_lib.lab.part import Part
from kata_lib.mesh.synced import Moment


class Changes(Part):
    """Applies, deletes, scales, sets weights; waits each time, and says what it did."""

    @activity.shows("Applying")
    def apply(self, path: str) -> None:
        """Do `kubectl apply -f PATH` and wait until all pods are ready."""
        since = self._moment()
        for line in self.cluster.apply(path):
            self._say(line)
        self._wait(since)

    @activity.shows("Applying")
    def apply_yaml(self, text: str) -> None:
        """Do `kubectl apply -f -` with this text, unless dots are left in it; wait until pods are ready."""
        left = [f"line {n}: {line.strip()}" for n, line in enumerate(text.splitlines(), 1) if "..." in line]
        if left:
            self._say(f"Nothing is applied yet, for there are still dots in it. {'; '.join(left)}")
            return
        since = self._moment()
        for manifest in parse(text, "Your YAML"):
            self._say(self.cluster.apply_object(manifest))
        self._wait(since)

    @activity.shows("Deleting")
    def delete(self, path: str) -> None:
        """Do `kubectl delete -f PATH` and wait until it is gone."""
        since = self._moment()
        for line in self.cluster.delete(path):
            self._say(line)
        self._settle(since)

    @activity.shows("Scaling")
    def scale(self, deployment: str, replicas: int) -> None:
        """Do `kubectl scale deployment NAME --replicas=N` and wait until all pods are ready."""
        since = self._moment()
        self.cluster.scale(deployment, replicas)
        self._say(f"deployment.apps/{deployment} scaled")
        self._wait(since)

    @activity.shows("Setting the environment")
    def set_env(self, deployment: str, **values: str | None) -> None:
        """Do `kubectl set env deployment NAME KEY=VALUE`, with None `KEY-`, and wait until pods are ready."""
        since = self._moment()
        self.cluster.set_env(deployment, values)
        self._say(f"deployment.apps/{deployment} env updated")
        self._wait(since)

    @activity.shows("Setting the weights")
    def set_weights(self, weights: Mapping[str, float]) -> dict[str, int]:
        """Set the weights for name, as {"name-v2": 20}; the rest to 100 goes to the other. Return all."""
        since = self._moment()
        written = service.set_weights(self.cluster, weights)
        self._settle(since)
        return written

    def _moment(self) -> Moment:
        """Return how things stand before something is written, for `_settle`."""
        return service.moment(self.cluster)

    def _wait(self, since: Moment, deployments: list[str] | None = None) -> None:
        began = time.monotonic()
        self.cluster.wait_ready(timeout=60.0, deployments=deployments)
        if (took := time.monotonic() - began) > 0.2:
            self._say(f"All pods ready after {took:.1f} s.")
        self._settle(since)

    def _settle(self, since: Moment) -> None:
        """Wait until the next request meets what was written since; say so where it does not."""
        try:
            service.settle(self.cluster, since)
        except WaitTimeout as late:
            self._say(f"{late}. `kata proxy-config routes POD` shows what a sidecar has.")
