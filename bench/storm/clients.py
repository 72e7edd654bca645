"""Two who write, one who watches, and what an API promised them.

Nothing acknowledged is lost, in a read or in a watch, and resource versions only grow.
"""

import json
import threading
from abc import ABC, abstractmethod
from collections import deque

from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course.steps import CANARY
from kata_lib.errors import ClusterError
from kata_lib.mesh.virtual_services import ISTIO

PAUSE = 0.05  # seconds between two writes, and before something that had no answer is asked again
END_LIMIT = 40.0  # seconds: a request ends after 30, whatever happens
KEPT = 20
"""How many of its objects a collector keeps; it deletes the oldest."""
WATCH_SECONDS = 2
NUMBER = "storm/number"
PREFIX = "storm-"


class Client(ABC):
    """Asks one cluster again and again in a thread of its own; `broken` says which promises were not kept."""

    def __init__(self, cluster: Cluster) -> None:
        self.broken: list[str] = []
        self.acknowledged = 0
        self._cluster = cluster
        self._version = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask nothing more."""
        self._ending.set()
        self._thread.join(END_LIMIT)

    @abstractmethod
    def ask(self) -> None:
        """Ask once; ClusterError where there is no answer."""

    def _run(self) -> None:
        while not self._ending.wait(PAUSE):
            try:
                self.ask()
            except ApiRefused as refused:
                self.broken.append(f"refused: {refused}")
            except ClusterError:
                continue  # nobody answers: nothing is acknowledged
            except Exception as error:
                self.broken.append(f"{type(error).__name__}: {error}")
                raise

    def grown(self, obj: Obj, *, more: bool = True) -> None:
        """Note the resource version of what was answered, which is after what was written before."""
        version = int(obj["metadata"]["resourceVersion"])
        if version < self._version + more:
            self.broken.append(f"resource version {version} after {self._version}")
        self._version = max(version, self._version)


class Counter(Client):
    """Counts in the route's annotations, and gives v2 another weight with each number."""

    _tried = _written = 0

    def ask(self) -> None:
        self.check()
        self._tried += 1
        weight = 10 + self._tried * 7 % 80
        stable, canary = self._route()["spec"]["http"][0]["route"]
        route = [{**stable, "weight": 100 - weight}, {**canary, "weight": weight}]
        annotations = {NUMBER: str(self._tried)}
        change = {"metadata": {"annotations": annotations}, "spec": {"http": [{"route": route}]}}
        self.grown(self._cluster.patch(ISTIO, "VirtualService", "name", change))
        self._written = self._tried
        self.acknowledged += 1

    def check(self) -> None:
        """See whether what was acknowledged is there."""
        found = self._route()
        number = int(found["metadata"].get("annotations", {}).get(NUMBER, 0))
        if not self._written <= number <= self._tried:
            self.broken.append(f"number {number} after {self._written} was acknowledged")
        self.grown(found, more=False)

    def _route(self) -> Obj:
        found = self._cluster.get(ISTIO, "VirtualService", "name")
        assert found is not None, f"{CANARY} is applied"
        return found


class Collector(Client):
    """Creates objects and deletes the oldest, each under a name of its own."""

    def __init__(self, cluster: Cluster, kept: int = KEPT) -> None:
        super().__init__(cluster)
        self.created: list[str] = []
        self._most = kept
        self._kept: deque[str] = deque()
        self._deleted: set[str] = set()
        self._tried = 0

    def ask(self) -> None:
        self.check()
        self._tried += 1
        name = f"{PREFIX}{self._tried}"
        self.grown(
            self._cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
        )
        self.created.append(name)
        self._kept.append(name)
        self.acknowledged += 1
        if len(self._kept) > self._most:
            oldest = self._kept.popleft()
            self._cluster.remove("v1", "ConfigMap", oldest)
            self._deleted.add(oldest)
            self.acknowledged += 1

    def check(self) -> None:
        """See whether what was acknowledged is there, and what was deleted is not."""
        listed = self._cluster.api.request("GET", self._cluster.api.path("v1", "ConfigMap"))
        names = {item["metadata"]["name"] for item in listed["items"]}
        self.broken += [f"{name} is lost" for name in self._kept if name not in names]
        self.broken += [f"{name} is there again" for name in self._deleted & names]
        self.grown(listed, more=False)


class Watcher(Client):
    """Watches what a collector makes, and goes on after the last event that it saw."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.seen: set[str] = set()

    def ask(self) -> None:
        query = {"watch": "true", "timeoutSeconds": str(WATCH_SECONDS), "resourceVersion": str(self._version)}
        for line in self._cluster.api.lines(self._cluster.api.path("v1", "ConfigMap"), query):
            event = json.loads(line)
            if event["type"] == "ERROR":
                self.broken.append(f"watch: {event['object']['message']}")
                return
            self.grown(event["object"])
            self.acknowledged += 1
            if event["type"] == "ADDED":
                self.seen.add(event["object"]["metadata"]["name"])


class Clients:
    """The two writers and the watcher of a cluster whose route is the canary's."""

    def __init__(self, cluster: Cluster) -> None:
        self._counter, self._collector, self._watcher = Counter(cluster), Collector(cluster), Watcher(cluster)
        self._all: tuple[Client, ...] = (self._counter, self._collector, self._watcher)
        for client in self._all:
            client.start()

    def stop(self) -> None:
        """End them, the watcher once it has asked for what was written last."""
        for writer in (self._counter, self._collector):
            writer.stop()
            writer.check()
        self._watcher.stop()
        self._watcher.ask()
        unseen = set(self._collector.created) - self._watcher.seen
        self._watcher.broken += [f"{name} was not watched" for name in sorted(unseen)]

    @property
    def acknowledged(self) -> int:
        """How many writes were, and how many events were seen."""
        return sum(client.acknowledged for client in self._all)

    @property
    def broken(self) -> list[str]:
        """Which promises were not kept."""
        return [why for client in self._all for why in client.broken]
