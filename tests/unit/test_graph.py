"""The graph: edges from counters, their shares, rates and failures, and the picture in words and as SVG."""

from xml.etree import ElementTree

import pandas as pd
import pytest

from kata_lib.mesh import telemetry
from kata_lib.pictures import graph

SVG = "{http://www.w3.org/2000/svg}"


def counted(*rows: tuple[str, str, str, str, str, int], seconds: float | None = 10) -> pd.DataFrame:
    """Return counters: reporter, source workload and version, called workload and version, code, requests."""
    records = {}
    for reporter, source, called, version, code, requests in rows:
        service = called.partition("-")[0] if called != "unknown" else "name"
        source_version = "unknown" if source == "unknown" else "v1"
        key = ("pod", reporter, source, source_version, service, called, version, code, "-")
        records[key] = {"requests": float(requests), "timed": float(requests), "milliseconds": 0.0}
    index = pd.MultiIndex.from_tuples(list(records), names=telemetry.KEYS)
    table = pd.DataFrame(list(records.values()), index=index)
    if seconds:
        table.attrs["seconds"] = seconds
    return table


CANARY = counted(
    ("source", "sentences", "age", "v1", "200", 300),
    ("source", "sentences", "name-v1", "v1", "200", 270),
    ("source", "sentences", "name-v2", "v2", "200", 20),
    ("source", "sentences", "name-v2", "v2", "500", 10),
    ("destination", "unknown", "name-v2", "v2", "200", 99),  # the same requests, as the called pods saw them
    ("destination", "unknown", "sentences", "v1", "200", 300),
)


def edges(table: pd.DataFrame) -> dict[tuple[str, str], graph.Edge]:
    return {(str(e.caller), str(e.called)): e for e in graph.draw(table).edges}


def test_each_edge_has_its_part_of_what_its_node_sends() -> None:
    found = edges(CANARY)
    assert {ends: round(100 * edge.share) for ends, edge in found.items()} == {
        ("outside", "sentences"): 100,
        ("sentences", "sentences\nv1"): 100,
        ("sentences\nv1", "age"): 50,
        ("sentences\nv1", "name"): 50,
        ("age", "age\nv1"): 100,
        ("name", "name\nv1"): 90,
        ("name", "name\nv2"): 10,
    }


def test_services_of_one_version_are_drawn_as_the_service_of_all() -> None:
    """An HTTPRoute sends to them; the called pods count what they got for the Service that is older."""
    by_route = CANARY.reset_index()
    sent = (by_route["reporter"] == "source") & by_route["destination"].str.startswith("name-")
    by_route["service"] = by_route["service"].where(~sent, by_route["destination"])
    by_route = by_route.set_index(CANARY.index.names)
    by_route.attrs = {**CANARY.attrs, "versions": {"name": ["name-v1", "name-v2"]}}
    assert edges(by_route) == edges(CANARY)


def test_rate_and_failures_stand_on_the_edge() -> None:
    found = edges(CANARY)
    assert str(found["name", "name\nv2"]) == "10.0 %\n3.0/s\n33.3 % failed"
    assert str(found["name", "name\nv1"]) == "90.0 %\n27.0/s"
    assert found["sentences\nv1", "name"].errors == pytest.approx(10 / 300)


def test_without_a_time_there_are_numbers_for_rates() -> None:
    found = edges(counted(("source", "sentences", "name-v1", "v1", "200", 7), seconds=None))
    assert str(found["name", "name\nv1"]) == "100.0 %\n7 requests"


def test_requests_that_reached_no_pod_are_shown() -> None:
    found = edges(counted(("source", "sentences", "unknown", "unknown", "503", 4)))
    assert str(found["name", "no pod"]) == "100.0 %\n0.4/s\n100.0 % failed"


def test_the_words_say_all_that_is_drawn() -> None:
    picture = graph.draw(CANARY)
    root = ElementTree.fromstring(picture.svg)
    assert root.findtext(f"{SVG}title") == picture.alt
    assert "service name to name v2: 10.0 %, 3.0/s, 33.3 % failed." in picture.alt
    drawn = {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
    for edge in picture.edges:
        for words in (edge.caller, edge.called, edge):
            assert {*str(words).split("\n")} <= drawn
    bundle = picture._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert picture.svg in bundle["text/html"]


def test_workloads_that_call_each_other_are_drawn_too() -> None:
    both = counted(("source", "age", "name", "v1", "200", 5), ("source", "name", "age", "v1", "200", 5))
    assert "service age to age v1: 100.0 %" in graph.draw(both).alt
    assert graph.draw(both).svg.startswith("<svg")


def test_a_graph_of_nothing_says_so() -> None:
    nothing = graph.draw(CANARY.iloc[:0])
    assert nothing.alt == "Graph of who calls whom: nobody called anybody."
    assert ElementTree.fromstring(nothing.svg).tag == f"{SVG}svg"


@pytest.mark.parametrize("services", [True, False])
def test_a_service_is_slow_where_its_slowest_twentieth_takes_longer(services: bool) -> None:
    """Of 300 requests to age all took at most 25 ms; of those to name-v1 20 of 270 took 250 to 500 ms."""
    known = {"age": (25, 300, 300), "name-v1": (250, 250, 270), "sentences": (250, 280, 300)}
    table = counted(
        ("source", "sentences", "age", "v1", "200", 300),
        ("source", "sentences", "name-v1", "v1", "200", 270),
        ("destination", "unknown", "sentences", "v1", "200", 300),
    )
    for bound in telemetry.BOUNDS:
        below = [known[called] for called in table.index.get_level_values("destination")]
        table[bound] = [
            float(total if bound >= 500 else part if bound >= at else 0) for at, part, total in below
        ]
    assert graph.draw(table, services).slower_than(250) == ["name", "sentences"]
    assert graph.draw(table, services).slower_than(500) == []
