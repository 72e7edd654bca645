"""One learner's exam: a namespace of its own on the learner's cluster, one task after the other.

    <state folder>/NAME.exam.json    the seed, the task that is under way, and what was said of it

Each task is handed in once. What became of it is in the journal, and so in the report.
"""

import secrets
import textwrap
from pathlib import Path
from typing import Any

from kata_lib import files, machine
from kata_lib.cluster import waiting
from kata_lib.cluster.client import ApiRefused
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.location import MANAGED_BY
from kata_lib.cluster.replacing import replace
from kata_lib.course.exam import judging, tasks
from kata_lib.course.exam.tasks import Task
from kata_lib.course.journal import Journal
from kata_lib.course.result import Result
from kata_lib.errors import ClusterError, KataError
from kata_lib.mesh import synced

READY_SECONDS, GONE_SECONDS = 90.0, 120.0
LARGEST_SEED = 999_999
_WIDTH = 88
_MARK = {MANAGED_BY: "canary-kata", "canary-kata/exam": "true"}
_INJECTION = ("istio-injection", "istio.io/rev")
_FORBIDDEN, _CONFLICT = 403, 409


class Sitting:
    """The exam on a cluster of that name, as the learner's namespace sees it."""

    def __init__(self, name: str, cluster: Cluster) -> None:
        self._file = state(name)
        self._home = cluster
        self._journal = Journal(name)
        own = "exam" if cluster.namespace == "default" else f"{cluster.namespace}-exam"
        self.namespace = own
        self.cluster = cluster.within(own)

    def begin(self, seed: int | None = None) -> str:
        """Begin an exam, or go on with the one under way, and return its task as a text.

        seed: 0 to 999999, by default a random one. KataError where another seed's exam is under way.
        """
        known = self._known()
        if known is None:
            seed = secrets.randbelow(LARGEST_SEED + 1) if seed is None else _checked(seed)
            known = self._prepare(seed, 0)
        elif seed not in (None, known["seed"]):
            raise KataError(
                f"The exam {known['seed']} is under way: hand its tasks in, or `kata exam --stop` ends it."
            )
        elif not self._is_there():
            known = self._prepare(known["seed"], known["task"])
        return self._text(known)

    def hand_in(self) -> tuple[Result, str]:
        """Check the task under way, once and for all; return the verdict and the next task, or the end."""
        known = self._under_way()
        drawn = tasks.draw(known["seed"])
        task = drawn[known["task"]]
        result = judging.judge(self.cluster, task)
        self._journal.note_task(known["seed"], len(drawn), task.title, result.verdict, result.text)
        if known["task"] + 1 < len(drawn):
            return result, self._text(self._prepare(known["seed"], known["task"] + 1))
        self.stop()
        return result, self._end(known["seed"])

    def stop(self) -> bool:
        """Remove the exam and its namespace; return whether there was one."""
        there = self._file.exists() or self._is_there()
        if self._is_there():
            with waiting.busy(f"Removing the namespace {self.namespace}"):
                self._home.api.request("DELETE", f"/api/v1/namespaces/{self.namespace}")
                waiting.until(self._left, GONE_SECONDS, None, "The exam's namespace is still there")
        self._file.unlink(missing_ok=True)
        return there

    def _prepare(self, seed: int, number: int) -> dict[str, Any]:
        """Make what a task begins with, and write down that it is under way."""
        task = tasks.draw(seed)[number]
        caller = task.scenario.theme.caller
        with waiting.busy(f"Preparing task {number + 1}"):
            self.make_namespace()
            since = synced.now(self.cluster, caller)
            replace(self.cluster, task.start, lambda _: True)
            self.cluster.wait_ready(READY_SECONDS)
            synced.until(self.cluster, caller, since)
            figures = judging.figures(self.cluster, task) if task.figures else ""
        known = {"seed": seed, "task": number, "figures": figures}
        files.write_json(self._file, known)
        return known

    def _text(self, known: dict[str, Any]) -> str:
        drawn = tasks.draw(known["seed"])
        task: Task = drawn[known["task"]]
        head = f"Exam {known['seed']}, task {known['task'] + 1} of {len(drawn)}: {task.title}"
        figures = ["", known["figures"]] if known["figures"] else []
        where = f"All of it is in the namespace `{self.namespace}`. Hand it in once: the verdict stands."
        return "\n".join([head, "", textwrap.fill(task.words, _WIDTH), *figures, "", where])

    def _end(self, seed: int) -> str:
        exam = self._journal.load().exams[str(seed)]
        right = sum(task.verdict == "right" for task in exam.tasks)
        words = "passed" if exam.passed else "not passed"
        return (
            f"Exam {seed} is over: {right} of {exam.of} tasks are right, {words}. `kata report` has it. "
            f"The namespace {self.namespace} is removed."
        )

    def _known(self) -> dict[str, Any] | None:
        known = files.read_json(self._file)
        return known if known and {"seed", "task", "figures"} <= known.keys() else None

    def _under_way(self) -> dict[str, Any]:
        known = self._known()
        if known is None or not self._is_there():
            raise KataError("No exam is under way: `kata exam` begins one.")
        return known

    def _is_there(self) -> bool:
        """Return whether the exam's namespace is there; KataError where it is somebody else's."""
        try:
            found = self._home.api.request("GET", f"/api/v1/namespaces/{self.namespace}")
        except ApiRefused as refused:
            if refused.code in (404, _FORBIDDEN):
                return False
            raise
        if not _MARK.items() <= (found["metadata"].get("labels") or {}).items():
            raise KataError(f"The namespace {self.namespace} is not an exam's; it stays as it is.")
        return True

    def _left(self) -> str:
        return f"namespace {self.namespace} is being removed" if self._is_there() else ""

    def make_namespace(self) -> None:
        """Make the namespace, unless it is there, whose pods get a sidecar as the learner's own do."""
        if self._is_there():
            return
        own = self._home.api.request("GET", f"/api/v1/namespaces/{self._home.namespace}")
        labels = own["metadata"].get("labels") or {}
        injection = {key: labels[key] for key in _INJECTION if key in labels} or {_INJECTION[0]: "enabled"}
        metadata = {"name": self.namespace, "labels": {**_MARK, **injection}}
        try:
            self._home.api.request(
                "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            )
        except ApiRefused as refused:
            if refused.code != _FORBIDDEN:
                raise
            raise ClusterError(
                f"The exam needs a namespace {self.namespace}, and you may not make one here: {refused}. "
                "`kata up --name exam --engine embedded` gives a cluster of your own."
            ) from refused


def state(name: str) -> Path:
    """Return the file of the exam on the cluster of that name."""
    return machine.state_folder() / f"{name}.exam.json"


def _checked(seed: int) -> int:
    if not 0 <= seed <= LARGEST_SEED:
        raise KataError(f"A seed is a whole number from 0 to {LARGEST_SEED}, not {seed}.")
    return seed
