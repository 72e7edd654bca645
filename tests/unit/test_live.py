"""The live lab without a browser: its pace, its sums, its turns, and what goes through the comm."""

import gc
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from api_server import Api, StartApi
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import inbox
from kata_lib.course.inbox.told import Note, Told
from kata_lib.errors import TrafficError, WaitTimeout
from kata_lib.lab.lab import Lab
from kata_lib.lab.live import protocol, session
from kata_lib.lab.live.changes import Change, InOrder, words
from kata_lib.lab.live.lab import FRAME_SECONDS, Live
from kata_lib.lab.live.loop import Loop
from kata_lib.lab.live.protocol import Frame, LabNews, LabWords, Latency, Recent, VersionSecond
from kata_lib.lab.live.route import linked
from kata_lib.lab.live.seconds import Answer, Minute, answers_of, percentiles
from kata_lib.lab.live.session import Session
from kata_lib.lab.weight import Weight
from kata_lib.mesh import weights
from kata_lib.mesh.virtual_services import ISTIO
from kata_lib.traffic.frames import RequestRecord

CANARY = "deploy/virtual-service-canary.yaml"
CANARY_SHARES = {"v1": 90, "v2": 10}


def answer(sent: float, version: str, latency: float = 3.0, failed: bool = False) -> Answer:
    return Answer(sent, version, failed, latency, "")


class TestMinute:
    def test_a_second_is_a_row_and_only_news_is_told(self) -> None:
        minute = Minute()
        minute.know(["v1", "v2", "v3"])
        minute.add([answer(0.1, "v1"), answer(0.5, "v2"), answer(1.2, "v3", failed=True)], 1.3)
        first, second = minute.rows(everything=False)
        assert (first.second, first.answers, first.failed) == (0, 2, 0)
        assert {version: found.share for version, found in first.versions.items()} == {
            "v1": 50,
            "v2": 50,
            "v3": 0,
        }
        assert first.versions["v3"] == VersionSecond(0.0, 0.0, 65.8, 0, None, None)
        assert (second.answers, second.failed) == (0, 100.0)
        assert second.versions["v3"] == VersionSecond(None, None, None, 100.0, None, None)
        minute.add([answer(1.4, "v1")], 1.5)
        assert [row.second for row in minute.rows(everything=False)] == [1]
        assert minute.rows(everything=False) == []
        assert len(minute.rows(everything=True)) == 2

    def test_a_version_has_its_own_failures_and_latencies(self) -> None:
        minute = Minute()
        answers = [answer(0.1 + i / 100, "v2", latency=float(i)) for i in range(1, 11)]
        minute.add([*answers, answer(0.5, "v1"), *[answer(0.6, "v2", failed=True)] * 10], 1)
        (row,) = minute.rows(everything=False)
        assert row.versions["v2"] == VersionSecond(90.9, 62.3, 98.4, 50.0, 5, 10)
        assert row.versions["v1"].failed == 0

    def test_failures_that_name_no_version_are_a_part_of_all_requests(self) -> None:
        minute = Minute()
        minute.add([answer(0.1, "v1")] * 3 + [answer(0.2, "unknown", failed=True)], 1)
        (row,) = minute.rows(everything=False)
        assert row.versions["unknown"] == VersionSecond(None, None, None, 25.0, None, None)

    def test_what_is_older_than_a_minute_is_forgotten(self) -> None:
        minute = Minute()
        minute.add([answer(0, "v1")], 0)
        minute.add([answer(90, "v1")], 90)
        assert [row.second for row in minute.rows(everything=True)] == [90]

    def test_rate_failures_and_latencies_speak_of_ten_seconds(self) -> None:
        minute = Minute()
        minute.add([answer(1, "v1", 1000)], 1)
        minute.add([answer(20 + i / 50, "v1", i) for i in range(100)], 22)
        minute.add([answer(21.99, "v3", failed=True)], 22)
        versions = {"v1": Latency(49, 94, 0), "v3": Latency(None, None, 1)}
        assert minute.recent(22) == Recent(50.5, 1, versions)

    def test_percentiles_by_nearest_rank(self) -> None:
        assert percentiles([5.0]) == (5.0, 5.0)
        assert percentiles([float(i) for i in range(1, 101)]) == (50, 95)
        assert percentiles([]) == (None, None)

    def test_a_failure_has_the_version_that_its_words_name(self) -> None:
        words = ["name answered 500: Athos (v3) failed", "name did not answer"]
        answers = answers_of(
            [RequestRecord(0, 1.0, 502, text) for text in words]
            + [RequestRecord(0, 1.0, 200, text) for text in ("Athos is 3 years", "It works")],
            0,
        )
        assert [(a.version, a.failed) for a in answers] == [
            ("v3", True),
            ("unknown", True),
            ("v1", False),
            ("unknown", False),
        ]


def shares(v2: float) -> dict[str, float]:
    return {"v1": 1 - v2, "v2": v2}


class TestChange:
    def change(self, *v2: float) -> Change:
        """Return the last of these changes; all are made at 10 s, and none before it was seen."""
        change = Change(0, 0.0, None, shares(v2[0]), "elsewhere")
        for share in v2[1:]:
            change = change.then(10.0, shares(share), "you")
        return change

    def test_an_answer_that_was_impossible_before_is_enough(self) -> None:
        change = self.change(0.0, 0.1)
        for i in range(1, 6):
            change.weigh(answer(10 + i / 50, "v2" if i == 5 else "v1"))
        assert (round(change.seen_ms or 0), change.requests) == (100, 5)

    def test_so_it_is_among_three_versions(self) -> None:
        before, after = {"v1": 0.5, "v2": 0.5, "v3": 0.0}, {"v1": 0.5, "v2": 0.4, "v3": 0.1}
        change = Change(0, 0.0, None, before, "elsewhere").then(10.0, after, "you")
        for version in ("v1", "v2", "v3"):
            change.weigh(answer(11, version))
        assert change.requests == 3

    def test_so_it_is_not_while_shares_of_before_may_still_be_in_force(self) -> None:
        change = self.change(0.2, 0.0, 0.1)
        change.weigh(answer(10.1, "v2"))
        assert change.seen_ms is None

    def test_shares_that_are_asked_for_again_at_once_are_seen_when_no_others_are(self) -> None:
        """Promoted, rolled back and promoted before the first answer."""
        change = self.change(0.1, 1.0, 0.0, 1.0)
        for i in range(1, 12):
            change.weigh(answer(10 + i / 50, "v2"))
        assert change.requests in range(3, 8)
        nothing_came_of_it = self.change(0.1, 1.0, 0.0, 1.0)
        for i in range(1, 501):
            nothing_came_of_it.weigh(answer(10 + i / 50, "v1" if i % 10 else "v2"))
        assert nothing_came_of_it.seen_ms is None

    def test_once_a_change_was_seen_the_shares_before_it_are_past(self) -> None:
        seen = self.change(0.2, 1.0)
        for i in range(10):
            seen.weigh(answer(10 + i / 50, "v2"))
        assert seen.seen_ms is not None
        back = seen.then(11.0, shares(0.0), "you")
        back.weigh(answer(11.1, "v1"))
        assert back.requests == 1

    def test_requests_from_before_do_not_count(self) -> None:
        change = self.change(0.0, 1.0)
        change.count(answer(9.99, "v2"))
        change.weigh(answer(9.99, "v2"))
        assert (change.seen_ms, change.answers.total()) == (None, 0)

    def test_a_small_change_takes_many_requests(self) -> None:
        change = self.change(0.1, 0.2)
        for i in range(1000):
            change.weigh(answer(10 + i / 50, "v2" if i % 5 == 0 else "v1"))
        assert 100 < (change.requests or 0) < 300

    def test_without_an_effect_nothing_is_seen(self) -> None:
        change = self.change(0.1, 0.5)
        for i in range(1000):
            change.count(answer(10 + i / 50, "v2" if i % 10 == 0 else "v1"))
            change.weigh(answer(10 + i / 50, "v2" if i % 10 == 0 else "v1"))
        assert change.seen_ms is None
        assert [share.share for share in change.shares()] == [90.0, 10.0]

    def test_failures_have_a_vote(self) -> None:
        """v2 fails each second request, before and after; its share among the answers changes little."""
        first = self.change(0.5)
        for i in range(400):
            first.weigh(answer(i / 50, "v1" if i % 2 else "v2", failed=i % 4 == 0))
        change = first.then(10.0, shares(1.0), "you")
        for i in range(100):
            change.weigh(answer(10 + i / 50, "v2", failed=i % 2 == 0))
        assert 10 < (change.requests or 0) < 40

    def test_failures_of_the_old_version_are_no_evidence(self) -> None:
        """v1 fails each second request, so that v2 has a sixth of the answers at a tenth of the requests."""
        change = self.change(0.1, 0.2)
        for i in range(3000):
            change.weigh(
                answer(10 + i / 50, "v2" if i % 10 == 0 else "v1", failed=i % 10 != 0 and i % 2 == 0)
            )
        assert change.seen_ms is None


class TestInOrder:
    def test_answers_come_in_the_order_of_their_requests(self) -> None:
        in_order = InOrder()
        fast, slow = [answer(i / 50, "v1") for i in range(50)], answer(0.1, "v2", latency=500.0)
        ready = in_order.take([*fast[:30], slow, *fast[30:]])
        assert [a.sent for a in ready] == sorted(a.sent for a in ready)
        assert slow in ready

    def test_none_waits_where_all_are_equally_fast(self) -> None:
        in_order = InOrder()
        assert all(in_order.take([each]) == [each] for each in (answer(i / 50, "v1") for i in range(50)))

    def test_a_slow_version_does_not_look_like_one_with_a_smaller_share(self) -> None:
        """Half the requests take half a second, before and after: at first only the others are answered."""
        sent = [answer(i / 100, "v2" if i % 2 else "v1", latency=500.0 if i % 2 else 3.0) for i in range(900)]
        ends = sorted(sent, key=lambda a: a.sent + a.latency_ms / 1000)
        first = Change(0, 0.0, None, shares(0.5), "elsewhere")
        as_they_come, in_order = (first.then(4.0, shares(0.1), "you") for _ in range(2))
        held = InOrder()
        for one in ends:
            as_they_come.weigh(one)
            for ready in held.take([one]):
                in_order.weigh(ready)
        assert as_they_come.seen_ms is not None
        assert in_order.seen_ms is None


class TestWords:
    def test_words_say_the_newer_of_two_versions_and_all_of_more(self) -> None:
        assert words({"v1": 0.9, "v2": 0.1}) == "10 %"
        assert words({"v1": 0.5, "v2": 0.4, "v3": 0.1}) == "v1 50 %, v2 40 %, v3 10 %"
        assert words(None) == "no weights"


class TestLinked:
    def test_the_others_keep_their_proportion(self) -> None:
        assert linked({"v1": 0.6, "v2": 0.3, "v3": 0.1}, "v3", 40) == {"v1": 40, "v2": 20, "v3": 40}

    def test_where_the_others_had_nothing_the_first_gets_the_rest(self) -> None:
        assert linked({"v1": 0.0, "v2": 0.0, "v3": 1.0}, "v3", 40) == {"v1": 60, "v2": 0, "v3": 40}

    @given(
        st.lists(st.integers(0, 100), min_size=2, max_size=5).filter(any),
        st.integers(0, 100),
        st.integers(0, 4),
    )
    def test_weights_are_whole_and_total_a_hundred(self, given: list[int], percent: int, at: int) -> None:
        asked = {f"v{i}": weight / sum(given) for i, weight in enumerate(given)}
        chosen = f"v{at % len(given)}"
        weights = linked(asked, chosen, percent)
        assert sum(weights.values()) == 100
        assert weights[chosen] == percent
        rest, others = 100 - percent, 1 - asked[chosen]
        for version in asked.keys() - {chosen}:
            if others > 1e-9:
                assert abs(weights[version] - rest * asked[version] / others) < 1 + 1e-6


class FakeTraffic:
    """Traffic whose records a test writes."""

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []
        self.stopped = False
        self.broken: TrafficError | None = None

    def since(self, number: int) -> tuple[list[RequestRecord], int]:
        if self.broken:
            raise self.broken
        return self.records[number:], len(self.records)

    def stop(self) -> None:
        self.stopped = True


class Bench:
    """A session on an API server and a clock of its own; `frames` holds what was sent."""

    def __init__(self, api: Api, follow: Callable[[int], None] = lambda percent: None) -> None:
        self.api = api
        self.cluster = cluster = api.cluster()
        self.seconds = 0.0
        self.frames: list[Frame] = []
        self.traffic: list[FakeTraffic] = []
        self.rates: list[float] = []
        self.session = Session(cluster, self.start, 50, lambda: int(1e9 * self.seconds), follow)
        self.loop = Loop(self.session, self.send, FRAME_SECONDS, lambda: self.seconds)

    def start(self, rate: float) -> FakeTraffic:
        self.traffic.append(FakeTraffic())
        self.rates.append(rate)
        return self.traffic[-1]

    @property
    def news(self) -> list[LabNews]:
        return [frame.news for frame in self.frames if isinstance(frame.news, LabNews)]

    def send(self, frame: Frame) -> None:
        assert msgspec.convert(protocol.plain(frame), Frame) == frame
        self.frames.append(frame)

    def turn(self, now: float, *messages: dict[str, Any]) -> list[LabNews]:
        """Do one turn, answering the last frame, and return what the frames hold that it sent."""
        self.seconds = now
        sent = len(self.frames)
        drawn = [{"type": "drawn", "number": self.frames[-1].number}] if self.frames else []
        self.loop.turn([protocol.read(message) for message in [*drawn, *messages]])
        return self.news[sent:]


@pytest.fixture
def bench(start_api: StartApi) -> Bench:
    made = Bench(start_api("deploy/v1", "deploy/v2", CANARY))
    made.turn(0, {"type": "shown", "calm": False})
    return made


def said(news: LabNews) -> LabWords:
    assert news.words is not None
    return news.words


def writes(bench: Bench) -> int:
    return sum(method in ("PATCH", "PUT") for method, _ in bench.api.requests)


class TestSession:
    def test_the_first_frame_is_whole_and_holds_the_clusters_weights(self, bench: Bench) -> None:
        (frame,) = bench.news
        assert frame.whole
        assert [(c.before, c.after) for c in frame.changes] == [(None, CANARY_SHARES)]
        assert said(frame).pods == {"v1": 66.7, "v2": 33.3}
        assert said(frame).movable

    def test_of_many_moves_only_the_newest_reaches_the_cluster(self, bench: Bench) -> None:
        before = writes(bench)
        moves = [
            {"type": "weight", "version": "v2", "value": value, "number": value} for value in (20, 30, 40)
        ]
        (frame,) = bench.turn(1, *moves)
        assert writes(bench) == before + 1
        assert weights.read(bench.cluster, "name")["name-v2"] == 40
        (change,) = frame.changes
        assert (change.before, change.after) == (CANARY_SHARES, {"v1": 60, "v2": 40})
        assert (change.by, said(frame).handled) == ("you", 40)

    def test_a_control_that_is_dragged_is_one_change(self, bench: Bench) -> None:
        """One weight each 50 ms, as a linked control sends them: nothing is written until it rests."""
        before = writes(bench)
        for i in range(10):
            bench.turn(1 + i / 20, {"type": "weight", "value": 20 + i, "settle": True})
        assert writes(bench) == before
        bench.turn(1.7)
        assert writes(bench) == before + 1
        assert [change.after for change in bench.session.changes][1:] == [{"v1": 0.71, "v2": 0.29}]

    def test_whoever_follows_is_told_what_is_in_force_whoever_set_it(self, start_api: StartApi) -> None:
        followed: list[int] = []
        bench = Bench(start_api("deploy/v1", "deploy/v2", CANARY), followed.append)
        bench.turn(0, {"type": "shown", "calm": False})
        bench.turn(1, {"type": "weight", "value": 25})
        weights.set_weights(bench.cluster, "name", {"name-v2": 30})
        bench.turn(5)
        assert followed == [10, 25, 30]

    def test_of_three_versions_the_others_follow(self, bench: Bench) -> None:
        bench.cluster.apply("deploy/v3-faulty")
        three_destinations(bench.cluster, 60, 30, 10)
        bench.turn(1)
        (frame,) = bench.turn(2, {"type": "weight", "version": "v3", "value": 40, "number": 1})
        assert frame.changes[-1].after == {"v1": 40, "v2": 20, "v3": 40}
        written = weights.read(bench.cluster, "name")
        assert written == {"name-v1": 40, "name-v2": 20, "name-v3": 40}

    def test_a_subset_beside_the_route_with_the_same_version_does_not_matter(self, bench: Bench) -> None:
        subsets = [
            {"name": name, "labels": {"version": name[-2:]}} for name in ("name-v1", "name-v2", "x-v2")
        ]
        bench.cluster.patch(ISTIO, "DestinationRule", "name", {"spec": {"subsets": subsets}})
        bench.turn(6)
        bench.turn(7, {"type": "weight", "version": "v2", "value": 25})
        assert weights.read(bench.cluster, "name") == {"name-v1": 75, "name-v2": 25}

    def test_a_move_without_a_version_is_the_newests(self, bench: Bench) -> None:
        bench.turn(1, {"type": "weight", "value": 25})
        assert weights.read(bench.cluster, "name")["name-v2"] == 25

    def test_a_change_from_elsewhere_is_shown_and_never_echoed(self, bench: Bench) -> None:
        weights.set_weights(bench.cluster, "name", {"name-v2": 30})
        before = writes(bench)
        (frame,) = bench.turn(1)
        assert [(c.after, c.by) for c in frame.changes] == [({"v1": 70, "v2": 30}, "elsewhere")]
        bench.turn(2)
        assert writes(bench) == before

    def test_a_weight_that_is_there_already_is_not_written(self, bench: Bench) -> None:
        before = writes(bench)
        bench.turn(1, {"type": "weight", "version": "v2", "value": 10, "number": 1})
        assert writes(bench) == before

    def test_a_version_that_the_route_does_not_have_gets_no_weight(self, bench: Bench) -> None:
        before = writes(bench)
        bench.turn(1, {"type": "weight", "version": "v7", "value": 20, "number": 1})
        assert writes(bench) == before

    def test_records_become_news_once(self, bench: Bench) -> None:
        bench.traffic[0].records += [
            RequestRecord(int(0.5e9), 2.0, 200, "Athos (v2) is 3 years"),
            RequestRecord(int(0.6e9), 9.0, 503, "no"),
        ]
        (frame,) = bench.turn(1.1)
        assert [row.second for row in frame.seconds] == [0]
        assert said(frame).recent.versions == {"unknown": Latency(None, None, 1), "v2": Latency(2.0, 2.0, 0)}
        assert [share.share for share in said(frame).since] == [0, 100]
        assert bench.turn(2)[0].seconds == []

    def test_words_are_said_once_a_second_and_at_once_to_who_did_something(self, bench: Bench) -> None:
        assert [bench.turn(1 + i / 10)[0].words is not None for i in range(20)].count(True) == 2
        assert bench.turn(3.15, {"type": "run", "value": False})[0].words is not None

    def test_pause_ends_the_traffic_and_continue_begins_it(self, bench: Bench) -> None:
        (frame,) = bench.turn(1, {"type": "run", "value": False})
        assert bench.traffic[0].stopped
        assert (said(frame).running, bench.turn(5)[0].now) == (False, 5)
        bench.turn(6, {"type": "run", "value": True})
        assert len(bench.traffic) == 2

    def test_another_rate_is_other_traffic_and_loses_no_record(self, bench: Bench) -> None:
        bench.traffic[0].records.append(RequestRecord(int(0.9e9), 2.0, 200, "Athos is 3 years"))
        (frame,) = bench.turn(1, {"type": "rate", "value": 200})
        assert (bench.rates, said(frame).rate) == ([50, 200], 200)
        assert [(row.second, row.answers) for row in frame.seconds] == [(0, 1)]

    def test_clear_forgets_what_was_measured_and_keeps_the_weights(self, bench: Bench) -> None:
        bench.traffic[0].records.append(RequestRecord(int(0.5e9), 2.0, 200, "Athos (v2) is 3 years"))
        bench.turn(1, {"type": "weight", "version": "v2", "value": 30, "number": 1})
        (frame,) = bench.turn(2, {"type": "clear"})
        assert (frame.whole, frame.seconds) == (True, [])
        assert [(c.number, c.before) for c in frame.changes] == [(0, None)]
        assert [share.count for share in said(frame).since] == [0, 0]
        assert weights.read(bench.cluster, "name")["name-v2"] == 30
        assert len(bench.session.records) == 0

    def test_a_minute_without_a_browser_ends_the_traffic(self, bench: Bench) -> None:
        bench.seconds = 61
        bench.loop.turn([])
        assert bench.traffic[0].stopped
        (frame,) = bench.turn(62, {"type": "shown", "calm": False})
        assert frame.whole
        assert len(bench.traffic) == 2

    def test_traffic_that_breaks_says_why_and_begins_again(self, bench: Bench) -> None:
        bench.traffic[0].broken = TrafficError("the sampler was killed")
        assert "the sampler was killed" in said(bench.turn(1)[0]).note
        bench.turn(2)
        assert len(bench.traffic) == 1
        assert said(bench.turn(7)[0]).note == ""
        assert len(bench.traffic) == 2

    def test_what_the_instructor_says_to_all_is_there_at_once(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = Told(name="Ada", steps={}, verdicts={}, predictions={}, message=Note("1", "We meet at 11."))
        monkeypatch.setattr(inbox.LISTENER, "told", told)
        assert said(bench.turn(1)[0]).note == "Your instructor: We meet at 11."
        monkeypatch.setattr(inbox.LISTENER, "told", None)
        assert said(bench.turn(2)[0]).note == ""

    def test_without_a_route_the_reason_is_shown_and_nothing_can_be_moved(self, bench: Bench) -> None:
        bench.cluster.remove(ISTIO, "VirtualService", "name")
        (frame,) = bench.turn(1, {"type": "weight", "value": 20, "number": 1})
        assert "No rule sets weights" in said(frame).note
        assert not said(frame).movable

    @pytest.mark.parametrize(
        ("route", "reason"),
        [
            ([{"destination": {"host": "name", "subset": "name-v2"}}], "one destination, v2"),
            ([{"destination": {"host": "name"}}], "sends to name: each pod of name gets its part"),
        ],
    )
    def test_a_route_without_versions_to_weigh_is_named(
        self, bench: Bench, route: list[dict[str, Any]], reason: str
    ) -> None:
        before = writes(bench)
        bench.cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"http": [{"route": route}]}})
        (frame,) = bench.turn(1, {"type": "weight", "value": 20, "number": 1})
        assert reason in said(frame).note
        assert writes(bench) == before + 1


def test_memory_stands_still_once_everything_kept_is_full(
    start_api: StartApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "KEPT", 1500)
    monkeypatch.setattr(session, "KEPT_CHANGES", 5)
    bench = Bench(start_api("deploy/v1", "deploy/v2", CANARY))
    bench.turn(0, {"type": "shown", "calm": False})
    sizes: dict[int, int] = {}
    tracemalloc.start()
    for second in range(2, 131, 2):
        moments = [(second - i / 25, i) for i in range(25)]
        bench.traffic[0].records += [
            RequestRecord(int(1e9 * at), 3.0 + i, 200, f"Athos is {i} years") for at, i in moments
        ]
        moves = [{"type": "weight", "value": second % 50, "number": second}] if second % 10 == 0 else []
        bench.turn(second, *moves)
        bench.traffic[0].records.clear()
        bench.session._stream._taken = 0
        del bench.frames[:-1], bench.api.requests[:]
        if second in (90, 130):
            sizes[second] = traced()
    tracemalloc.stop()
    assert sizes[130] - sizes[90] < 10_000


def traced() -> int:
    """Return the bytes that the live view holds; those of the API server, in the same process, are not."""
    gc.collect()
    ours = [tracemalloc.Filter(True, f"*/kata_lib/{room}/*") for room in ("lab", "course", "statistics")]
    found = tracemalloc.take_snapshot().filter_traces(ours)
    return sum(statistic.size for statistic in found.statistics("filename"))


def three_destinations(cluster: Cluster, *weights: int) -> None:
    route = [
        {"destination": {"host": "name", "subset": f"name-v{i}"}, "weight": weight}
        for i, weight in enumerate(weights, 1)
    ]
    cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"http": [{"route": route}]}})


class TestLive:
    @pytest.fixture
    def live(self, api: Api) -> Live:
        """A live lab that does not run yet."""
        cluster = api.cluster()
        lab = SimpleNamespace(cluster=cluster, url=lambda: "http://127.0.0.1:9", weight=Weight(cluster))
        return Live(cast(Lab, lab), 50)

    @pytest.mark.parametrize("weight", [-1, 101, 10.5])
    def test_what_is_no_weight_is_refused(self, live: Live, weight: int) -> None:
        with pytest.raises(ValueError, match=f"whole number from 0 to 100, in percent; found {weight}"):
            live.move(weight)
        assert live.widget.inbox.empty()

    def test_without_a_change_there_is_none_to_wait_for(self, live: Live) -> None:
        with pytest.raises(WaitTimeout, match="The weight was not changed yet"):
            live.last_change(timeout=0)
