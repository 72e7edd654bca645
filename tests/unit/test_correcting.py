"""A corrected notebook for somebody who has begun: theirs stays, new and corrected cells come, once."""

import copy
import itertools
import json
import uuid

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_sets import examples

from kata_lib.course import notebooks
from kata_lib.course.notebooks import BROUGHT, Notebook
from kata_lib.course.notebooks.correcting import CORRECTED, correct
from kata_lib.errors import KataError

FIRST = """# %% [markdown]
# # Title
# %%
a = 1
# %% tags=your-turn
b = ...
# %%
c = 3
"""


def brought(source: str = FIRST) -> Notebook:
    return notebooks.build(source, solutions=False)


def sources(notebook: Notebook) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def own(text: str) -> dict[str, object]:
    """Return a cell that a learner adds, with an id as JupyterLab gives it."""
    cell = {"cell_type": "code", "id": str(uuid.uuid4()), "metadata": {}, "source": text, "outputs": []}
    return cell | {"execution_count": None}


def test_what_nobody_changed_is_replaced_and_the_rest_keeps_its_outputs() -> None:
    mine = brought()
    mine["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    corrected = correct(mine, brought(FIRST.replace("c = 3", "c = 4")))
    assert sources(corrected.notebook) == ["# Title", "a = 1", "b = ...", "c = 4"]
    assert corrected.notebook["cells"][1]["outputs"] == mine["cells"][1]["outputs"]
    assert (corrected.came, corrected.beside) == (1, 0)


def test_a_new_cell_comes_where_it_stands_below_what_the_learner_added_there() -> None:
    mine = brought()
    mine["cells"].insert(2, own("print(a)"))
    corrected = correct(mine, brought(FIRST.replace("a = 1\n", "a = 1\n# %%\na += 1\n")))
    assert sources(corrected.notebook) == ["# Title", "a = 1", "print(a)", "a += 1", "b = ...", "c = 3"]


def test_the_correction_of_a_cell_that_the_learner_filled_stands_below_it_and_does_not_run() -> None:
    mine = brought()
    mine["cells"][2]["source"] = ["b = 2"]
    corrected = correct(mine, brought(FIRST.replace("b = ...", "b = ...  # a number")))
    assert sources(corrected.notebook)[2] == "b = 2"
    note = corrected.notebook["cells"][3]
    assert note["cell_type"] == "markdown"
    assert "".join(note["source"]).startswith(f"<details><summary>{CORRECTED}</summary>")
    assert "b = ...  # a number" in "".join(note["source"])
    assert (corrected.came, corrected.beside) == (0, 1)


def test_prose_that_the_learner_wrote_into_stays_above_the_corrected_one() -> None:
    mine = brought()
    mine["cells"][0]["source"] = ["# Title\n", "my note"]
    corrected = correct(mine, brought(FIRST.replace("# # Title", "# # A better title")))
    assert sources(corrected.notebook)[:2] == ["# Title\nmy note", "# A better title"]


def test_what_the_learner_deleted_stays_away_unless_it_is_corrected() -> None:
    mine = brought()
    del mine["cells"][3], mine["cells"][1]
    assert sources(correct(mine, brought()).notebook) == ["# Title", "b = ..."]
    corrected = correct(mine, brought(FIRST.replace("c = 3", "c = 4")))
    assert sources(corrected.notebook) == ["# Title", "b = ...", "c = 4"]


def test_a_cell_that_is_gone_goes_unless_the_learner_changed_it() -> None:
    shorter = brought(FIRST.replace("# %%\na = 1\n", ""))
    assert sources(correct(brought(), shorter).notebook) == ["# Title", "b = ...", "c = 3"]
    mine = brought()
    mine["cells"][1]["source"] = ["a = 100"]
    assert "a = 100" in sources(correct(mine, shorter).notebook)


def test_the_learners_order_stays() -> None:
    mine = brought()
    mine["cells"][1], mine["cells"][3] = mine["cells"][3], mine["cells"][1]
    assert sources(correct(mine, brought()).notebook) == ["# Title", "c = 3", "b = ...", "a = 1"]


@pytest.mark.parametrize("metadata", [{}, {BROUGHT: None}, {BROUGHT: {}}])
def test_a_notebook_that_was_not_brought_so_is_refused(metadata: dict[str, object]) -> None:
    with pytest.raises(KataError, match=r"Expected a notebook whose metadata has kata\.cells"):
        correct(brought() | {"metadata": metadata}, brought())


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "# your turn", "lab.done()"]), min_size=1, max_size=8)
EDITS = st.lists(
    st.tuples(st.sampled_from(["change", "delete", "add", "swap"]), st.integers(0, 7)), max_size=5
)


def notebook_of(words: list[str]) -> Notebook:
    return brought("".join(f"# %%\n{word}\n" for word in words))


def edited(notebook: Notebook, edits: list[tuple[str, int]]) -> Notebook:
    """Return a notebook as a learner leaves it; what is theirs says so."""
    mine = copy.deepcopy(notebook)
    cells = mine["cells"]
    for number, (edit, place) in enumerate(edits):
        at = place % len(cells) if cells else 0
        if edit == "add" or not cells:
            cells.insert(at, own(f"mine {number}"))
        elif edit == "change":
            cells[at]["source"] = [f"mine {number}"]
        elif edit == "delete":
            del cells[at]
        else:
            cells[0], cells[at] = cells[at], cells[0]
    return mine


@examples(200)
@given(WORDS, WORDS, EDITS)
def test_whatever_was_changed_theirs_stays_and_what_is_new_is_there(
    then: list[str], now: list[str], edits: list[tuple[str, int]]
) -> None:
    mine, new = edited(notebook_of(then), edits), notebook_of(now)
    corrected = correct(mine, new).notebook
    theirs = [text for text in sources(mine) if text.startswith("mine")]
    assert [text for text in sources(corrected) if text.startswith("mine")] == theirs
    said = "\n".join(sources(corrected))
    assert all(word in said for word in now if word not in then)
    ids = [cell["id"] for cell in corrected["cells"]]
    assert len(set(ids)) == len(ids)
    assert sources(correct(corrected, new).notebook) == sources(corrected)
    nbformat.validate(json.loads(notebooks.text(corrected)))


@examples(100)
@given(st.lists(WORDS, min_size=2, max_size=4))
def test_who_changed_nothing_has_each_new_version_as_it_is(versions: list[list[str]]) -> None:
    mine = notebook_of(versions[0])
    for one, other in itertools.pairwise(map(notebook_of, versions)):
        assert sources(mine) == sources(one)
        mine = correct(mine, other).notebook
        assert mine["cells"] == other["cells"]
