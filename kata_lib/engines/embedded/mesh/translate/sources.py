"""Where Envoy takes resources from: the daemon's discovery service."""

from typing import Any

DISCOVERY_CLUSTER = "xds"
_AT_ONCE = "0.001s"
_AFTER_A_MOMENT = "0.005s"


def discovery() -> dict[str, Any]:
    """Return the source of each kind of resource: REST, each request held by the daemon until there is news.

    The next request follows after a millisecond or two, so that the next change does not wait for it. The
    request's timeout is longer than the daemon holds it.
    """
    return _rest(_AT_ONCE)


def route_discovery() -> dict[str, Any]:
    """Return the source of route tables: the next request follows after 5 to 10 ms.

    A request takes Envoy some milliseconds (it lists all its extensions, 77 kB), and a new weight makes every
    Envoy send one: at once, they would keep the processors from the users' requests. Nothing but the removal
    of unused clusters waits for a table's acknowledgement.
    """
    return _rest(_AFTER_A_MOMENT)


def _rest(refresh_delay: str) -> dict[str, Any]:
    return {
        "resource_api_version": "V3",
        "initial_fetch_timeout": "0s",
        "api_config_source": {
            "api_type": "REST",
            "transport_api_version": "V3",
            "cluster_names": [DISCOVERY_CLUSTER],
            "refresh_delay": refresh_delay,
            "request_timeout": "3600s",
        },
    }
