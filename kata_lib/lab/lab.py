"""The learner's workshop: an engine, a namespace with sidecars, and the step's starting state.

`open_lab` is the first line of every notebook; the Lab that it returns does what a hand with kubectl and curl
would, and says what it did.
"""

from collections.abc import Callable, Sequence
from functools import partial

from kata_lib import engines
from kata_lib.cluster import waiting
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import beginning, checks, outbox
from kata_lib.course.application import APPLICATION
from kata_lib.course.exercises import step
from kata_lib.course.report import facts
from kata_lib.course.steps import lacking
from kata_lib.delivery import argo
from kata_lib.errors import ClusterError
from kata_lib.lab import activity, class_notices, missing_names, unquoted, whole_tables
from kata_lib.lab.attending import Attending, offered
from kata_lib.pictures import shown, theme


def open_lab(step: str | None = None, engine: str | None = None, reset: bool | None = None) -> "Lab":
    """Bring the cluster up, or find it, and set up what the step begins with.

    step: "setup", "deploy", "canary", "weight-lab" or a notebook's name; None changes nothing in the
    namespace. What the workshop's own cells, commands and files left otherwise is set right. A learner's own
    work stays, and each difference is said with the line that makes it good; with reset=True, and where
    KATA_RESET=1 or CI is set (but not KATA_RESET=0), the namespace afterwards holds the starting state and
    nothing else. engine: as KATA_ENGINE. Says what it did.
    """
    activity.of_cells()
    class_notices.of_cells()
    missing_names.explain()
    theme.show()
    whole_tables.show()
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


class Lab(Attending):
    """What notebooks work with; `cluster` is the namespace for all that is not here, `say` takes messages."""

    def __repr__(self) -> str:
        return f"Lab on the {self.engine.name} engine, namespace {self.cluster.namespace}"

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

    def accept_reset(self) -> None:
        """Bring back what the step begins with whose reset the instructor offers, as `kata reset` does.

        Raises KataError where none is offered.
        """
        offer = offered()
        self.begin(offer.step, reset=True)
        outbox.answer(offer.number, True)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
