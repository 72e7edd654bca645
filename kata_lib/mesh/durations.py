"""How long requests took, from the buckets that sidecars count: quantiles as Prometheus estimates them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

BUCKETS = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
"""Upper ends, in ms, of buckets of Istio's istio_request_duration_milliseconds."""


def quantile(part: "pd.DataFrame", q: float) -> float | None:
    """Return in ms below which duration the fraction `q` of a part's requests lies; None without durations.

    part: rows of telemetry.counters(cluster, BUCKETS). Within a bucket durations count as spread evenly, and
    what took longer than the last one counts as its end
    (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile).
    """
    timed = float(part["timed"].sum())
    if not timed or not set(BUCKETS) <= set(part):
        return None
    below, start = 0.0, 0.0
    for end in BUCKETS:
        upto = float(part[end].sum())
        if upto >= q * timed:
            return start + (end - start) * (q * timed - below) / (upto - below)
        below, start = upto, float(end)
    return start
