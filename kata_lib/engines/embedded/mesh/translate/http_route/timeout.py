"""http.timeout: how long a request may take in all, retries among it."""

from kata_lib.engines.embedded.mesh.translate.numbers import duration

NONE = "0s"
"""Envoy's word for no limit, which is Istio's default."""


def envoy(timeout: str | None) -> str:
    """Return the timeout in Envoy's form."""
    return NONE if timeout is None else duration(timeout)
