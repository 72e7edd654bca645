"""A learner's progress: what `lab.check` said goes into one file, from which rows come out.

    <state folder>/NAME.progress.json    of the cluster NAME; beside its folder, so that `kata down` keeps it

The file holds no more than the checks' names, verdicts and times, a random mark, and the name that the
learner gave, if any. An exported file is the same one, wherever it was copied to.
"""

import json
import secrets
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kata_lib import engines, files, machine
from kata_lib.errors import KataError

KIND = "canary-kata progress"
FORMAT = 1
LONGEST_NAME = 100
LARGEST_FILE = 1_000_000
LOCK_SECONDS = 2.0


class ProgressError(KataError):
    """A file of progress is missing, damaged, or something else; the text names the file and says what."""


@dataclass(frozen=True)
class Check:
    """One check's tries until it was right, or until now; `right` and `last` are UTC, right None: not yet."""

    tries: int
    right: datetime | None
    last: datetime


@dataclass(frozen=True)
class Progress:
    """What one learner did; `mark` tells two learners without a name apart."""

    mark: str
    learner: str = ""
    checks: Mapping[str, Check] = field(default_factory=dict)

    def after(self, check: str, verdict: str, now: datetime) -> "Progress":
        """Return the progress after one more try; what was right once stays so."""
        before = self.checks.get(check)
        if before and before.right:
            return self
        tried = Check(before.tries + 1 if before else 1, now if verdict == "right" else None, now)
        return replace(self, checks={**self.checks, check: tried})

    @property
    def last(self) -> datetime | None:
        """When the learner last tried something new."""
        return max((check.last for check in self.checks.values()), default=None)


def place() -> Path:
    """Return the file of the cluster that KATA_NAME names."""
    # A cluster's name has no dot: no cluster's folder is ever called so.
    return machine.state_folder() / f"{engines.cluster_name()}.progress.json"


def record(check: str, verdict: str) -> None:
    """Note what a check said to a person; where that fails it is a warning, for the verdict counts more."""
    from kata_lib.course import checks  # loads pandas, which `kata progress` need not wait for

    if checks.unattended():
        return
    try:
        _change(lambda progress: progress.after(check, verdict, _now()))
    except ProgressError as error:
        warnings.warn(f"This check is not in `kata progress`: {error}", stacklevel=2)


def name_learner(learner: str) -> None:
    """Note the name that a learner wants to be listed by; "" removes it. Raises ProgressError."""
    if len(learner) > LONGEST_NAME or not learner.isprintable():
        raise ProgressError(f"A learner's name is one line of at most {LONGEST_NAME} characters.")
    _change(lambda progress: replace(progress, learner=learner))


def load() -> Progress:
    """Return the learner's own progress, an empty one where nothing was done yet; raises ProgressError."""
    return read(place()) if place().exists() else Progress(secrets.token_hex(8))


def export(file: Path) -> None:
    """Write the learner's progress into one file that an instructor can gather; raises ProgressError."""
    text = _text(_change(lambda progress: progress))
    try:
        file.write_text(text)
    except OSError as error:
        raise ProgressError(f"{file} cannot be written: {error.strerror}.") from error


def read(file: Path) -> Progress:
    """Return what a file of progress says; ProgressError names what is wrong with any other."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ProgressError(
                f"{file} is no file of progress: it is larger than {LARGEST_FILE // 10**6} MB."
            )
        return parse(json.loads(content))
    except OSError as error:
        raise ProgressError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ProgressError(f"{file} is damaged: {error}.") from error


def parse(found: Any) -> Progress:
    """Return the progress in a file's JSON; ValueError says what is wrong with it."""
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise ValueError("it was not made by kata progress")
    if found.get("format") != FORMAT:
        raise ValueError(f"its format is {found.get('format')!r}, this version reads {FORMAT}")
    learner, mark, noted = found.get("learner"), found.get("mark"), found.get("checks")
    if not isinstance(learner, str) or len(learner) > LONGEST_NAME or not learner.isprintable():
        raise ValueError("the learner's name is not one line of text")
    if not isinstance(mark, str) or not mark:
        raise ValueError("its mark is missing")
    if not isinstance(noted, dict):
        raise ValueError("its checks are missing")
    return Progress(mark, learner, {name: _check(name, check) for name, check in noted.items()})


def _check(name: str, found: Any) -> Check:
    try:
        tries, right, last = found["tries"], found["right"], found["last"]
        if not isinstance(tries, int) or tries < 1:
            raise ValueError(f"{tries!r} tries")
        return Check(tries, _time(right) if right is not None else None, _time(last))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"its check {name!r} cannot be read: {error!r}") from error


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or not 2000 < found.year < 3000:
        raise ValueError(f"{text} is no time with its zone")
    return found.astimezone(UTC)


def _text(progress: Progress) -> str:
    noted = {
        name: {
            "tries": check.tries,
            "right": check.right.isoformat() if check.right else None,
            "last": check.last.isoformat(),
        }
        for name, check in progress.checks.items()
    }
    content = {
        "kind": KIND,
        "format": FORMAT,
        "mark": progress.mark,
        "learner": progress.learner,
        "checks": noted,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _change(change: Callable[[Progress], Progress]) -> Progress:
    """Change the learner's file and return what is in it now; raises ProgressError where that fails."""
    file = place()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        late = ProgressError(f"{file} is held by another process.")
        with files.held(file.with_suffix(".lock"), LOCK_SECONDS, late):
            changed = change(_sound(file))
            files.write_text(file, _text(changed))
    except OSError as error:
        raise ProgressError(f"{file} cannot be written: {error.strerror}.") from error
    return changed


def _sound(file: Path) -> Progress:
    """Return what is in the learner's file; put a damaged one aside and begin anew."""
    try:
        return load()
    except ProgressError as error:
        if not file.is_file():
            raise
        aside = file.replace(file.with_suffix(".damaged"))
        warnings.warn(f"{error} It is kept as {aside}, and a new one begins.", stacklevel=5)
        return load()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
