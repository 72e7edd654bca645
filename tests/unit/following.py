"""The lines of a check, followed word for word, and samples for it."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from api_server import Api
from shell import Shell

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import originals, service
from kata_lib.course.checks import check
from kata_lib.course.result import Result
from kata_lib.mesh import weights

MOST_LINES = 3


def sample_of(failed: int = 0, **answers: int) -> pd.DataFrame:
    """Return the columns of a sample that checks look at, with so many answers of each version."""
    versions = [name for name, count in answers.items() for _ in range(count)] + [None] * failed
    errors = [None] * (len(versions) - failed) + ["HTTP 503: no healthy upstream"] * failed
    return pd.DataFrame({"version": pd.Series(versions, dtype=object), "error": errors})


def follow(cluster: Cluster, shell: Shell, line: str) -> None:
    """Do a line word for word: kubectl in a shell, the library's own command in this process."""
    for part in line.split(" && "):
        match part.split():
            case ["kata", "weights", *wanted]:
                service.set_weights(cluster, weights.parse_weights(wanted))
            case ["kata", "original", *files]:
                for file in files:
                    originals.restore(file)
            case _:
                shell(part)


def damaged(
    api: Api, name: str, sample: pd.DataFrame, damage: Callable[[Cluster], object], said: str
) -> None:
    """Damage a solution that a check finds right; assert that it then is wrong with these words."""
    cluster = api.cluster()
    assert check(name, cluster, sample).verdict == "right"
    damage(cluster)
    assert said in check(name, cluster, sample).text


def until_right(api: Api, folder: Path, ask: Callable[[], Result]) -> None:
    """Follow a check's lines, of choices the first, until it is right; each is another one, at most three."""
    shell, done = Shell(api, folder / "shell"), list[str]()
    while (result := ask()).verdict != "right":
        line = result.mend or next(choice.line for choice in result.choices if choice.line)
        assert line not in done, result
        follow(api.cluster(), shell, line)
        done.append(line)
        assert len(done) <= MOST_LINES, result
