"""The still picture beside a live view: when it is drawn, and what stays of it."""

import re
import weakref

import pytest
from IPython.display import HTML

from kata_lib.lab.live.still import StillBeside


class TestStillBeside:
    @pytest.fixture
    def shown(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What stood below the widget, one after the other."""
        shown: list[str] = []

        class Handle:
            def update(self, made: HTML) -> None:
                shown.append(str(made.data))

        monkeypatch.setattr("IPython.display.display", lambda made, display_id: Handle())
        return shown

    @pytest.mark.parametrize("due", [True, False])
    def test_what_was_shown_for_a_moment_leaves_a_picture_if_it_had_one(
        self, shown: list[str], due: bool
    ) -> None:
        still = StillBeside("name", lambda: "<svg>picture</svg>")
        still.show()
        still.refresh(due=True)  # too soon
        still.end(due=due)
        assert [("<svg>picture</svg>" in each) for each in shown] == ([True] if due else [])

    def test_the_last_picture_is_the_last_one_drawn(self, shown: list[str]) -> None:
        numbers = iter("12")
        still = StillBeside("name", lambda: next(numbers))
        still.show()
        still.refresh(due=True, now=True)
        still.end(due=True)
        assert [re.sub("<.*?>", "", each)[0] for each in shown] == ["1", "2"]
        assert all("A still picture. To see it move, run the cell" in each for each in shown)

    def test_what_drawing_left_in_cycles_is_freed_at_once(self, shown: list[str]) -> None:
        class Node:
            itself: "Node"

        left: list[weakref.ref[Node]] = []

        def draw() -> str:
            node = Node()
            node.itself = node
            left.append(weakref.ref(node))
            return "<svg/>"

        still = StillBeside("name", draw)
        still.show()
        still.end(due=True)
        assert shown
        assert [node() for node in left] == [None]

    def test_a_picture_that_cannot_be_drawn_says_why(
        self, shown: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        numbers = iter(["no number", "2"])
        still = StillBeside("name", lambda: str(int(next(numbers))))
        still.show()
        still.refresh(due=True, now=True)
        still.end(due=True)
        assert "ValueError: invalid literal for int() with base 10: 'no number'" in capsys.readouterr().err
        assert [re.sub("<.*?>", "", each)[0] for each in shown] == ["2"]
