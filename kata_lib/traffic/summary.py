"""What a sample says in a few numbers: a frame of the sampler goes in, counts and shares come out."""

from typing import TYPE_CHECKING, Any

from kata_lib.statistics import shares

if TYPE_CHECKING:
    import pandas as pd


def summarize(frame: "pd.DataFrame") -> dict[str, Any]:
    """Return requests, failures, seconds, shares by version with 95 % intervals, and latencies in ms."""
    versions = sorted(frame["version"].dropna().unique())
    failed = frame[frame["version"].isna()]
    took = (frame["time"].max() - frame["time"].min()).total_seconds() if len(frame) else 0.0
    by_version = {}
    for version in versions:
        seen = shares.observed(frame, version)
        by_version[version] = {"count": seen.count, "share": seen.share, "low": seen.low, "high": seen.high}
    return {
        "requests": len(frame),
        "failures": len(failed),
        "seconds": round(took, 3),
        "versions": by_version,
        "latency_ms": {f"p{q}": round(float(frame["latency_ms"].quantile(q / 100)), 2) for q in (50, 95, 99)}
        if len(frame)
        else {},
        "errors": {str(error): int(count) for error, count in failed["error"].value_counts().items()},
    }


def text(summary: dict[str, Any]) -> str:
    """Return the summary as lines for a person."""
    lines = [f"{summary['requests']} requests in {summary['seconds']:.1f} s, {summary['failures']} failed"]
    answers = summary["requests"] - summary["failures"]
    for version, seen in summary["versions"].items():
        share = shares.share_of(version, seen["count"], answers)
        lines.append(f"{version}  {seen['count']:>6}  {share}")
    if latency := summary["latency_ms"]:
        lines.append("latency  " + ", ".join(f"{name} {value:g} ms" for name, value in latency.items()))
    lines += [f"failed   {count}: {error}" for error, count in summary["errors"].items()]
    return "\n".join(lines)
