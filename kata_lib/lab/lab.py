"""The learner's workshop: an engine, a namespace with sidecars, and the step's starting state.

`open_lab` is the first line of every notebook; the Lab that it returns does what a hand with kubectl and curl
would, and says what it did.
"""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import EllipsisType
from typing import Any

import pandas as pd

from kata_lib import engines, traffic
from kata_lib.cluster import pod_table, waiting
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.manifests import parse
from kata_lib.course import (
    application,
    beginning,
    checks,
    outbox,
    predictions,
    progress,
    report,
    service,
)
from kata_lib.course.application import APPLICATION
from kata_lib.course.exam.sitting import Sitting
from kata_lib.course.exercises import step
from kata_lib.course.journal import Journal
from kata_lib.course.predictions import Comparison, Said
from kata_lib.course.progress.ending import Ending, ending
from kata_lib.course.report import Written, facts
from kata_lib.course.result import Result
from kata_lib.course.steps import KINDS, lacking
from kata_lib.delivery import argo
from kata_lib.delivery.metric import LATENCY
from kata_lib.engines.base import Engine
from kata_lib.errors import ClusterError, KataError, WaitTimeout
from kata_lib.lab import activity, missing_names, turns, unquoted
from kata_lib.lab.ways import Ways
from kata_lib.lab.weight import Weight
from kata_lib.mesh import analyze, compared, hops, telemetry, traces, weights
from kata_lib.mesh.matches import Request
from kata_lib.mesh.synced import Moment
from kata_lib.pictures import shown, theme
from kata_lib.pictures.waterfall import Waterfall
from kata_lib.statistics import shares

_HAND_UP = "Your hand is up, with the last finding and what `kata analyze` says."
_NO_CLASS = "You are in no class, so nobody sees it: `kata class join URL --code CODE`."


def open_lab(step: str | None = None, engine: str | None = None, reset: bool | None = None) -> "Lab":
    """Bring the cluster up, or find it, and set up what the step begins with.

    step: "setup", "deploy", "canary", "weight-lab" or a notebook's name; None changes nothing in the
    namespace. What the workshop's own cells, commands and files left otherwise is set right. A learner's own
    work stays, and each difference is said with the line that makes it good; with reset=True, and where
    KATA_RESET=1 or CI is set (but not KATA_RESET=0), the namespace afterwards holds the starting state and
    nothing else. engine: as KATA_ENGINE. Says what it did.
    """
    activity.of_cells()
    missing_names.explain()
    theme.show()
    pd.set_option("display.max_colwidth", None)  # a sentence in a table is read to its end
    unquoted.accept()
    lab = connect(engine)
    if step is not None:
        lab.begin(step, reset=checks.resets() if reset is None else reset)
    return lab


def connect(
    engine: str | None = None, cluster: str | None = None, say: Callable[[str], None] = print
) -> "Lab":
    """Bring the cluster up, or find it, with sidecars for new pods; cluster: as KATA_NAME."""
    chosen = engines.select(APPLICATION, engine, cluster)
    with activity.shown(), waiting.busy("Starting the cluster") as tell:
        place = chosen.start(tell)
    lab = Lab(chosen, Cluster.at(place), say)
    if lab.cluster.enable_injection():
        say(f"Pods in namespace {lab.cluster.namespace} get a sidecar: istio-injection=enabled.")
    return lab


class Lab:
    """What notebooks work with; `cluster` is the namespace for all that is not here, `say` takes messages."""

    def __init__(self, engine: Engine, cluster: Cluster, say: Callable[[str], None] = print) -> None:
        self.engine = engine
        self.cluster = cluster
        self._say = say
        self._notebook = ""
        self._said: dict[str, float] = {}
        self._journal = Journal(engine.folder.name)
        self._weight = Weight(cluster)
        self._ways = Ways(cluster)
        self._finding = ""

    def __repr__(self) -> str:
        return f"Lab on the {self.engine.name} engine, namespace {self.cluster.namespace}"

    def url(self, through: str = "") -> str:
        """Return where the sentences service answers; through: the gateway that asks it, such as gateway."""
        return self._ways.url(through) if through else application.url(self.cluster)

    @activity.shows("Setting up what this step begins with")
    def begin(self, name: str, reset: bool = False) -> None:
        """Set up a step's starting state as open_lab says."""
        wanted, since = step(name), self._moment()
        self._notebook = wanted.notebook
        shown.keep(partial(self._journal.note_picture, wanted.notebook))
        if reason := lacking(self.cluster, wanted):
            raise ClusterError(reason)
        begun = (beginning.anew if reset else beginning.begin)(self.cluster, wanted)
        for line in begun.lines:
            self._say(line)
        deployments = wanted.names("Deployment")
        self._wait(since, [name for name in deployments if begun.is_as_it_should_be("Deployment", name)])
        for rollout in wanted.names(argo.KIND):
            if begun.is_as_it_should_be(argo.KIND, rollout):
                argo.until_healthy(self.cluster, rollout)
                self._settle(since)
        begins = _listed(wanted.starts_with) or "an empty namespace"
        self._journal.note_engine(self.engine.name, facts.of_cluster(self.cluster))
        ready = "Ready, but for what was kept." if begun.kept else "Ready."
        self._say(f"{ready} This step begins with {begins}.")

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

    def left_over(self) -> list[str]:
        """Return what of the workshop's kinds is in the namespace: workloads, services, Istio's routing."""
        return [f"{obj['kind']} {obj['metadata']['name']}" for obj in self.cluster.contents(KINDS)]

    def pods(self) -> pd.DataFrame:
        """Return a table of the pods as `kubectl get pods` shows them, with their versions."""
        table = pd.DataFrame(pod_table.rows(self.cluster.pods()), columns=pod_table.COLUMNS)
        return table.set_index("pod").rename_axis(index=None, columns="pod")

    def weights(self) -> dict[str, int]:
        """Return the weight of each subset for name, as written; {} where no rule sets it."""
        return weights.read(self.cluster, service.NAME)

    @property
    def weight(self) -> Weight:
        """The newest version's weight, whose `value` any ipywidget can be linked with."""
        return self._weight.read()

    @activity.shows("Setting the weights")
    def set_weights(self, weights: Mapping[str, float]) -> dict[str, int]:
        """Set the weights for name, as {"name-v2": 20}; the rest to 100 goes to the other. Return all."""
        since = self._moment()
        written = service.set_weights(self.cluster, weights)
        self._settle(since)
        return written

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
    ) -> pd.DataFrame:
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

    def hops(self) -> pd.DataFrame:
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

    @activity.shows("Reading the sidecars' counters")
    def counters(self, since: pd.DataFrame | None = None, *, durations: bool = False) -> pd.DataFrame:
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

    def share(self, sample: pd.DataFrame, version: str = "v2") -> shares.Share:
        """Return a version's share of a sample with its 95 % interval."""
        return shares.observed(sample, version)

    def failed(self, sample: pd.DataFrame) -> shares.Share:
        """Return the share of a sample's requests that failed, with its 95 % interval."""
        return shares.share_of("failed", int(sample["error"].notna().sum()), len(sample))

    def predict(self, question: str, value: Said) -> None:
        """Note a number before the truth is shown: 33, "33 %" or 1/3; dots are no number yet."""
        said = predictions.read(question, value)
        if said is not None:
            self._said[question] = said
            outbox.prediction(question, said)
        self._say(predictions.noted(question, said))

    def compare(self, question: str, seen: shares.Share | float) -> Comparison:
        """Show what was predicted beside what is expected and what was seen, and say how far off it was."""
        compared = predictions.compare(question, self._said.get(question), seen)
        self._journal.note_prediction(*compared.cells(), compared.how_far)
        return compared

    @activity.shows("Checking")
    def check(self, name: str, sample: pd.DataFrame | EllipsisType = ...) -> Result:
        """Say whether a step shows what it must: right, wrong with the mending line, or not enough yet."""
        result = checks.check(name, self.cluster, sample)
        progress.record(result.name, result.verdict)
        self._journal.note_check(result.name, result.verdict, result.text)
        self._finding = f"{result.name}: {result.text}"
        outbox.verdict(result.name, result.verdict, result.text)
        return result

    def raise_hand(self) -> None:
        """Show the instructor the last finding and what `kata analyze` says, until `lower_hand()`."""
        self._say(_HAND_UP if outbox.hand(True, self._finding, str(self.analyze())) else _NO_CLASS)

    def lower_hand(self) -> None:
        """Take the hand down."""
        self._say("Your hand is down." if outbox.hand(False) else _NO_CLASS)

    def turn(self, name: str, made: Any = None) -> Any:
        """Say whether a turn is done, here or in a terminal; return what its cell made.

        Where later cells read that and there is none, what stands in for it is made, said and returned.
        """
        return turns.take(self, name, made, self._say)

    def done(self) -> Ending:
        """Return what was done in this notebook: its checks, and how far off its predictions were."""
        if not self._notebook:
            raise KataError('No step was opened: lab = open_lab(step="...") says which notebook this is.')
        return ending(self._notebook, self._journal)

    def report(self, file: str | None = None) -> Written:
        """Write a page of this learner's own run, as `kata report` does, and show where it is."""
        return report.of_learner(file)

    @activity.shows("Preparing the exam")
    def exam(self, seed: int | None = None) -> None:
        """Begin an exam on services that you do not know, or show the task under way, as `kata exam` does."""
        self._say(self._sitting().begin(seed))

    @activity.shows("Checking")
    def hand_in(self) -> Result:
        """Have the exam's task checked, once and for all, and go on with the next."""
        result, then = self._sitting().hand_in()
        self._say(then)
        return result

    def _sitting(self) -> Sitting:
        return Sitting(self.engine.folder.name, self.cluster)

    def analyze(self) -> analyze.Analysis:
        """Say what is wrong with the namespace's objects, as `kata analyze` does."""
        return service.analysis(self.cluster)

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


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
