"""The live picture of users: everyone asks as often as wanted, then the traffic ends."""

from types import SimpleNamespace
from typing import cast

from application_process import running

from kata_lib.cluster import waiting
from kata_lib.lab.lab import Lab
from kata_lib.lab.live.users import People

LIMIT = 60.0


def test_everyone_asks_as_often_as_wanted_and_the_picture_says_what_they_met() -> None:
    with running("name", SENTENCE_NAMES="Athos (v2)") as name:
        lab = SimpleNamespace(url=lambda: name.url, expected_share=lambda: {"v2": 1.0})
        people = People(cast(Lab, lab), number=5, requests=4, rate=500)

        def ended() -> bool:
            people.turn(watched=False)
            return people.ended

        assert waiting.holds(ended, LIMIT, 0.02)
    assert people.sample().groupby("user").size().to_list() == [4] * 5
    news = people.news(everything=True)
    assert "after 4 requests each 100.0 %; beside 100.0 % of 20 requests" in news.alt
    assert (news.note, news.svg[:4]) == ("", "<svg")
    assert people.picture() is people.picture()


def test_where_nobody_answers_the_picture_has_nobody() -> None:
    lab = SimpleNamespace(url=lambda: "http://127.0.0.1:9/", expected_share=lambda: {})
    people = People(cast(Lab, lab), number=2, requests=1, rate=500)
    assert waiting.holds(lambda: people.complete, LIMIT, 0.02)
    people.end()
    assert "beside no requests yet" in people.news(everything=True).alt
