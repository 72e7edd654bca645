"""Where Envoy takes resources from: the daemon's discovery service."""

from typing import Any

DISCOVERY_CLUSTER = "xds"


def discovery() -> dict[str, Any]:
    """Return the source of each kind of resource: REST, each request held by the daemon until there is news.

    The next request follows after a millisecond or two, so that the next change does not wait for it. The
    request's timeout is longer than the daemon holds it.
    """
    return {
        "resource_api_version": "V3",
        "initial_fetch_timeout": "0s",
        "api_config_source": {
            "api_type": "REST",
            "transport_api_version": "V3",
            "cluster_names": [DISCOVERY_CLUSTER],
            "refresh_delay": "0.001s",
            "request_timeout": "60s",
        },
    }
