"""The live lab without a browser: its pace, its sums, its turns, and what goes through the comm."""

import gzip
from typing import Any

import pytest
from fake_api import FakeApi, make_cluster

from kata_lib import mesh
from kata_lib.cluster import Cluster
from kata_lib.live.changes import Change
from kata_lib.live.pace import Pace
from kata_lib.live.seconds import Answer, Minute, percentiles
from kata_lib.live.session import Session
from kata_lib.live.widget import LiveWidget
from kata_lib.traffic.frames import Record

CANARY = "deploy/virtual-service-canary.yaml"


class TestPace:
    def test_nothing_is_sent_before_a_browser_shows_the_widget(self) -> None:
        assert Pace(0).due(5) == "nothing"

    def test_a_frame_waits_for_the_answer_to_the_one_before(self) -> None:
        pace = Pace(0)
        pace.shown(1, calm=False)
        assert pace.due(1) == "snapshot"
        pace.sent(1)
        assert pace.due(1.5) == "nothing"
        pace.answered(1.5)
        assert pace.due(1.5) == "news"

    def test_ten_frames_a_second_and_two_for_the_calm(self) -> None:
        assert [self.frames(calm) for calm in (False, True)] == [10, 2]

    def frames(self, calm: bool) -> int:
        pace, count = Pace(0), 0
        pace.shown(0, calm)
        for now in (i / 100 for i in range(100)):
            if pace.due(now) != "nothing":
                pace.sent(now)
                pace.answered(now)
                count += 1
        return count

    def test_three_seconds_of_silence_end_the_drawing_and_a_snapshot_resumes_it(self) -> None:
        pace = Pace(0)
        pace.shown(0, calm=False)
        pace.sent(0)
        assert pace.drawing(2.9)
        assert not pace.drawing(3.1)
        pace.answered(4)
        assert pace.due(4) == "snapshot"

    def test_sixty_seconds_of_silence_end_the_traffic(self) -> None:
        pace = Pace(0)
        assert pace.traffic(59)
        assert not pace.traffic(61)
        pace.shown(100, calm=False)
        assert pace.traffic(101)


def answer(sent: float, version: str | None, latency: float = 3.0) -> Answer:
    return Answer(sent, version, latency, "")


class TestMinute:
    def test_a_second_is_a_row_and_only_news_is_told(self) -> None:
        minute = Minute("v2")
        minute.add([answer(0.1, "v1"), answer(0.5, "v2"), answer(1.2, None)], 1.3)
        first, second = minute.rows(everything=False)
        assert first[:2] == [0, 50.0]
        assert first[4:] == [2, 0]
        assert second == [1, None, None, None, 0, 100.0]
        minute.add([answer(1.4, "v1")], 1.5)
        assert [row[0] for row in minute.rows(everything=False)] == [1]
        assert minute.rows(everything=False) == []
        assert len(minute.rows(everything=True)) == 2

    def test_what_is_older_than_a_minute_is_forgotten(self) -> None:
        minute = Minute("v2")
        minute.add([answer(0, "v1")], 0)
        minute.add([answer(90, "v1")], 90)
        assert [row[0] for row in minute.rows(everything=True)] == [90]

    def test_rate_failures_and_latencies_speak_of_ten_seconds(self) -> None:
        minute = Minute("v2")
        minute.add([answer(1, "v1", 1000)], 1)
        minute.add([answer(20 + i / 50, "v1", i) for i in range(100)] + [answer(21.99, None)], 22)
        assert minute.recent(22) == {"rate": 50.5, "failed": 1, "latencies": {"v1": [49, 94]}}

    def test_percentiles_by_nearest_rank(self) -> None:
        assert percentiles([5.0]) == [5.0, 5.0]
        assert percentiles([float(i) for i in range(1, 101)]) == [50, 95]


class TestChange:
    def change(self, before: float, after: float) -> Change:
        return Change(1, 10.0, before, after, "you", "v2")

    def test_an_answer_that_was_impossible_before_is_enough(self) -> None:
        change = self.change(0.0, 0.1)
        for i in range(1, 6):
            change.add(answer(10 + i / 50, "v2" if i == 5 else "v1"))
        assert (round(change.seen_ms or 0), change.requests) == (100, 5)

    def test_requests_from_before_do_not_count(self) -> None:
        change = self.change(0.0, 1.0)
        change.add(answer(9.99, "v2"))
        assert (change.seen_ms, change.answers.total()) == (None, 0)

    def test_a_small_change_takes_many_requests(self) -> None:
        change = self.change(0.1, 0.2)
        for i in range(1000):
            change.add(answer(10 + i / 50, "v2" if i % 5 == 0 else "v1"))
        assert 100 < (change.requests or 0) < 300

    def test_without_an_effect_nothing_is_seen(self) -> None:
        change = self.change(0.1, 0.5)
        for i in range(1000):
            change.add(answer(10 + i / 50, "v2" if i % 10 == 0 else "v1"))
        assert change.seen_ms is None
        assert [share["share"] for share in change.shares()] == [90.0, 10.0]


class FakeTraffic:
    """Traffic whose records a test writes."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.stopped = False

    def since(self, number: int) -> tuple[list[Record], int]:
        return self.records[number:], len(self.records)

    def stop(self) -> None:
        self.stopped = True


class Bench:
    """A session on a fake cluster and clock; `frames` holds what was sent."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.seconds = 0.0
        self.frames: list[dict[str, Any]] = []
        self.traffic: list[FakeTraffic] = []
        self.session = Session(cluster, self.start, self.frames.append, lambda: int(1e9 * self.seconds))

    def start(self) -> FakeTraffic:
        self.traffic.append(FakeTraffic())
        return self.traffic[-1]

    def turn(self, now: float, *messages: dict[str, Any]) -> list[dict[str, Any]]:
        """Do one turn, answering the last frame, and return the frames that it sent."""
        self.seconds = now
        sent = len(self.frames)
        drawn = [{"type": "drawn", "number": self.frames[-1]["number"]}] if self.frames else []
        self.session.turn([*drawn, *messages])
        return self.frames[sent:]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    cluster, _ = make_cluster(monkeypatch)
    for path in ("deploy/v1", "deploy/v2", CANARY):
        cluster.apply(path)
    made = Bench(cluster)
    made.turn(0, {"type": "shown", "calm": False})
    return made


def writes(bench: Bench) -> int:
    api = bench.cluster.api
    assert isinstance(api, FakeApi)
    return sum(method == "PATCH" for method, _ in api.requests)


class TestSession:
    def test_the_first_frame_is_whole_and_holds_the_clusters_weight(self, bench: Bench) -> None:
        (frame,) = bench.frames
        assert frame["whole"]
        assert [(c["before"], c["after"]) for c in frame["changes"]] == [(None, 0.1)]

    def test_of_many_moves_only_the_newest_reaches_the_cluster(self, bench: Bench) -> None:
        before = writes(bench)
        moves = [{"type": "weight", "value": value, "number": value} for value in (20, 30, 40)]
        (frame,) = bench.turn(1, *moves)
        assert writes(bench) == before + 1
        assert mesh.weights(bench.cluster)["name-v2"] == pytest.approx(0.4)
        assert [(c["before"], c["after"], c["by"]) for c in frame["changes"]] == [(0.1, 0.4, "you")]
        assert frame["handled"] == 40

    def test_a_change_from_elsewhere_is_shown_and_never_echoed(self, bench: Bench) -> None:
        mesh.set_weights(bench.cluster, {"name-v2": 30})
        before = writes(bench)
        (frame,) = bench.turn(1)
        assert [(c["after"], c["by"]) for c in frame["changes"]] == [(0.3, "elsewhere")]
        bench.turn(2)
        assert writes(bench) == before

    def test_a_weight_that_is_there_already_is_not_written(self, bench: Bench) -> None:
        before = writes(bench)
        bench.turn(1, {"type": "weight", "value": 10, "number": 1})
        assert writes(bench) == before

    @pytest.mark.parametrize("value", [-1, 101, "20", None])
    def test_what_is_no_weight_is_not_heard(self, bench: Bench, value: object) -> None:
        before = writes(bench)
        bench.turn(1, {"type": "weight", "value": value, "number": 1})
        assert writes(bench) == before

    def test_records_become_news_once(self, bench: Bench) -> None:
        bench.traffic[0].records += [
            (int(0.5e9), 2.0, 200, "Athos (v2) is 3"),
            (int(0.6e9), 9.0, 503, "no"),
        ]
        (frame,) = bench.turn(1)
        assert [row[0] for row in frame["seconds"]] == [0]
        assert frame["recent"]["failed"] == 1
        assert frame["since"][0]["version"] == "v2"
        assert bench.turn(2)[0]["seconds"] == []

    def test_pause_ends_the_traffic_and_continue_begins_it(self, bench: Bench) -> None:
        (frame,) = bench.turn(1, {"type": "run", "value": False})
        assert bench.traffic[0].stopped
        assert (frame["running"], bench.turn(5)[0]["now"]) == (False, 1)
        bench.turn(6, {"type": "run", "value": True})
        assert len(bench.traffic) == 2

    def test_a_minute_without_a_browser_ends_the_traffic(self, bench: Bench) -> None:
        bench.seconds = 61
        bench.session.turn([])
        assert bench.traffic[0].stopped
        (frame,) = bench.turn(62, {"type": "shown", "calm": False})
        assert frame["whole"]
        assert len(bench.traffic) == 2

    def test_without_a_route_the_reason_is_shown(self, bench: Bench) -> None:
        bench.cluster.remove(mesh.ISTIO, "VirtualService", "name")
        (frame,) = bench.turn(1, {"type": "weight", "value": 20, "number": 1})
        assert "No VirtualService" in frame["note"]


def test_the_widget_queues_what_it_hears_and_hands_out_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = LiveWidget()
    sent: list[Any] = []
    monkeypatch.setattr(widget, "send", lambda message, buffers=None: sent.append((message, buffers)))
    widget._handle_custom_msg({"type": "weight", "value": 20}, [])
    widget._handle_custom_msg({"type": "script"}, [])
    assert widget.inbox.get_nowait() == {"type": "weight", "value": 20}
    ((message, (script,)),) = sent
    assert message == {"type": "script"}
    assert b"plotly.js" in gzip.decompress(script)[:100]
    assert widget.styles["v2"] == ["#D55E00", "square"]
    widget.close()
    assert widget.inbox.get_nowait() is None
