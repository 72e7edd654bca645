"""What a sample says of people: who met a version, and how often they were sent from one to another.

A sample with users (`sample(users=...)`) goes in. Requests without an answer count for nobody.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kata_lib.errors import TrafficError
from kata_lib.statistics.shares import Share, percent, share_of

if TYPE_CHECKING:
    import pandas as pd


def met(sample: "pd.DataFrame", version: str = "v2") -> Share:
    """Return the share of users who had at least one answer of a version."""
    by_user = (sample["version"] == version).groupby(_users(sample)).any()
    return share_of(version, int(by_user.sum()), len(by_user))


def failed(sample: "pd.DataFrame", at_least: int = 1) -> Share:
    """Return the share of users of whose requests so many failed."""
    by_user = sample["error"].notna().groupby(_users(sample)).sum() >= at_least
    return share_of("", int(by_user.sum()), len(by_user))


def flips(sample: "pd.DataFrame") -> "pd.Series[int]":
    """Return for each user how often an answer came from another version than the one before it."""
    versions = sample[sample["version"].notna()]["version"]
    before = versions.groupby(_users(sample)).shift()
    found = (versions.ne(before) & before.notna()).groupby(_users(sample)).sum()
    return found.reindex(sorted(_users(sample).unique()), fill_value=0).astype(int).rename("flips")


def met_by(sample: "pd.DataFrame", version: str = "v2") -> list[Share]:
    """Return after each user's first request, second and so on, the share of users who had met a version.

    As far as every user got.
    """
    users = _users(sample)
    number = users.groupby(users).cumcount() + 1
    hits = number[sample["version"] == version].groupby(users).min()
    fewest, all_of_them = int(number.groupby(users).max().min()) if len(users) else 0, users.nunique()
    return [share_of(version, int((hits <= k).sum()), all_of_them) for k in range(1, fewest + 1)]


def expected_to_meet(share: float, requests: int) -> float:
    """Return which part of users with so many requests meets a version that gets this share, by chance alone.

    1 - (1 - share)^requests, for requests that are decided one by one.
    """
    return 1 - (1 - share) ** requests


def expected_flips(share: float, requests: int) -> float:
    """Return how often a user is sent to the other version on average, by chance alone."""
    return 2 * share * (1 - share) * (requests - 1)


def failures(samples: "Mapping[str, pd.DataFrame]") -> "pd.DataFrame":
    """Return a row for each sample: failed requests, users with one at least, and users with nothing else."""
    import pandas as pd

    rows = {}
    for name, sample in samples.items():
        most = int(sample.groupby(_users(sample)).size().max())
        rows[name] = {
            "requests that failed": percent(sample["error"].notna().mean()),
            "users who met an error": str(failed(sample)),
            "users without any answer": str(failed(sample, most)),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _users(sample: "pd.DataFrame") -> "pd.Series[int]":
    if "user" not in sample:
        raise TrafficError("Nobody is told apart in this sample: take one with lab.sample(users=...).")
    return sample["user"]
