"""The picture of users and requests: who has met a version after so many requests, beside its share."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from kata_lib.pictures.plots import EXPECTED, TOP, band, percent_figure, style_of
from kata_lib.pictures.stills import Still
from kata_lib.statistics.shares import in_percent, observed, percent
from kata_lib.traffic import users

if TYPE_CHECKING:
    import pandas as pd


def draw(sample: "pd.DataFrame", expected: float, version: str = "v2") -> Still:
    """Show the share of users who have met `version` by their number of requests, beside its share of those.

    sample: with users. expected: the share of requests in force, a fraction, for the line that chance alone
    would give.
    """
    shares, style = users.met_by(sample, version), style_of(version)
    numbers = list(range(1, len(shares) + 1))
    chance = [in_percent(users.expected_to_meet(expected, k), 3) for k in numbers]
    requests = observed(sample, version)
    traces = [
        band(numbers, [share.low for share in shares], [share.high for share in shares], style.color),
        go.Scatter(
            x=numbers,
            y=[in_percent(share.share, 3) for share in shares],
            mode="markers",
            name=f"users who have met {version}, observed",
            marker={"symbol": style.symbol, "size": 8, "color": style.color},
        ),
        go.Scatter(x=numbers, y=chance, mode="lines", name="users, by chance alone", line=EXPECTED),
        go.Scatter(
            x=[0, max(len(numbers), 1)],
            y=[in_percent(requests.share, 3) if requests.n else None] * 2,
            mode="lines",
            name=f"requests that got {version}",
            line={"color": style.color, "width": 2.5, "dash": style.dash},
        ),
    ]
    made = percent_figure(traces, f"Users and requests on {version}", "requests of each user", "share")
    made.update_yaxes(range=[0, TOP])
    ticks = numbers[:: max(1, len(numbers) // 10)]
    made.update_xaxes(range=[0, max(len(numbers), 1) + 0.5], tickvals=ticks, ticktext=list(map(str, ticks)))
    last = f"after {len(shares)} requests each {percent(shares[-1].share)}" if shares else "nobody yet"
    of_requests = f"{percent(requests.share)} of {requests.n:,} requests" if requests.n else "no requests yet"
    return Still(made, f"Points of the share of users who have met {version}: {last}; beside {of_requests}.")
