"""The order of versions; see https://kubernetes.io/docs/reference/using-api/#api-versioning."""

import re
from collections.abc import Collection

VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")


def by_stability(versions: Collection[str]) -> list[str]:
    """Return versions as Kubernetes sorts them: v2, v1, v2beta1, v1beta2, v1alpha1, then other names."""
    known = [(match, version) for version in versions if (match := VERSION.fullmatch(version))]
    others = sorted(set(versions) - {version for _, version in known})

    def rank(entry: tuple[re.Match[str], str]) -> tuple[int, int, int]:
        major, stage, minor = entry[0].groups()
        return {"alpha": 0, "beta": 1}.get(stage, 2), int(major), int(minor or 0)

    return [version for _, version in sorted(known, key=rank, reverse=True)] + others
