"""Leaves a cluster as it was: whatever is new in it goes, without the help of its controllers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kata_lib.cluster.client import ApiRefused, KubeClient
from recorders.lab import LabError

MERGE = "application/merge-patch+json"
NOW = {"gracePeriodSeconds": "0", "propagationPolicy": "Background"}
NAMESPACES = "/api/v1/namespaces"
BY_ITSELF = ("/events/", "/leases/")
"""What a cluster writes by itself all the time."""
SECONDS, PAUSE = 60.0, 0.3
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


@contextmanager
def leaving_nothing(client: KubeClient) -> Iterator[None]:
    """Delete on leaving what was not there before, and give namespaces the labels back that they had.

    Objects of every kind go first, then definitions and namespaces. What controllers make again meanwhile
    goes too; LabError where something new is still there after SECONDS.
    """
    before, labels = set(_objects(client)), _labels(client)
    try:
        yield
    finally:
        for name, had in labels.items():
            _relabel(client, name, had)
        _delete_new(client, before)


@contextmanager
def without_webhooks(client: KubeClient) -> Iterator[None]:
    """Take validating webhooks out, so that an API server speaks for itself; they are put back on leaving."""
    found = client.request("GET", WEBHOOKS)["items"]
    for webhook in found:
        client.request("DELETE", f"{WEBHOOKS}/{webhook['metadata']['name']}")
    try:
        yield
    finally:
        for webhook in found:
            metadata = {key: webhook["metadata"].get(key) for key in ("name", "labels")}
            again = {**webhook, "metadata": metadata, "kind": "ValidatingWebhookConfiguration"}
            with suppress(ApiRefused):  # istiod has made it again
                client.request("POST", WEBHOOKS, {**again, "apiVersion": "admissionregistration.k8s.io/v1"})


def _delete_new(client: KubeClient, before: set[str]) -> None:
    end = time.monotonic() + SECONDS
    while new := sorted(set(_objects(client)) - before, key=_last):
        for path in new:
            _delete(client, path)
        left = [path for path in new if not any(word in path for word in BY_ITSELF)]
        if not left:
            return
        if time.monotonic() > end:
            raise LabError(f"The lab is not as it was, after {SECONDS:g} s there are still {', '.join(left)}")
        time.sleep(PAUSE)


def _delete(client: KubeClient, path: str) -> None:
    with suppress(ApiRefused):
        client.request("DELETE", path, query=NOW)
    with suppress(ApiRefused):
        client.request("PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE)
    if path.startswith(f"{NAMESPACES}/") and path.count("/") == 4:
        _finalize(client, path)


def _labels(client: KubeClient) -> dict[str, dict[str, str]]:
    """Return the labels of each namespace."""
    found = client.request("GET", NAMESPACES)["items"]
    return {item["metadata"]["name"]: item["metadata"].get("labels", {}) for item in found}


def _relabel(client: KubeClient, namespace: str, had: dict[str, str]) -> None:
    """Give a namespace the labels that it had, if it is there and has others."""
    has = _labels(client).get(namespace, had)
    if has != had:
        labels = {**dict.fromkeys(has), **had}
        client.request(
            "PATCH", f"{NAMESPACES}/{namespace}", {"metadata": {"labels": labels}}, content_type=MERGE
        )


def _last(path: str) -> tuple[bool, str]:
    return path.count("/") <= 5 and ("/namespaces/" in path or "/customresourcedefinitions/" in path), path


def _finalize(client: KubeClient, path: str) -> None:
    """Let a namespace go, which its controller would do."""
    with suppress(ApiRefused):
        namespace = client.request("GET", path)
        client.request("PUT", f"{path}/finalize", {**namespace, "spec": {"finalizers": []}})


def _objects(client: KubeClient) -> Iterator[str]:
    """Yield the path of every object that can be deleted."""
    groups = client.request("GET", "/apis")["groups"]
    prefixes = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
    for prefix in prefixes:
        with suppress(ApiRefused):
            for resource in client.request("GET", prefix)["resources"]:
                if {"list", "delete"} <= set(resource["verbs"]):
                    yield from _of_kind(client, prefix, resource)


def _of_kind(client: KubeClient, prefix: str, resource: dict[str, Any]) -> Iterator[str]:
    with suppress(ApiRefused):
        for item in client.request("GET", f"{prefix}/{resource['name']}")["items"]:
            namespace = item["metadata"].get("namespace")
            within = f"/namespaces/{namespace}" if namespace else ""
            yield f"{prefix}{within}/{resource['name']}/{item['metadata']['name']}"
