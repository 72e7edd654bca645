"""Envoy's counters under Istio's names, as pod:15020/stats/prometheus serves them."""

import re

from kata_lib.engines.embedded.mesh.translate.http_proxy import PASSAGE

_PREFIX = "envoy_istio_"
_PASSED = f'destination_service="{PASSAGE}|'
_LATEST = 'destination_canonical_revision=""', 'destination_canonical_revision="latest"'
_NOT_KNOWN = re.compile(r'((?:source|destination)_\w+)=""')
_TOLD_BY_PEER = re.compile(r'(destination_(?:app|version))="[^"]*"')
_FLAGS = re.compile(r'response_flags="([^"]*)"')
_ANSWERED = {"-", "DI", "URX"}
"""The flags that a caller's sidecar sets beside a peer's answer; any other means that there was none."""


def prometheus(admin_text: str) -> str:
    """Return Envoy's Prometheus text with its istio counters renamed, such as istio_requests_total.

    What nobody told, which Envoy leaves empty, is "unknown" to Istio: of a request that reached no pod which
    it was, and of one that no peer answered the peer's application and version. What passed on its way to a
    TCP port is no request.
    """
    lines = admin_text.splitlines(keepends=True)
    return "".join(_line(line) for line in lines if _PASSED not in line)


def _line(line: str) -> str:
    if _PREFIX not in line:
        return line
    line = line.replace(_PREFIX, "istio_", 1)
    if 'reporter="source"' in line and not _answered(line):
        line = _TOLD_BY_PEER.sub(r'\1="unknown"', line)
    return _NOT_KNOWN.sub(r'\1="unknown"', line.replace(*_LATEST))


def _answered(line: str) -> bool:
    flags = _FLAGS.search(line)
    return flags is None or set(flags[1].split(",")) <= _ANSWERED
