"""Requests a second through the whole chain, and what of that the sampler itself costs."""

import re
import shutil
import subprocess
from typing import Literal

from bench.results import Figure
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application
from kata_lib.errors import KataError

CONNECTIONS = 16
Policy = Literal["keep-alive", "per-request"]


def measure(cluster: Cluster, seconds: int) -> list[Figure]:
    """Let the sampler, and wrk where it is installed, ask the sentences service as fast as it answers.

    Both use one processor, 16 connections and the same policy, one right after the other.
    """
    url = cluster.url("sentences")
    figures = []
    for policy in ("keep-alive", "per-request"):
        ours = by_sampler(url, seconds, policy)
        goal = 1000 if policy == "keep-alive" else None
        what = f"whole chain, {CONNECTIONS} connections, {policy}"
        figures.append(Figure(what, ours, "requests/s", goal, "at least", "client on the same processors"))
        if shutil.which("wrk"):
            theirs = by_wrk(url, seconds, policy)
            how = f"wrk on the same path: {theirs:.0f} requests/s"
            figures.append(Figure(f"sampler against wrk, {policy}", ours / theirs, "", 0.8, "at least", how))
    return figures


def by_sampler(url: str, seconds: int, policy: Policy) -> float:
    """Return the sampler's requests a second."""
    frame = application.sample(url, seconds=seconds, concurrency=CONNECTIONS, connections=policy)
    failed = int((frame["status"] != 200).sum())
    if failed:
        raise KataError(f"{failed} of {len(frame)} requests failed under load ({policy}).")
    return len(frame) / seconds


def by_wrk(url: str, seconds: int, policy: Policy) -> float:
    """Return wrk's requests a second."""
    close = ["-H", "Connection: close"] if policy == "per-request" else []
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *close, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if found is None:
        raise KataError(f"wrk did not say its rate:\n{said}")
    return float(found[1])
