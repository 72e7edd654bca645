"""What a learner does in a lab: predicts, has checked, takes turns, sits an exam."""

from collections.abc import Callable
from types import EllipsisType
from typing import TYPE_CHECKING, Any

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import checks, outbox, predictions, progress, report
from kata_lib.course.journal import Journal
from kata_lib.course.predictions import Comparison, Said
from kata_lib.course.progress.ending import Ending, ending
from kata_lib.course.report import Written
from kata_lib.course.result import Result
from kata_lib.engines.base import Engine
from kata_lib.errors import KataError
from kata_lib.lab import activity, turns
from kata_lib.lab.changes import Changes
from kata_lib.lab.reading import Reading
from kata_lib.statistics import shares

if TYPE_CHECKING:
    import pandas as pd

    from kata_lib.course.exam.sitting import Sitting


class Learning(Changes, Reading):
    """One learner's work in one notebook, kept in their progress and journal."""

    def __init__(self, engine: Engine, cluster: Cluster, say: Callable[[str], None] = print) -> None:
        super().__init__(engine, cluster, say)
        self._notebook = ""
        self._said: dict[str, float] = {}
        self._finding = ""
        self._journal = Journal(engine.folder.name)

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
    def check(self, name: str, sample: "pd.DataFrame | EllipsisType" = ...) -> Result:
        """Say whether a step shows what it must: right, wrong with the mending line, or not enough yet."""
        result = checks.check(name, self.cluster, sample)
        progress.record(result.name, result.verdict)
        self._journal.note_check(result.name, result.verdict, result.text)
        self._finding = f"{result.name}: {result.text}"
        outbox.verdict(result.name, result.verdict, result.text)
        return result

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

    def _sitting(self) -> "Sitting":
        from kata_lib.course.exam.sitting import Sitting

        return Sitting(self.engine.folder.name, self.cluster)
