"""Envoy's counters under Istio's names, as pod:15020/stats/prometheus serves them."""

import re

_PREFIX = "envoy_istio_"
_NOT_KNOWN = re.compile(r'((?:source|destination)_\w+)="-"')
_HTTP = re.compile(r'request_protocol="HTTP/[\d.]+"')


def prometheus(admin_text: str) -> str:
    """Return Envoy's Prometheus text with its istio counters renamed, such as istio_requests_total.

    What a request never reached (no cluster, no endpoint) is "unknown", Istio's word for Envoy's dash.
    """
    return "".join(_line(line) for line in admin_text.splitlines(keepends=True))


def _line(line: str) -> str:
    if _PREFIX not in line:
        return line
    line = line.replace(_PREFIX, "istio_", 1)
    return _HTTP.sub('request_protocol="http"', _NOT_KNOWN.sub(r'\1="unknown"', line))
