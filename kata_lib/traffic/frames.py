"""From the sampler's records to a data frame; its columns are described in __init__.py."""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

Record = tuple[int, float, int, str]
"""Time sent (ns since 1970), latency (ms), status, text: the answer, or with status 0 the reason."""

UNKNOWN = "unknown"
"""The version of an answer that carries none."""

_MARK = re.compile(r" \((v\d+)\)")
_SENTENCE = re.compile(r"\S.* is \d+ years")


def version_of(answer: str | None) -> str | None:
    """Return the version that an answer is from; None for None.

    "v2" for the mark " (v2)". Version 1 has no mark, but a form: "Porthos is 42 years". What has neither is
    no answer of the workshop's sentences service, and its version is UNKNOWN.
    """
    if answer is None:
        return None
    return mark_in(answer) or ("v1" if _SENTENCE.fullmatch(answer.strip()) else UNKNOWN)


def mark_in(text: str) -> str | None:
    """Return the version that a text is marked with, None without one: errors have it at best."""
    mark = _MARK.search(text)
    return mark[1] if mark else None


def frame_of(records: Collection[Record]) -> "pd.DataFrame":
    """Return records as a frame with one row each."""
    import pandas as pd

    times, latencies, statuses, texts = zip(*records, strict=True) if records else ((), (), (), ())
    answered = [200 <= status < 300 for status in statuses]
    return pd.DataFrame(
        {
            "time": pd.to_datetime(pd.Series(times, dtype="int64"), unit="ns", utc=True),
            "version": pd.Series(
                [version_of(text) if ok else None for text, ok in zip(texts, answered, strict=True)],
                dtype=object,
            ),
            "status": pd.Series(statuses, dtype="int64"),
            "latency_ms": pd.Series(latencies, dtype="float64"),
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
