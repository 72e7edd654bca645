"""timeouts: of a request in all, and of one attempt."""

from collections.abc import Mapping
from typing import Any

from kata_lib.cluster.durations import seconds
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree

FIELDS: Tree = {"request": LEAF, "backendRequest": LEAF}


def istio(timeouts: Mapping[str, str]) -> dict[str, Any]:
    """Return Istio's timeout, {} for none.

    Istio has one: where a rule says nothing of retries, one attempt is the request. Zero means no limit.
    """
    given = [timeouts[field] for field in ("backendRequest", "request") if field in timeouts]
    return next(({"timeout": text} for text in given if seconds(text)), {})
