"""What a run shows, as sections of a page: checks, predictions, exams, pictures."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from kata_lib.course import journal, progress
from kata_lib.course.journal import Content, Exam, Prediction
from kata_lib.course.progress import Progress, tables
from kata_lib.course.report.page import Picture, Section, Table

VERDICTS = {"right": "✓ right", "wrong": "✗ wrong", "not enough yet": "… not enough yet"}
_CHECKS = ("step", "check", "verdict", "what it found", "tries", "when")
_PREDICTIONS = ("question", "you said", "expected", "seen", "how far off", "when")
_TASKS = ("task", "verdict", "what was found", "when")


def of_learner(done: Progress, kept: Content) -> list[Section]:
    """Return the sections of a person's run: every check of the workshop, also those not tried yet."""
    return [_checks(done, kept), *_others(kept)]


def of_journal(kept: Content) -> list[Section]:
    """Return the sections of a run without a person, whose checks are in its journal alone."""
    return [_checks(Progress(""), kept), *_others(kept)] if kept.checks else list(_others(kept))


def _others(kept: Content) -> Iterator[Section]:
    if kept.predictions:
        rows = [_prediction(question, said) for question, said in kept.predictions.items()]
        yield Section("predictions", "Predictions against results", tables=(Table(_PREDICTIONS, rows),))
    for seed, exam in kept.exams.items():
        yield _exam(seed, exam)
    if kept.pictures:
        pictures = [Picture(picture.step, picture.alt, picture.svg) for picture in kept.pictures.values()]
        yield Section("pictures", "Pictures", "As they were shown last.", pictures=pictures)


def _checks(done: Progress, kept: Content) -> Section:
    plan = tables.plan()
    right = {name for name, check in done.checks.items() if check.right}
    right |= {name for name, check in kept.checks.items() if check.verdict == "right"}
    names = [name for checks in plan.values() for name in checks]
    count = sum(name in right for name in names)
    return Section(
        "checks",
        "Checks",
        f"{count} of {len(names)} are right. A right one errs less than once in a million.",
        (Table(_CHECKS, list(_rows(plan, done, kept))),),
    )


def _rows(plan: Mapping[str, Sequence[str]], done: Progress, kept: Content) -> Iterator[tuple[str, ...]]:
    for step, names in plan.items():
        for name in names:
            noted, said = done.checks.get(name), kept.checks.get(name)
            if said is not None:
                text = said.text + _earlier(noted, said)
                yield step, name, VERDICTS[said.verdict], text, str(said.tries), _at(said.when)
            elif noted is not None:
                verdict = VERDICTS["right" if noted.right else "not enough yet"]
                yield step, name, verdict, "", str(noted.tries), _at(noted.right or noted.last)
            else:
                yield step, name, "not tried", "", "", ""


def _earlier(noted: progress.Check | None, said: journal.Check) -> str:
    was_right = noted is not None and noted.right is not None and said.verdict != "right"
    return f" It was right before, on {_at(noted.right)}." if noted and was_right else ""


def _prediction(question: str, told: Prediction) -> tuple[str, ...]:
    return question, told.said, told.expected, told.seen, told.how_far, _at(told.when)


def _exam(seed: str, exam: Exam) -> Section:
    rows = [(task.title, VERDICTS[task.verdict], task.text, _at(task.when)) for task in exam.tasks]
    right = sum(task.verdict == "right" for task in exam.tasks)
    words = f"{right} of {exam.of} tasks are right: {'passed' if exam.passed else 'not passed'}."
    return Section(f"exam-{seed}", f"Exam {seed}", words, (Table(_TASKS, rows),))


def _at(when: datetime | None) -> str:
    return when.astimezone().strftime("%d %b %H:%M") if when else ""
