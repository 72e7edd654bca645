"""http.retries: how often a failed request is tried again, on another endpoint if there is one."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.numbers import duration

FIELDS: Tree = {
    "attempts": LEAF,
    "perTryTimeout": LEAF,
    "retryOn": LEAF,
    "backoff": LEAF,
    "retryIgnorePreviousHosts": LEAF,
}

_RETRY_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
_ATTEMPTS = 2
_PREVIOUS_HOSTS = "envoy.retry_host_predicates.previous_hosts"
_PREVIOUS_HOSTS_TYPE = (
    "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
)


def default() -> Envoy:
    """Return the policy of every route that says nothing of retries."""
    return {
        "retry_on": _RETRY_ON,
        "num_retries": _ATTEMPTS,
        "retry_host_predicate": [
            {"name": _PREVIOUS_HOSTS, "typed_config": {"@type": _PREVIOUS_HOSTS_TYPE}},
        ],
        "host_selection_retry_max_attempts": "5",
    }


def envoy(retries: Mapping[str, Any] | None) -> Envoy | None:
    """Return the retry policy, or None where attempts are 0."""
    policy = default()
    if retries is None:
        return policy
    if retries.get("attempts", 0) <= 0:
        return None
    policy["num_retries"] = retries["attempts"]
    if retries.get("retryIgnorePreviousHosts") is False:
        del policy["retry_host_predicate"], policy["host_selection_retry_max_attempts"]
    if "perTryTimeout" in retries:
        policy["per_try_timeout"] = duration(retries["perTryTimeout"])
    if "backoff" in retries:
        policy["retry_back_off"] = {"base_interval": duration(retries["backoff"])}
    if conditions := retries.get("retryOn"):
        words = [word.strip() for word in conditions.split(",") if word.strip()]
        codes = [int(word) for word in words if word.isdigit()]
        policy["retry_on"] = ",".join(word for word in words if not word.isdigit())
        if codes:
            policy["retriable_status_codes"] = codes
            if "retriable-status-codes" not in words:
                policy["retry_on"] = ",".join(filter(None, (policy["retry_on"], "retriable-status-codes")))
    return policy
