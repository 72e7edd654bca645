"""Reviews: the holder of the token is the cluster's administrator, and may do everything."""

from typing import Any

from kata_lib.engines.embedded.registry.status import no_such_path
from kata_lib.engines.embedded.store import Obj

USER = {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}

REVIEWS = {
    "authorization.k8s.io/v1/selfsubjectaccessreviews": "SelfSubjectAccessReview",
    "authorization.k8s.io/v1/selfsubjectrulesreviews": "SelfSubjectRulesReview",
    "authentication.k8s.io/v1/selfsubjectreviews": "SelfSubjectReview",
}


def review(path: str, body: Any) -> Obj:
    """Return the answer to a review posted at GROUP/VERSION/PLURAL; raise StatusError 404 for others."""
    kind = REVIEWS.get(path)
    if kind is None:
        raise no_such_path()
    spec = body.get("spec", {}) if isinstance(body, dict) else {}
    statuses: dict[str, dict[str, Any]] = {
        "SelfSubjectAccessReview": {"allowed": True, "reason": "the token is the administrator's"},
        "SelfSubjectRulesReview": {
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": False,
        },
        "SelfSubjectReview": {"userInfo": USER},
    }
    return {
        "kind": kind,
        "apiVersion": path.rpartition("/")[0],
        "metadata": {"creationTimestamp": None},
        "spec": spec,
        "status": statuses[kind],
    }
