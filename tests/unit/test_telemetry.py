"""kata_lib.mesh.telemetry: counters from Prometheus text, differences, and tables by version."""

import pandas as pd
import pytest

from kata_lib.mesh import proxy_counters, telemetry


def text(reporter: str, version: str, code: str, requests: int, ms: float = 0.0) -> str:
    labels = (
        f'reporter="{reporter}",response_code="{code}",response_flags="-",source_workload="sentences",'
        f'destination_service_name="name",destination_workload="name-{version}",destination_version="{version}"'
    )
    duration = "istio_request_duration_milliseconds"
    return (
        f"istio_requests_total{{{labels}}} {requests}\n"
        f'{duration}_bucket{{{labels},le="+Inf"}} {requests}\n'
        f"{duration}_sum{{{labels}}} {ms}\n{duration}_count{{{labels}}} {requests}\n"
    )


def frame(pod: str, *texts: str) -> pd.DataFrame:
    rows = telemetry.parse(pod, "# a comment\n" + "".join(texts))
    index = pd.MultiIndex.from_tuples(list(rows), names=telemetry.READING)
    return pd.DataFrame(list(rows.values()), index=index)


def test_requests_and_errors_by_version_are_the_difference_of_two_readings() -> None:
    before = frame("s", text("source", "v2", "200", 100, 50))
    after = frame(
        "s",
        text("source", "v2", "200", 190, 140),
        text("source", "v3", "200", 5, 1000),
        text("source", "v3", "500", 5, 1000),
    )
    table = telemetry.by_version(telemetry.difference(before, after), "name")
    assert table["requests"].to_dict() == {"v2": 90, "v3": 10}
    assert table["errors"].to_dict() == {"v2": 0, "v3": 5}
    assert table["mean ms"].to_dict() == {"v2": 1.0, "v3": 200.0}
    assert table["share"]["v3"].startswith("10.0 % of 100 (")


def test_requests_to_a_service_of_one_version_are_among_the_services() -> None:
    """As one run of the embedded engine counted 100 requests that an HTTPRoute divided."""

    def sent(version: str, number: int) -> str:
        return text("source", version, "200", number).replace('name="name"', f'name="name-{version}"')

    arrived = text("destination", "v1", "200", 90), text("destination", "v2", "200", 10)
    counted = frame("s", sent("v1", 90), sent("v2", 10), *arrived)
    counted.attrs["versions"] = {"name": ["name-v1", "name-v2"]}
    assert telemetry.by_version(counted, "name")["requests"].to_dict() == {"v1": 90, "v2": 10}
    sample = pd.DataFrame({"version": ["v1"] * 90 + ["v2"] * 10})
    table = telemetry.side_by_side(sample, counted, "name")
    assert table.to_dict("index") == {
        version: {"client": number, "source": number, "destination": number}
        for version, number in (("v1", 90), ("v2", 10))
    }


def test_failures_of_a_workload_count_those_that_it_never_answered() -> None:
    """What istio_requests_total says of a time-out: the endpoint's workload, and no version."""
    late = text("source", "v3", "504", 3).replace('destination_version="v3"', 'destination_version="unknown"')
    counted = frame(
        "s",
        text("source", "v2", "200", 90),
        text("source", "v3", "200", 4),
        text("source", "v3", "500", 2),
        late,
    )
    share = telemetry.failures_of(counted, "name-v3")
    assert (share.version, share.count, share.n) == ("failed", 5, 9)


def test_a_restarted_sidecar_begins_at_zero() -> None:
    before = frame("s", text("source", "v1", "200", 100), text("source", "v2", "200", 1))
    after = frame("s", text("source", "v1", "200", 7), text("source", "v2", "200", 2))
    assert telemetry.difference(before, after)["requests"].tolist() == [7, 2]


@pytest.mark.parametrize(
    ("asked", "since", "counted"),
    [
        ({"t": 0.0}, 40.0, []),
        ({"t": 0.0, "s": 40.0}, 40.0, [100]),
        ({"t": 0.0}, 60.0, [100]),
        (None, 40.0, [100]),
    ],
    ids=["not-ready-for-a-moment", "asked-and-nothing-yet", "began-since", "readings-that-do-not-tell"],
)
def test_what_a_pod_counted_before_it_was_asked_is_not_new(
    asked: dict[str, float] | None, since: float, counted: list[int]
) -> None:
    before, after = frame("t", text("source", "v1", "200", 5)), frame("s", text("source", "v1", "200", 100))
    before.attrs = {"at": 50.0} if asked is None else {"at": 50.0, "asked": asked}
    after.attrs = {"at": 51.0, "asked": {"t": 0.0, "s": since}}
    assert telemetry.difference(before, after)["requests"].tolist() == counted


def own(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Return a reading of what an Envoy counted by itself: subset, address of the endpoint, requests."""
    keys: list[proxy_counters.LabelledCount] = [
        (
            {
                "reporter": "source",
                "destination_version": "v2",
                "endpoint": f"outbound|5000|{subset}|name@{at}",
            },
            n,
        )
        for subset, at, n in rows
    ]
    counted = telemetry.plain("s", keys)
    index = pd.MultiIndex.from_tuples(list(counted), names=telemetry.READING)
    return pd.DataFrame(list(counted.values()), index=index)


def test_an_endpoint_that_goes_takes_its_counter_along_and_nothing_is_counted_twice() -> None:
    before = own(("v2", "10.0.0.5", 500), ("v2", "10.0.0.6", 400))
    after = own(("v2", "10.0.0.6", 430), ("v2", "10.0.0.7", 9))
    assert telemetry.difference(before, after)["requests"].sum() == 39


def test_a_cluster_of_an_envoy_that_begins_anew_leaves_the_others_alone() -> None:
    before = own(("canary", "10.0.0.5", 500), ("stable", "10.0.0.6", 400))
    after = own(("canary", "10.0.0.5", 20), ("stable", "10.0.0.6", 410), ("stable", "10.0.0.5", 3))
    assert telemetry.difference(before, after)["requests"].sum() == 33


def test_a_retry_counts_at_the_destination_only() -> None:
    counted = frame(
        "s",
        text("source", "v2", "200", 2),
        text("destination", "v2", "200", 2),
        text("destination", "v2", "503", 1),
    )
    sample = pd.DataFrame({"version": pd.Series(["v2", "v2"], dtype=object)})
    table = telemetry.side_by_side(sample, counted, "name")
    assert table.loc["v2"].to_dict() == {"client": 2, "source": 2, "destination": 2}
    assert table.loc["failed"].to_dict() == {"client": 0, "source": 0, "destination": 1}


def test_durations_are_counted_up_to_a_time_where_the_sidecar_has_such_a_bucket() -> None:
    labels = 'reporter="source",response_code="200",destination_version="v2"'
    bucket = "istio_request_duration_milliseconds_bucket"
    lines = [f"istio_requests_total{{{labels}}} 9"]
    lines += [f'{bucket}{{{labels},le="{ms}"}} {count}' for ms, count in ((100, 7), (250, 9))]
    (row,) = telemetry.parse("s", "\n".join(lines), within=(100, 120)).values()
    assert row == {"requests": 9.0, "timed": 0.0, "milliseconds": 0.0, 100: 7.0}
