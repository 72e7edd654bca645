"""Leaves a cluster as it was: whatever is new in it goes, without the help of its controllers."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kata_lib.cluster.client import ApiRefused, KubeClient

MERGE = "application/merge-patch+json"
NOW = {"gracePeriodSeconds": "0", "propagationPolicy": "Background"}


@contextmanager
def leaving_nothing(client: KubeClient) -> Iterator[None]:
    """Delete on leaving what was not there before: objects of every kind, then definitions and namespaces."""
    before = set(_objects(client))
    try:
        yield
    finally:
        for path in sorted(set(_objects(client)) - before, key=_last):
            with suppress(ApiRefused):
                client.request("DELETE", path, query=NOW)
            with suppress(ApiRefused):
                client.request("PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE)
            if path.startswith("/api/v1/namespaces/") and path.count("/") == 4:
                _finalize(client, path)


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
