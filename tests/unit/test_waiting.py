"""kata_lib.cluster.waiting: a wait says its reason, and ends."""

import time

import pytest

from kata_lib.cluster import waiting
from kata_lib.errors import WaitTimeout


def test_a_wait_says_each_reason_once_and_fails_with_the_last() -> None:
    reasons = iter(["a", "a", "b", ""])
    seen: list[str] = []
    waiting.until(lambda: next(reasons), 10, seen.append, "It was not ready", poll=0.001)
    assert seen == ["a", "b"]
    began = time.monotonic()
    with pytest.raises(WaitTimeout, match=r"It was not ready after 0\.1 s\. Last seen: no DNS"):
        waiting.until(lambda: "no DNS", 0.1, seen.append, "It was not ready", poll=0.01)
    assert time.monotonic() - began < 2


def test_what_does_not_come_true_is_asked_once_at_least() -> None:
    answers = iter([False, True])
    assert not waiting.holds(lambda: next(answers), 0.0, poll=0.001)
    assert waiting.holds(lambda: next(answers), 0.0)
