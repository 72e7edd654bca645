"""Notebooks and their one source agree, and keep the workshop's form."""

import itertools
import json
import re
import statistics

import nbformat
import pytest

from kata_lib.course import notebooks
from kata_lib.course.exercise import Exercise
from kata_lib.course.exercises import CHECKS, EXERCISES, QUESTIONS, STEPS, TURNS
from kata_lib.course.notebooks import new
from kata_lib.course.notebooks.listings import LISTINGS
from kata_lib.errors import KataError
from kata_lib.machine import PROJECT

NAMES = [source.stem for source in notebooks.sources()]

SOURCE = """# %% [markdown]
# # Title
#
# Prose.
# %%
a = 1
# %% tags=your-turn
b = ...
# %% tags=solution
b = 2
"""


def learner(name: str) -> notebooks.Notebook:
    return notebooks.of(notebooks.SOURCES / f"{name}.py", solutions=False)


def cells(name: str, tag: str) -> list[str]:
    return ["".join(c["source"]) for c in learner(name)["cells"] if tag in c["metadata"].get("tags", [])]


def said_in(name: str) -> str:
    return "\n".join("".join(cell["source"]) for cell in learner(name)["cells"])


def test_both_versions_come_from_one_source() -> None:
    prose, code, solution = notebooks.build(SOURCE, solutions=True)["cells"]
    assert "".join(prose["source"]) == "# Title\n\nProse."
    assert (code["cell_type"], code["source"]) == ("code", ["a = 1"])
    assert (solution["cell_type"], solution["source"]) == ("code", ["b = 2"])
    *_, turn, folded = notebooks.build(SOURCE, solutions=False)["cells"]
    assert turn["source"] == ["b = ..."]
    assert folded["cell_type"] == "markdown"
    assert "<summary>Solution</summary>\n\n```python\nb = 2\n```" in "".join(folded["source"])


def test_hints_come_in_three_grades_each_folded_away() -> None:
    turn = "# %% tags=your-turn\n# your turn\n# %% [markdown] tags=hints\n"
    hints = turn + "# In `deploy`.\n#\n# `kubectl apply`.\n#\n# `kubectl apply -f deploy/v2`\n"
    (built,) = notebooks.build(hints, solutions=False)["cells"][1:]
    text = "".join(built["source"])
    assert re.findall("<summary>(.+?)</summary>\n\n(.+?)\n\n</details>", text) == [
        ("Hint 1: where to look", "In `deploy`."),
        ("Hint 2: which command", "`kubectl apply`."),
        ("Hint 3: the line", "`kubectl apply -f deploy/v2`"),
    ]
    assert notebooks.build(hints, solutions=True)["cells"] == []
    with pytest.raises(KataError, match=r"3 hints .*, not 1"):
        notebooks.build(turn + "# Only one.", solutions=False)


def test_what_holds_an_answer_is_folded_away_for_learners_alone() -> None:
    text = "# %% [markdown] tags=look-first\n# It is three."
    for_learners, for_nobody = (notebooks.build(text, solutions=solved) for solved in (False, True))
    (folded,), (plain,) = for_learners["cells"], for_nobody["cells"]
    assert "<details><summary>What it means" in "".join(folded["source"])
    assert plain["source"] == ["It is three."]


@pytest.mark.parametrize("name", NAMES)
def test_an_expected_number_is_in_no_cell(name: str) -> None:
    code = [c for c in learner(name)["cells"] if c["cell_type"] == "code"]
    assert not [c for c in code if "expected=" in "".join(c["source"]).replace("expected=lab.", "")]


def test_an_unknown_tag_is_refused() -> None:
    with pytest.raises(KataError, match="not 'anwser'"):
        notebooks.build("# %% tags=anwser\na = 1", solutions=True)


@pytest.mark.parametrize("name", [*(page.stem for page in notebooks.PAGES), *NAMES])
def test_the_notebook_is_what_its_source_says(name: str) -> None:
    file = notebooks.FOLDER / f"{name}.ipynb"
    assert file.read_text() == notebooks.text(learner(name)), "run: python -m kata_lib.course.notebooks"
    nbformat.validate(json.loads(file.read_text()))


@pytest.mark.parametrize("document", LISTINGS)
def test_a_document_lists_the_exercises_as_they_are_declared(document: str) -> None:
    text = (PROJECT / document).read_text()
    assert text == LISTINGS[document].of(text), "run: python -m kata_lib.course.notebooks"


def test_every_step_has_its_notebook() -> None:
    assert [step.notebook for step in STEPS] == NAMES
    for step in STEPS:
        first = next(c for c in learner(step.notebook)["cells"] if c["cell_type"] == "code")
        assert f'open_lab(step="{step.name}")' in "".join(first["source"])


SOURCE_LINES = 250
FROM_HERE_ON = "08"
"""The notebooks before it share their checks, and have their damages in test_checks.py."""

LATER = [exercise for exercise in EXERCISES if exercise.step.notebook >= FROM_HERE_ON]


@pytest.mark.parametrize("exercise", LATER, ids=lambda exercise: exercise.step.notebook)
def test_an_exercise_is_short_and_has_a_test_that_damages_it(exercise: Exercise) -> None:
    texts = {kind: (PROJECT / file).read_text() for kind, file in new.files(exercise.step.notebook).items()}
    assert len((texts["notebook"] + texts["exercise"]).splitlines()) <= SOURCE_LINES
    for check in exercise.checks:
        assert f'check("{check}"' in texts["test"]


@pytest.mark.parametrize(("name", "following"), [*itertools.pairwise(["start", *NAMES, "start"])])
def test_a_notebook_ends_with_what_was_done_and_a_link_to_the_next(name: str, following: str) -> None:
    *_, done, link = learner(name)["cells"]
    assert link["metadata"]["tags"] == ["next"]
    assert f"[{following}]({following}.ipynb)" in "".join(link["source"])
    assert name == "start" or done["source"] == ["lab.done()"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_predicted_is_asked_before_it_is_compared(name: str) -> None:
    said = said_in(name)
    asked, compared = (re.findall(rf'lab\.{call}\("([^"]+)"', said) for call in ("predict", "compare"))
    assert sorted(asked) == sorted(compared)
    for text in asked:
        assert text in QUESTIONS
        assert said.index(f'lab.predict("{text}"') < said.index(f'lab.compare("{text}"')


@pytest.mark.parametrize("name", NAMES)
def test_a_turn_has_hints_and_a_solution_and_is_asked_for_in_the_next_cell(name: str) -> None:
    built = learner(name)["cells"]
    tags = [(cell["metadata"].get("tags") or [""])[0] for cell in built]
    turns = [place for place, tag in enumerate(tags) if tag == "your-turn"]
    assert turns
    for place in turns:
        assert tags[place : place + 3] == ["your-turn", "hints", "solution"]
        code = next(cell for cell in built[place + 1 :] if cell["cell_type"] == "code")
        assert re.search(r"lab\.(turn|check)\(", "".join(code["source"]))


def test_every_turn_is_in_a_notebook() -> None:
    said = "\n".join(source.read_text() for source in notebooks.sources())
    assert sorted(re.findall(r'lab\.turn\("([^"]+)"', said)) == sorted(TURNS)


def test_yaml_is_asked_for_more_from_notebook_to_notebook() -> None:
    """02 gives the whole file, 05 one with four gaps, 06 a blank page."""
    assert 'print(manifests.text("deploy/virtual-service-canary.yaml"))' in said_in("02-canary")
    (gaps,) = [cell for cell in cells("05-promote", "your-turn") if "apply_yaml" in cell]
    assert gaps.count(": ...") == 4
    assert 'steps = """\n"""' in cells("06-progressive-delivery", "your-turn")
    for name in ("05-promote", "06-progressive-delivery"):
        (solution,) = [cell for cell in cells(name, "solution") if '"""' in cell]
        assert "..." not in solution


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_predicts_does_and_checks(name: str) -> None:
    for tag in ("predict", "your-turn", "solution", "check"):
        assert cells(name, tag), f"no cell tagged {tag}"
    assert all("..." in cell for cell in cells(name, "predict"))
    for cell in cells(name, "check"):
        assert cell.split('"')[1] in CHECKS


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_prose_comes_first(name: str) -> None:
    built = learner(name)["cells"]
    code = ["".join(c["source"]) for c in built if c["cell_type"] == "code" and c["source"]]
    lines = [len(re.sub(r'""".*?"""', "yaml", cell, flags=re.DOTALL).splitlines()) for cell in code]
    assert statistics.median(lines) <= 3
    assert max(lines) <= 6
    assert built[0]["cell_type"] == "markdown"
