"""Users: who met a version, how often they were sent back and forth, and what chance makes of both."""

import random

import pandas as pd
import pytest

from kata_lib.errors import TrafficError
from kata_lib.pictures import meeting
from kata_lib.traffic import users
from kata_lib.traffic.frames import RequestRecord, frame_of

SAMPLE = pd.DataFrame(
    {"user": [0, 1, 2, 0, 1, 2, 0, 1, 2], "version": ["v1", "v2", "v1", "v2", "v2", "v1", "v1", None, "v1"]}
)


def by_chance(number: int, requests: int, share: float) -> pd.DataFrame:
    """Return a sample of users whose requests are decided one by one."""
    dice = random.Random(1)
    versions = ["v2" if dice.random() < share else "v1" for _ in range(number * requests)]
    return pd.DataFrame({"user": [*range(number)] * requests, "version": versions})


def test_who_met_a_version_and_after_how_many_requests() -> None:
    assert (users.met(SAMPLE).count, users.met(SAMPLE).n) == (2, 3)
    assert [share.count for share in users.met_by(SAMPLE)] == [1, 2, 2]


def test_a_flip_is_an_answer_from_another_version_than_the_one_before() -> None:
    assert users.flips(SAMPLE).to_dict() == {0: 2, 1: 0, 2: 0}


def test_who_failed_is_told_by_users_and_by_requests() -> None:
    """User 0 fails always, user 1 once, user 2 never."""
    errors = pd.Series(["HTTP 500", "HTTP 500", "HTTP 500", None, None, None], dtype=object)
    sample = pd.DataFrame({"user": [0, 0, 1, 1, 2, 2], "error": errors})
    assert (users.failed(sample).count, users.failed(sample).n) == (2, 3)
    table = users.failures({"of the users": sample})
    assert table.loc["of the users", "requests that failed"] == "50.0 %"
    assert str(table.loc["of the users", "users who met an error"]).startswith("66.7 % of 3")
    assert str(table.loc["of the users", "users without any answer"]).startswith("33.3 % of 3")


def test_by_chance_nine_in_ten_meet_a_tenth_within_twenty_requests() -> None:
    """With 2,000 users the means lie within five standard errors in all but one of a million tries."""
    sample = by_chance(2000, 20, 0.1)
    assert users.expected_to_meet(0.1, 20) == pytest.approx(0.878, abs=5e-4)
    assert users.met(sample).share == pytest.approx(users.expected_to_meet(0.1, 20), abs=0.037)
    assert users.flips(sample).mean() == pytest.approx(users.expected_flips(0.1, 20), abs=0.28)


def test_a_sample_of_nobody_is_refused_with_a_word() -> None:
    with pytest.raises(TrafficError, match=r"lab\.sample\(users="):
        users.met(SAMPLE.drop(columns="user"))


def test_a_frame_tells_users_where_they_are_played() -> None:
    played = frame_of([RequestRecord(1, 1.0, 200, "Athos", 7)])
    assert played["user"].to_list() == [7]
    assert "user" not in frame_of([RequestRecord(1, 1.0, 200, "Athos")])


def test_the_picture_says_what_it_shows() -> None:
    picture = meeting.draw(by_chance(50, 5, 0.1), expected=0.1)
    assert "after 5 requests each" in picture.alt
    assert "of 250 requests" in picture.alt
    assert picture.svg.startswith("<svg")
    assert "nobody yet; beside no requests yet" in meeting.draw(by_chance(0, 0, 0.1), 0.1).alt
