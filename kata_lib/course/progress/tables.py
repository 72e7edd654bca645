"""Progress as tables: one learner's by step, and a whole class's, for the terminal and for a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from kata_lib.course import notebooks
from kata_lib.course.progress import Progress, ProgressError, read

Plan = Mapping[str, Sequence[str]]
"""Each step's checks."""

_EARLIEST = datetime.min.replace(tzinfo=UTC)


def plan() -> Plan:
    """Return the workshop's steps in their order, each with the checks that its notebook makes."""
    return {
        source.stem: tuple(dict.fromkeys(re.findall(r'\blab\.check\(\s*"([^"]+)"', source.read_text())))
        for source in notebooks.sources()
    }


def steps(progress: Progress, plan: Plan, zone: tzinfo | None = None) -> list[tuple[str, str, str, str]]:
    """Return for each step its name, how many checks are done, since when, and what is still to be done."""
    rows = []
    for step, names in plan.items():
        right = _right(progress, names)
        when = _local(max(right), zone) if right else ""
        to_do = [_tried(name, progress) for name in names if not _is_right(progress, name)]
        done = f"{len(right)} of {len(names)}" if names else "no checks"
        rows.append((step, done, when, ", ".join(to_do)))
    return rows


@dataclass(frozen=True)
class Class:
    """Gathered files: each learner's label and progress in alphabetical order, and what was not counted."""

    learners: list[tuple[str, Progress]]
    problems: list[str]


def gather(files: Iterable[Path]) -> Class:
    """Read every file; of several files of one learner the latest counts, and a wrong file is named."""
    found: dict[str, tuple[Path, Progress]] = {}
    problems = []
    for file in files:
        try:
            progress = read(file)
        except ProgressError as error:
            problems.append(str(error))
            continue
        before = found.get(progress.mark)
        if before and (before[1].last or _EARLIEST) > (progress.last or _EARLIEST):
            problems.append(f"{file} is the same learner's as {before[0]}, and older.")
            continue
        if before:
            problems.append(f"{before[0]} is the same learner's as {file}, and not newer.")
        found[progress.mark] = (file, progress)
    labelled = [(progress.learner or file.stem, progress) for file, progress in found.values()]
    return Class(sorted(labelled, key=lambda one: one[0].casefold()), problems)


def heads(plan: Plan) -> list[str]:
    """Return the heads of a class's table; a step is known by its notebook's number."""
    return ["learner", *(step.partition("-")[0] for step in _with_checks(plan)), "last"]


def rows(learners: Sequence[tuple[str, Progress]], plan: Plan, zone: tzinfo | None = None) -> list[list[str]]:
    """Return a row a learner, checks done in each step and the time of the last, and one row of all."""
    table = []
    done = dict.fromkeys(_with_checks(plan), 0)
    for label, progress in learners:
        cells = []
        for step in done:
            right, all_of_them = len(_right(progress, plan[step])), len(plan[step])
            done[step] += right == all_of_them
            cells.append("✓" if right == all_of_them else f"{right}/{all_of_them}" if right else "·")
        table.append([label, *cells, _local(progress.last, zone) if progress.last else ""])
    table.append(["all done", *(f"{count}/{len(learners)}" for count in done.values()), ""])
    return table


def as_csv(learners: Sequence[tuple[str, Progress]], plan: Plan) -> str:
    """Return a line a learner: when each check was right (UTC), and after how many tries."""
    names = list(dict.fromkeys(name for step in plan.values() for name in step))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["learner", *(head for name in names for head in (name, f"{name} tries"))])
    for label, progress in learners:
        cells: list[str] = []
        for name in names:
            check = progress.checks.get(name)
            cells += ["", "0"] if check is None else [_iso(check.right), str(check.tries)]
        writer.writerow([_harmless(label), *cells])
    return text.getvalue()


def _with_checks(plan: Plan) -> list[str]:
    return [step for step, names in plan.items() if names]


def _is_right(progress: Progress, name: str) -> bool:
    return name in progress.checks and progress.checks[name].right is not None


def _right(progress: Progress, names: Iterable[str]) -> list[datetime]:
    noted = (progress.checks.get(name) for name in names)
    return [check.right for check in noted if check and check.right]


def _tried(name: str, progress: Progress) -> str:
    check = progress.checks.get(name)
    return f"{name} (tried {check.tries}x)" if check else name


def _local(when: datetime, zone: tzinfo | None) -> str:
    return when.astimezone(zone).strftime("%d %b %H:%M")


def _iso(when: datetime | None) -> str:
    return when.isoformat() if when else ""


def _harmless(label: str) -> str:
    """Return a label that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{label}" if label.startswith(("=", "+", "-", "@")) else label
