"""04: what the mesh itself counts."""

from typing import TYPE_CHECKING, Any

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import verdicts, wanted
from kata_lib.course.exercise import Exercise, InClass, Question
from kata_lib.course.mistake import Mistake
from kata_lib.course.result import Result
from kata_lib.course.steps import CANARY, V1, V2, Step
from kata_lib.course.turn import Hands, Turn, has_dots
from kata_lib.statistics import shares

if TYPE_CHECKING:
    import pandas as pd

_MEASURE = (
    "before = lab.counters(); sample = lab.sample(requests=500); counted = lab.counters(since=before); "
    "from kata_lib import telemetry; table = telemetry.side_by_side(sample, counted, service='name')"
)


def _mesh_agrees(cluster: Cluster, table: "pd.DataFrame") -> Result:
    """Look at a table of telemetry.side_by_side."""
    for mistake in verdicts.routed(cluster, wanted.CANARY_10):
        return verdicts.wrong(mistake)
    if missing := {"client", "source", "destination"} - set(table.columns):
        return verdicts.wrong(
            Mistake(f"The table has no column {', '.join(sorted(missing))}.", _MEASURE),
        )
    client, source = int(table["client"].sum()), int(table["source"].sum())
    seen = f"The client counted {client}, the callers' sidecars {source}"
    if client != source or not table["client"].equals(table["source"]):
        return verdicts.wrong(
            Mistake(
                f"{seen}. Something else asked too (scripts/loop-query.sh?), or the counters were read at "
                "another moment.",
                _MEASURE,
            )
        )
    if client < (needed := shares.requests_needed(0.1, 1 / 3)):
        return Result("", "not enough yet", f"{seen}: take {needed} requests or more.")
    if (table["destination"] < table["source"]).any():
        return verdicts.wrong(Mistake("Some of name's pods counted less than was sent to them.", _MEASURE))
    return verdicts.right(f"{seen}, and so for each version.")


def _count(lab: Hands, _: Any) -> Any:
    before = lab.counters()
    sample = lab.sample(requests=500)
    return sample, lab.counters(since=before)


EXERCISE = Exercise(
    Step("observe", "04-observe", (V1, V2, CANARY)),
    about="what the mesh itself counts",
    in_class=InClass(
        say="Nobody has the answers of all users. The sidecars do.",
        ask="Why must you not add both reporters?",
        goes_wrong="`scripts/loop-query.sh` still runs in a terminal: the mesh counts its requests too, and "
        "the check says so.",
    ),
    checks={"mesh-agrees": _mesh_agrees},
    turns={"count": Turn(has_dots, _count, "500 requests, between two readings of the counters")},
    questions={
        "requests sent to v2, by the mesh": Question(
            "requests",
            "Many say 100, a tenth of the 1,000 that sentences sends. But half of those go to age, which "
            "has no v2.",
            expected=50,
            out_of=500,
        ),
        "requests that sentences sent in all": Question(
            "requests",
            "Many say 500, one for each sentence. But each sentence needs an age and a name.",
            expected=1000,
        ),
    },
)
