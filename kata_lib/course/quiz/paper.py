"""The quiz on paper, for an instructor: the questions, and after them the key.

python -m kata_lib.course.quiz.paper     writes it anew
"""

from kata_lib.course import quiz
from kata_lib.course.quiz.items import ITEMS
from kata_lib.machine import PROJECT

FILE = "docs/quiz.md"
"""Where it is, from the project's folder."""

_HEAD = """# The quiz

Eight questions, asked before the first notebook and again after 05, five minutes each: in the notebook
[quiz](../notebooks/quiz.ipynb), or on paper. The notebook shows a learner the key after the second time;
with a class the [board](instructor.md#who-is-how-far) shows both times.
"""


def text() -> str:
    """Return the document."""
    rows = [
        f"| {number} | **{item.right}** | {item.choice(item.right)} | {item.why} | {item.notebook} |"
        for number, item in enumerate(ITEMS.values(), start=1)
    ]
    key = "\n".join(["| | | right | because | shown in |", "|---|---|---|---|---|", *rows])
    return f"{_HEAD}\n{quiz.questions()}\n\n## The key\n\n{key}\n"


if __name__ == "__main__":
    (PROJECT / FILE).write_text(text())
