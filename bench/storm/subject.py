"""One cluster in a storm: the load on it, what of it can be killed, and whether all of it is well."""

import contextlib
import os
import random
import signal
from collections import defaultdict
from contextlib import ExitStack
from urllib.error import URLError
from urllib.request import urlopen

from bench import start
from bench.changes import CANARY
from bench.storm.clients import Clients
from kata_lib import engines
from kata_lib.cluster import waiting
from kata_lib.cluster.pods import SIDECAR
from kata_lib.course import application
from kata_lib.course.application import APPLICATION
from kata_lib.engines.embedded import processes
from kata_lib.engines.embedded.processes import DAEMON_MARK, POD_MARK, Identity
from kata_lib.engines.embedded.state import State
from kata_lib.errors import ClusterError, EngineError, TrafficError
from kata_lib.traffic.frames import RequestRecord

READY_LIMIT = 60.0  # seconds
ANSWER_LIMIT = 1.0  # seconds
ID_SCHEME = "process://"


class Load:
    """So many requests a second; the sampler that sends them can be made anew."""

    def __init__(self, url: str, rate: float) -> None:
        self._url, self._rate = url, rate
        self.begin()

    def begin(self) -> None:
        """Send, by a new sampler."""
        self._sampler, self._number = application.Sampler(self._url, self._rate), 0

    def is_broken(self) -> bool:
        """Return whether the sampler has ended."""
        try:
            self._sampler.since(self._number)
        except TrafficError:
            return True
        return False

    def process(self) -> Identity | None:
        """Return the sampler's process, None where it has ended."""
        return processes.identify(self._sampler.pid)

    def taken(self) -> list[RequestRecord]:
        """Return what was answered since this was asked last, as far as a sampler lives to tell."""
        try:
            records, self._number = self._sampler.since(self._number)
        except TrafficError:
            return []
        return records

    def end(self) -> None:
        """Send no more."""
        if not self.is_broken():
            self._sampler.stop()


class Subject:
    """One cluster in the storm; rate: of the requests to it, a second."""

    def __init__(self, name: str, rate: float, stack: ExitStack) -> None:
        self.name = name
        self.engine = engines.select(APPLICATION, "embedded", name)
        stack.callback(self.engine.stop)
        self._cluster = start.bring_up(self.engine)
        self._cluster.apply(CANARY)
        self._url = self._cluster.url(APPLICATION.service)
        self._mark = State(self.engine.folder.path).mark
        self.load = Load(self._url, rate)
        stack.callback(self.load.end)
        waiting.until(self.missing, READY_LIMIT, None, "The cluster is not ready for its storm")
        self.clients = Clients(self._cluster)

    def processes(self) -> dict[str, list[Identity]]:
        """Return the processes that stand for something, by what that is."""
        found: dict[str, list[Identity]] = defaultdict(list)
        for process, owner in processes.find_marked(self._mark):
            if processes.session(process) == process.pid:
                found[_kind(owner)].append(process)
        found["daemon"] = [process for process, _ in processes.find_marked(self._mark, DAEMON_MARK)]
        found["sampler"] = [process for process in [self.load.process()] if process]
        return {kind: those for kind, those in found.items() if those}

    def all_of_it(self) -> list[Identity]:
        """Return every process of the cluster and its load, without exception."""
        marks = (POD_MARK, DAEMON_MARK)
        marked = [process for mark in marks for process, _ in processes.find_marked(self._mark, mark)]
        return [*marked, *self.processes().get("sampler", ())]

    def strike(self, chance: random.Random) -> str:
        """Kill something; return what kind of process it was."""
        there = self.processes()
        kind = chance.choice(sorted(there))
        victim = chance.choice(there[kind])
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim.pid, signal.SIGKILL)
        return kind

    def mend(self) -> None:
        """Do what a person does: bring a cluster up whose daemon is gone, begin anew to send requests."""
        if self.engine.where() is None:
            try:
                self.engine.start(lambda line: None)
            except EngineError:
                return  # it was killed again meanwhile
        if self.load.is_broken():
            self.load.begin()

    def missing(self) -> str:
        """Return what is not as it should be, "" for nothing: one process for each container, and answers."""
        try:
            pods = self._cluster.pods()
        except ClusterError as error:
            return str(error)
        there = self.processes()
        statuses = [status for pod in pods for status in pod["status"].get("containerStatuses", ())]
        if unready := [status["name"] for status in statuses if not status["ready"]]:
            return f"not ready: {', '.join(unready)}"
        told = sorted(status["containerID"].removeprefix(ID_SCHEME) for status in statuses)
        run = sorted(str(process) for kind in ("sidecar", "application") for process in there.get(kind, ()))
        if told != run or len(there.get("node's Envoy", ())) != 1 or len(there.get("daemon", ())) != 1:
            return f"{', '.join(run)} run, where there should be {', '.join(told)}"
        return self._unanswered()

    def _unanswered(self) -> str:
        try:
            with urlopen(self._url, timeout=ANSWER_LIMIT):
                return ""
        except (URLError, OSError) as error:
            return str(error)


def _kind(owner: str) -> str:
    """Return what a process is, by its mark's rest, <pod uid>/<container>."""
    pod, _, container = owner.partition("/")
    if pod == "node":
        return "node's Envoy"
    return "sidecar" if container == SIDECAR else "application"
