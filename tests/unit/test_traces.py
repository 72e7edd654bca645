"""Sidecars' lines in, traces out; and a trace as a picture."""

import pytest

from kata_lib.mesh.traces import Span, joined, parse
from kata_lib.pictures.waterfall import Waterfall

AGENT = "kata-trace/1"
LINES = {
    "sentences": [
        '[2026-11-28T16:23:09.604Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 18 51 50 "-" '
        f'"kata-sampler,{AGENT}" "33d5" "127.200.160.1:31943" "127.200.170.4:5000" inbound|5000|| '
        "127.0.0.1:39874 127.200.164.4:5000 127.0.0.1:50434 - default",
        '[2026-11-28T16:23:09.605Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 6 49 49 "-" '
        f'"kata-sampler,{AGENT}" "33d5" "name:5000" "127.200.164.2:5000" '
        "outbound|5000|name-v3|name.default.svc.cluster.local 127.0.0.1:36548 127.200.164.4:15080 "
        "127.0.0.1:50494 - default",
        "[2026-11-28 16:23:00.221][6164][warning][main] [source/server/server.cc:1059] There is no limit",
    ],
    "name-v3": [
        '[2026-11-28T16:23:09.606Z] "GET / HTTP/1.1" 500 - via_upstream - "-" 0 6 10 10 "-" '
        f'"kata-sampler,{AGENT}" "33d5" "name:5000" "127.200.170.2:5000" inbound|5000|| '
        "127.0.0.1:1 127.200.164.2:5000 127.0.0.1:36548 - default",
        '[2026-11-28T16:23:09.630Z] "GET / HTTP/1.1" 0 DC downstream_remote_disconnect - "-" 0 0 20 - "-" '
        f'"kata-sampler,{AGENT}" "33d5" "name:5000" "127.200.170.2:5000" inbound|5000|| '
        "127.0.0.1:1 127.200.164.2:5000 127.0.0.1:36548 - default",
        '[2026-11-28T16:23:09.630Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 6 2 2 "-" '
        '"curl/8" "77aa" "name:5000" "127.200.170.2:5000" inbound|5000|| '
        "127.0.0.1:1 127.200.164.2:5000 127.0.0.1:36548 - default",
    ],
}
"""Written by real sidecars, shortened; the durations are set."""


def spans() -> list[Span]:
    found: list[Span] = []
    for name, lines in LINES.items():
        labels = {"version": name[-2:]} if "-" in name else {}
        pod = {"metadata": {"name": f"{name}-1", "labels": labels, "ownerReferences": [{"name": name}]}}
        found += parse(pod, iter(lines))
    return found


def test_lines_of_one_request_are_a_tree_and_others_no_part_of_it() -> None:
    (trace,) = joined(spans(), AGENT)
    assert [(s.depth, s.workload, s.sent, s.status, s.ms) for s in trace.spans] == [
        (0, "sentences", False, 200, 51),
        (1, "sentences", True, 200, 49),
        (2, "name-v3", False, 500, 10),
        (2, "name-v3", False, 0, 20),
    ]
    assert trace.ms == 51


def test_what_is_not_tied_to_the_first_by_a_header_is_left_out() -> None:
    # As where sentences does not hand its headers on: the sidecars behind give requests names of their own.
    lost = [s for s in spans() if not s.sent and s.workload == "sentences"]
    others = [Span("9", "name-v3-1", "name-v3", "v3", False, "name", lost[0].start, 10, 200)]
    (trace,) = joined([*lost, *others], AGENT)
    assert [s.workload for s in trace.spans] == ["sentences"]


def test_the_picture_says_in_words_what_it_shows() -> None:
    (trace,) = joined(spans(), AGENT)
    shown = Waterfall(trace)
    assert "name v3: 10 ms, 500, after 2 ms." in shown.alt
    assert "name v3: 20 ms, given up, after 26 ms." in shown.alt
    assert shown.svg.count("<rect") == 1 + len(trace.spans)


@pytest.mark.parametrize("line", ["", "[2026-11-28][warning] no request", "GET / 200"])
def test_other_lines_are_no_spans(line: str) -> None:
    pod = {"metadata": {"name": "p", "labels": {}}}
    assert [*parse(pod, iter([line]))] == []
