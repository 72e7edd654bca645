"""What a learner saw, kept for the report: each check's figures, each prediction with its result, pictures.

    <state folder>/NAME.journal.json    of the cluster NAME, readable by its owner only; `kata down` keeps it

Of each check, question and picture the last is kept; the pictures are the newest MOST_PICTURES. It never
leaves the machine by itself: what an instructor gathers is progress, which has no figures.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from kata_lib import engines, files, machine
from kata_lib.errors import KataError

LONGEST_TEXT = 4_000
MOST_ENTRIES = 100
MOST_PICTURES = 24
LARGEST_PICTURE = 300_000
LARGEST_FILE = 16_000_000
LOCK_SECONDS = 2.0

_NUMBER = re.compile(r"\b\d[\d.,]*")


class JournalError(KataError):
    """The journal cannot be read or written; the text names the file and says why."""


class Check(msgspec.Struct, frozen=True):
    """What a check said last, the figures in its words; tries: how often it was asked."""

    verdict: str
    text: str
    tries: int
    when: datetime


class Prediction(msgspec.Struct, frozen=True):
    """What was said before the truth was shown, what is expected, what was seen, and how far off it was."""

    said: str
    expected: str
    seen: str
    when: datetime
    how_far: str = ""


class Picture(msgspec.Struct, frozen=True):
    """A picture as it was shown: SVG, what it shows in words, and in which step."""

    step: str
    alt: str
    svg: str
    when: datetime


class Task(msgspec.Struct, frozen=True):
    """A task of an exam: what was asked, the verdict, and what was found."""

    title: str
    verdict: str
    text: str
    when: datetime


class Exam(msgspec.Struct, frozen=True):
    """An exam by its seed: the tasks that were handed in, of so many."""

    seed: int
    of: int
    tasks: tuple[Task, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every task was right."""
        return len(self.tasks) == self.of and all(task.verdict == "right" for task in self.tasks)


class Content(msgspec.Struct, frozen=True):
    """What is kept; the last of each is at the end.

    ran_on: of each engine what was in its cluster. checks: by name. predictions: by question. pictures: by
    step and words. exams: by seed. quiz: "before" and "after", the letter chosen by each item's name.
    """

    ran_on: Mapping[str, str] = {}
    checks: Mapping[str, Check] = {}
    predictions: Mapping[str, Prediction] = {}
    pictures: Mapping[str, Picture] = {}
    exams: Mapping[str, Exam] = {}
    quiz: Mapping[str, Mapping[str, str]] = {}


def together(contents: Iterable[Content]) -> Content:
    """Return what several journals have in the order of its time; of what more than one has, the last's."""
    joined: dict[str, dict[str, Any]] = {part: {} for part in Content.__struct_fields__}
    for content in contents:
        for part, entries in joined.items():
            entries.update(getattr(content, part))
    for part in ("checks", "predictions", "pictures"):
        joined[part] = dict(sorted(joined[part].items(), key=lambda entry: entry[1].when))
    return Content(**joined)


class Journal:
    """The journal of one cluster: by default of that which KATA_NAME names."""

    def __init__(self, cluster: str | None = None) -> None:
        self.file = machine.state_folder() / f"{engines.cluster_name(cluster)}.journal.json"

    def load(self) -> Content:
        """Return what was kept, nothing where there is no file; raises JournalError."""
        try:
            with self.file.open("rb") as opened:
                return msgspec.json.decode(opened.read(LARGEST_FILE), type=Content)
        except FileNotFoundError:
            return Content()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise JournalError(f"The journal {self.file} cannot be read: {error}.") from error

    def note_engine(self, engine: str, versions: str) -> None:
        """Keep on which engine the run is, and what is in its cluster."""
        if self.load().ran_on.get(engine) != versions:
            self._add("ran_on", engine, lambda _: versions)

    def note_check(self, name: str, verdict: str, text: str) -> None:
        """Keep what a check said."""

        def tried(before: Check | None) -> Check:
            return Check(verdict, text[:LONGEST_TEXT], before.tries + 1 if before else 1, _now())

        self._add("checks", name, tried)

    def note_prediction(self, question: str, said: str, expected: str, seen: str, how_far: str = "") -> None:
        """Keep what was said beside what was seen."""
        said, expected, seen, how_far = (text[:LONGEST_TEXT] for text in (said, expected, seen, how_far))
        prediction = Prediction(said, expected, seen, _now(), how_far)
        self._add("predictions", question[:LONGEST_TEXT], lambda _: prediction)

    def note_picture(self, step: str, alt: str, svg: str) -> None:
        """Keep a picture that a step showed, in place of one with other numbers; not one too large."""
        if len(svg) <= LARGEST_PICTURE:
            picture = Picture(step, alt[:LONGEST_TEXT], svg, _now())
            key = _NUMBER.sub("", f"{step}: {picture.alt}")
            self._add("pictures", key, lambda _: picture, most=MOST_PICTURES)

    def note_task(self, seed: int, of: int, title: str, verdict: str, text: str) -> None:
        """Keep what became of a task of an exam with `of` tasks."""
        task = Task(title, verdict, text[:LONGEST_TEXT], _now())

        def handed_in(before: Exam | None) -> Exam:
            others = [other for other in (before.tasks if before else ()) if other.title != title]
            return Exam(seed, of, (*others, task))

        self._add("exams", str(seed), handed_in)

    def note_quiz(self, part: str, answers: Mapping[str, str]) -> None:
        """Keep what was answered "before" or "after"."""
        self._add("quiz", part, lambda _: answers)

    def forget(self) -> None:
        """Remove the file."""
        for file in (self.file, self._lock):
            file.unlink(missing_ok=True)

    @property
    def _lock(self) -> Path:
        return self.file.with_suffix(".lock")

    def _add(self, part: str, key: str, entry: Callable[[Any], Any], most: int = MOST_ENTRIES) -> None:
        """Put what `entry` makes of the one before, or of None, at the end of a part; `most` are kept.

        Where that fails it is a warning, for what the learner does goes on.
        """
        late = JournalError(f"{self.file} is held by another process.")
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with files.held(self._lock, LOCK_SECONDS, late):
                content = self._sound()
                entries = dict(getattr(content, part))
                entries[key] = entry(entries.pop(key, None))
                kept = dict(list(entries.items())[-most:])
                changed = msgspec.structs.replace(content, **{part: kept})
                files.write_text(self.file, msgspec.json.encode(changed).decode())
        except (OSError, JournalError) as error:
            warnings.warn(f"This will not be in `kata report`: {error}", stacklevel=4)

    def _sound(self) -> Content:
        """Return what is in the file; put a damaged one aside and begin anew."""
        try:
            return self.load()
        except JournalError as error:
            if not self.file.is_file():
                raise
            aside = self.file.replace(self.file.with_suffix(".damaged"))
            warnings.warn(f"{error} It is kept as {aside}, and a new one begins.", stacklevel=5)
            return Content()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
