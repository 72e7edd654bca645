"""From the sampler's records to a data frame; its columns are described in __init__.py."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple

from kata_lib.traffic.sampler_process import NOBODY

if TYPE_CHECKING:
    import pandas as pd


class RequestRecord(NamedTuple):
    """Time sent (ns since 1970), latency (ms), status, text: the answer, or with status 0 the reason.

    user: the number of the user whose request it was, NOBODY's where none are played.
    """

    sent: int
    latency: float
    status: int
    text: str
    user: int = NOBODY


UNKNOWN = "unknown"
"""The version of an answer that does not tell it."""

VersionOf = Callable[[str], str]
"""Returns the version that the text of an answer is from, or UNKNOWN."""


def unknown(answer: str) -> str:
    """Return UNKNOWN: for an application whose answers do not tell their version."""
    return UNKNOWN


def frame_of(records: Collection[RequestRecord], version_of: VersionOf = unknown) -> "pd.DataFrame":
    """Return records as a frame with one row each."""
    import pandas as pd

    times, latencies, statuses, texts, users = zip(*records, strict=True) if records else ((),) * 5
    answered = [200 <= status < 300 for status in statuses]
    played = any(user != NOBODY for user in users)
    return pd.DataFrame(
        {
            **({"user": pd.Series(users, dtype="int64")} if played else {}),
            "time": pd.to_datetime(pd.Series(times, dtype="int64"), unit="ns", utc=True),
            "version": pd.Series(
                [version_of(text) if ok else None for text, ok in zip(texts, answered, strict=True)],
                dtype=object,
            ),
            "status": pd.Series(statuses, dtype="int64"),
            "latency_ms": pd.Series(latencies, dtype="float64").round(2),
            "answer": pd.Series(
                [text if status else "" for text, status in zip(texts, statuses, strict=True)], dtype="str"
            ),
            "error": pd.Series(
                [
                    None if ok else _error(status, text)
                    for ok, status, text in zip(answered, statuses, texts, strict=True)
                ],
                dtype=object,
            ),
        }
    )


def _error(status: int, text: str) -> str:
    return f"HTTP {status}: {text}" if status else text
