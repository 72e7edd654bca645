"""What a lab asks: requests through the proxies, what these counted and have, and what is written."""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kata_lib import traffic
from kata_lib.cluster import pod_table
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application, outbox, service
from kata_lib.course.steps import KINDS
from kata_lib.delivery.metric import LATENCY
from kata_lib.engines.base import Engine
from kata_lib.lab import activity
from kata_lib.lab.part import Part
from kata_lib.lab.weight import Weight
from kata_lib.mesh import analyze, compared, hops, telemetry, traces, weights
from kata_lib.mesh.matches import Request
from kata_lib.pictures.waterfall import Waterfall
from kata_lib.statistics import shares

if TYPE_CHECKING:
    import pandas as pd


class Reading(Part):
    """Samples, counters, pods, shares in force, weights as written, findings."""

    def __init__(self, engine: Engine, cluster: Cluster, say: Callable[[str], None] = print) -> None:
        super().__init__(engine, cluster, say)
        self._weight = Weight(cluster)

    def url(self, through: str = "", port: str = "") -> str:
        """Return where the sentences service answers; through: the gateway that asks it, such as gateway.

        port: the gateway's, by name or number, such as https; by default its first.
        """
        return application.url(self.cluster, through, port)

    @activity.shows("Asking")
    def sample(
        self,
        requests: int | None = None,
        *,
        seconds: float | None = None,
        rate: float | None = None,
        concurrency: int | None = None,
        connections: traffic.Connections = "per-request",
        seed: int | None = None,
        headers: Mapping[str, str] | None = None,
        users: int | None = None,
        on_progress: Callable[[int], None] | None = None,
        through: str = "",
        service: str = "",
    ) -> "pd.DataFrame":
        """Ask the sentences service and return one row a request, as traffic.sample does.

        through: the gateway by which the requests come in; without one they go to sentences itself.
        service: which one the gateway is asked for, by a host such as name.example.
        """
        headers, version_of = application.asked(service, headers)
        sampled = application.sample(
            self.url(through),
            requests=requests,
            seconds=seconds,
            rate=rate,
            concurrency=concurrency,
            connections=connections,
            seed=seed,
            headers=headers,
            users=users,
            on_progress=on_progress,
            version_of=version_of,
        )
        outbox.counts(len(sampled), Counter(sampled["version"].dropna()))
        return sampled

    def watch(
        self,
        rate: float,
        through: str = "",
        service: str = "",
        connections: traffic.Connections = "per-request",
    ) -> traffic.Sampler:
        """Ask in the background, `rate` times a second, until its stop(); the others as of sample."""
        headers, version_of = application.asked(service)
        return application.Sampler(
            self.url(through), rate, connections=connections, headers=headers, version_of=version_of
        )

    def hops(self) -> "pd.DataFrame":
        """Send one request and return which pods' sidecars counted it, received and sent."""
        return hops.count(self.cluster, lambda: self.sample(requests=1))

    @activity.shows("Following requests")
    def trace(self, requests: int = 1) -> Waterfall:
        """Send requests, and return what the sidecars wrote of the one that took longest, as a picture."""
        agent = f"kata-trace/{uuid.uuid4()}"
        headers = {"user-agent": agent, "x-client-trace-id": agent}
        found = traces.of(
            self.cluster, agent, lambda: len(self.sample(requests=requests, concurrency=8, headers=headers))
        )
        return Waterfall(max(found, key=lambda trace: trace.ms))

    @activity.shows("Reading the sidecars' counters")
    def counters(self, since: "pd.DataFrame | None" = None, *, durations: bool = False) -> "pd.DataFrame":
        """Return what the sidecars have counted, as telemetry.reading does; since: an earlier reading.

        durations: whether with how many requests took how long, for a graph with p95.
        """
        now = telemetry.reading(self.cluster, within=telemetry.BOUNDS if durations else ())
        if now.attrs["source"] != telemetry.ISTIOS:
            self._say(f"Counted by {now.attrs['source']}.")
        for pod, why in now.attrs["silent"].items():
            self._say(f"Without what {pod} counted, which does not answer: {why}")
        return now if since is None else telemetry.difference(since, now)

    def uncounted(self) -> tuple[str, ...]:
        """Return which of a plan's metrics the sidecars cannot give, and say so: latency, or none."""
        self.sample(requests=1)
        source = telemetry.counters(self.cluster).attrs["source"]
        if source == telemetry.ISTIOS:
            return ()
        self._say(f"Left out: {LATENCY}. Counted by {source}.")
        return (LATENCY,)

    def share(self, sample: "pd.DataFrame", version: str = "v2") -> shares.Share:
        """Return a version's share of a sample with its 95 % interval."""
        return shares.observed(sample, version)

    def failed(self, sample: "pd.DataFrame") -> shares.Share:
        """Return the share of a sample's requests that failed, with its 95 % interval."""
        return shares.share_of("failed", int(sample["error"].notna().sum()), len(sample))

    def pods(self) -> "pd.DataFrame":
        """Return a table of the pods as `kubectl get pods` shows them, with their versions."""
        import pandas as pd

        table = pd.DataFrame(pod_table.rows(self.cluster.pods()), columns=pod_table.COLUMNS)
        return table.set_index("pod").rename_axis(index=None, columns="pod")

    def weights(self) -> dict[str, int]:
        """Return the weight of each subset for name, as written; {} where no rule sets it."""
        return weights.read(self.cluster, service.NAME)

    @property
    def weight(self) -> Weight:
        """The newest version's weight, whose `value` any ipywidget can be linked with."""
        return self._weight.read()

    def expected_share(self, headers: Mapping[str, str] | None = None, through: str = "") -> dict[str, float]:
        """Return the share of requests to name that each version should get, as the caller's Envoy has it.

        headers: those that the requests have, where rules look at them. through: the gateway that calls, by
        default sentences.
        """
        found = service.in_force(self.cluster, through)
        return dict(found.outcome(Request(headers=headers or {})).versions)

    def proxy_values(self) -> "pd.Series[Any]":
        """Return what the sidecar of sentences has of the way to name, value by value, as Envoy says it."""
        return compared.read(self.cluster, service.NAME, service.CALLER)

    def analyze(self) -> analyze.Analysis:
        """Say what is wrong with the namespace's objects, as `kata analyze` does."""
        return service.analysis(self.cluster)

    def left_over(self) -> list[str]:
        """Return what of the workshop's kinds is in the namespace: workloads, services, Istio's routing."""
        return [f"{obj['kind']} {obj['metadata']['name']}" for obj in self.cluster.contents(KINDS)]
