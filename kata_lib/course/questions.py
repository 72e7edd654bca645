"""What the notebooks ask to predict: in which unit, what is expected, and why many say something else."""

from collections.abc import Mapping
from dataclasses import dataclass

from kata_lib.course import checks
from kata_lib.errors import KataError
from kata_lib.statistics.shares import number, requests_needed

PERCENT = "%"


@dataclass(frozen=True)
class Question:
    """A number to predict; unit: of the answer, "" for a plain count.

    out_of: how many a fraction or a percentage is of, None where neither makes sense. expected: what theory
    says, in the unit; None where only a measurement tells. rough: how far off, as a part of what was seen,
    still counts as near. others: what many say instead, and why it is not so.
    """

    unit: str
    others: str
    expected: float | None = None
    out_of: int | None = None
    rough: float = 0.0

    def written(self, value: float) -> str:
        """Return a number with its unit, with as many digits as make sense."""
        unit = self.unit[:-1] if value == 1 and len(self.unit) > len("ms") else self.unit
        return f"{number(value)} {unit}".rstrip()


def question(text: str) -> Question:
    """Return the question with this text; KataError lists those there are."""
    if text not in QUESTIONS:
        raise KataError(f"Nothing asks for {text!r}; the questions are: {'; '.join(QUESTIONS)}.")
    return QUESTIONS[text]


QUESTIONS: Mapping[str, Question] = {
    "sidecars that one request meets": Question(
        "sidecars",
        "Many say two, one for each further service, or four, one for each pod. But a pod's one sidecar"
        " takes requests in and sends them out, and of the two pods of name only one is asked.",
        expected=3,
    ),
    "share of v2 beside v1": Question(
        PERCENT,
        "Many say half: two versions, half each. But the Service knows nothing of versions. It knows "
        "three pods, and one of them is v2's.",
        expected=100 / 3,
        out_of=100,
    ),
    "share of v2 on a kept connection": Question(
        PERCENT,
        "Many say 0 or 100: a connection leads to one pod and stays there. So it is with kube-proxy; "
        "here the caller's sidecar chooses anew for each request.",
        expected=100 / 3,
        out_of=100,
    ),
    "v2 answers in ten requests": Question(
        "",
        "Nearly everyone says 1. That is the mean of many tens, and a single ten shows it only two "
        "times in five.",
        expected=1,
        out_of=10,
    ),
    "v2 answers in a thousand requests": Question(
        "",
        "Nearly everyone says 100. That is the mean; a single thousand lies between 82 and 118 nineteen "
        "times in twenty.",
        expected=100,
        out_of=1000,
    ),
    "share of v2 with four v2 pods": Question(
        PERCENT,
        "Many say 67, four pods of six. So it would be without weights; with them the sidecar first "
        "chooses the subset, by weight, and only then one of its pods.",
        expected=10,
        out_of=100,
    ),
    "time until everyone gets v2": Question(
        "ms",
        "Many think in seconds or minutes, because a release used to mean starting pods. Here one "
        "number changes in a sidecar that runs already.",
        rough=1.0,
    ),
    "requests that tell 10 % from 20 %": Question(
        "requests",
        "Many say a hundred: 10 and 20 look far apart. But chance alone moves 20 of a hundred by 8 "
        "either way, and one error in a million is a strict judge.",
        expected=requests_needed(0.2, 0.1),
        rough=0.1,
    ),
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
    "failed, of a thousand users": Question(
        "users",
        "Many say 500, half of them, or 100, a tenth of them. Both are true at once: a tenth meets v3, "
        "and of those every second one fails.",
        expected=1000 * checks.V3_FAILURES,
        out_of=1000,
    ),
    "weight at which v3 is stopped": Question(
        PERCENT,
        "Many say 10 or 50, because one request in a hundred seems too few to judge by. But it is v3's "
        "own requests that count, and where every second one fails a handful of them is enough.",
        expected=1,
        out_of=100,
    ),
    "time from 1 to 100 %": Question(
        "s",
        "Many say what the last notebook took. But this analysis waits before it looks, and then looks "
        "at fixed times, however clear the case is.",
        expected=120,
        rough=0.25,
    ),
}
"""Every question of the workshop by the text that notebooks use."""
