"""What each step must show: right, wrong, or not enough yet.

A cluster and a sample go in, a Result comes out. Each exercise declares its own checks; `verdicts` has what
they are made of.
"""

import os
from dataclasses import replace
from types import EllipsisType
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.snapshot import Snapshot
from kata_lib.course.exercises import CHECKS
from kata_lib.course.result import Result
from kata_lib.errors import KataError

if TYPE_CHECKING:
    import pandas as pd


class CheckFailed(KataError):
    """A check was not right where it has to be: in a run without a person."""


def check(name: str, cluster: Cluster, sample: "pd.DataFrame | EllipsisType" = ...) -> Result:
    """Run the check of that name; raise CheckFailed if nobody watches and it is not right.

    Dots for a sample, as a cell to fill has them, are not enough yet; the clean-up
    has none.
    """
    import pandas as pd

    if name not in CHECKS:
        raise KataError(f"There is no check {name!r}; there are: {', '.join(CHECKS)}.")
    if name == "cleaned-up":
        sample = pd.DataFrame()
    if isinstance(sample, EllipsisType):
        result = Result(name, "not enough yet", "There is no sample: put one in place of the dots.")
    else:
        result = replace(CHECKS[name](Snapshot(cluster), sample), name=name)
    if unattended() and result.verdict != "right":
        raise CheckFailed(repr(result))
    return result


def unattended() -> bool:
    """Return whether no person watches: KATA_RESET=1, or CI is set as continuous integration does."""
    return os.environ.get("KATA_RESET") == "1" or bool(os.environ.get("CI"))


def resets() -> bool:
    """Return whether a step begins anew where nothing else is said: unattended, unless KATA_RESET=0."""
    return unattended() and os.environ.get("KATA_RESET") != "0"
