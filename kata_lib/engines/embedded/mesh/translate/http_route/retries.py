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
_OTHER_ENDPOINT: Envoy = {
    "name": "envoy.retry_host_predicates.previous_hosts",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    },
}


def default(*, hashed: bool = False) -> Envoy:
    """Return the policy of every route that says nothing of retries.

    Where a hash chooses the endpoint (`hashed`), another attempt may go to the same.
    """
    policy: Envoy = {
        "retry_on": _RETRY_ON,
        "num_retries": _ATTEMPTS,
        "host_selection_retry_max_attempts": "5",
    }
    if not hashed:
        policy["retry_host_predicate"] = [_OTHER_ENDPOINT]
    return policy


def envoy(retries: Mapping[str, Any] | None, *, hashed: bool = False) -> Envoy | None:
    """Return the retry policy, or None where attempts are 0."""
    policy = default(hashed=hashed)
    if retries is None:
        return policy
    if retries.get("attempts", 0) <= 0:
        return None
    policy["num_retries"] = retries["attempts"]
    if (others := retries.get("retryIgnorePreviousHosts")) is not None:
        policy.pop("retry_host_predicate", None)
        policy |= {"retry_host_predicate": [_OTHER_ENDPOINT]} if others else {}
    if "perTryTimeout" in retries:
        policy["per_try_timeout"] = duration(retries["perTryTimeout"])
    if "backoff" in retries:
        policy["retry_back_off"] = {"base_interval": duration(retries["backoff"])}
    if conditions := retries.get("retryOn"):
        policy |= _conditions(conditions)
    return policy


def _conditions(written: str) -> Envoy:
    """Return what is tried again: numbers among the conditions are status codes."""
    words = [word.strip() for word in written.split(",") if word.strip()]
    codes = [int(word) for word in words if word.isdigit()]
    names = [word for word in words if not word.isdigit()]
    if not codes:
        return {"retry_on": ",".join(names)}
    # as istiod joins them, with a comma also where there is no other condition
    implied = "" if "retriable-status-codes" in names else ",retriable-status-codes"
    return {"retry_on": ",".join(names) + implied, "retriable_status_codes": codes}
