"""A Kubernetes API in a dictionary: as much of one as the library's unit tests ask for.

Every Deployment is rolled out at once; its pods get a sidecar if the namespace's label says so by then.
"""

import copy
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sidecars

from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course.steps import KINDS
from kata_lib.engines.embedded.registry.patches import merge_patch


class FakeApi:
    """Stands in for KubeClient; `objects` holds what there is by path, `requests` what was asked.

    `elsewhere` holds the Deployments of other namespaces; `has_argo`: its definitions are installed.
    """

    namespace = "default"

    def __init__(self) -> None:
        self.objects: dict[str, Obj] = {}
        self.labels: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.broken_images: set[str] = set()
        self.elsewhere: list[Obj] = []
        self.has_argo = False
        self._numbers = itertools.count(1)

    def path(self, api_version: str, kind: str, name: str = "", namespace: str | None = None) -> str:
        group = "apis" if "/" in api_version else "api"
        plural = f"{kind.lower()}s"
        return f"/{group}/{api_version}/namespaces/default/{plural}" + (f"/{name}" if name else "")

    def kinds(self) -> list[tuple[str, str]]:
        return [kind for kind in (*KINDS, ("v1", "ConfigMap")) if self.serves(*kind)]

    def serves(self, api_version: str, kind: str) -> bool:
        return self.has_argo or not api_version.startswith("argoproj.io/")

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Obj:
        self.requests.append((method, path))
        if path == "/api/v1/namespaces/default":
            self.labels.update((body or {}).get("metadata", {}).get("labels", {}))
            return {"metadata": {"name": "default", "labels": self.labels}}
        if "/namespaces/" not in path:  # a list over all namespaces, of which there is one
            prefix, _, plural = path.rpartition("/")
            here = self._list(f"{prefix}/namespaces/default/{plural}", {})["items"]
            return {"items": here + (self.elsewhere if plural == "deployments" else [])}
        for subresource in ("/scale", "/status"):
            if path.endswith(subresource):
                return self.request("PATCH", path.removesuffix(subresource), body)
        if "/" not in path.partition("/namespaces/default/")[2]:
            return self._post(path, body) if method == "POST" else self._list(path, query or {})
        if path not in self.objects:
            raise ApiRefused(404, "NotFound", f"{path} not found")
        return self._one(method, path, body)

    def text(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Answer for a pod's agent: its sidecar has acknowledged all, and this configuration."""
        pod, _, asked = path.partition(":15020/proxy/")
        if asked == "debug/syncz":
            return ""
        if asked.startswith("config_dump"):
            return json.dumps(sidecars.config_dump(self.objects, self.objects[pod]))
        return f"text of {path}"

    def lines(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[str]:
        yield f"{path} {dict(query or {})}"

    def _one(self, method: str, path: str, body: Any) -> Obj:
        live = self.objects[path]
        if method == "DELETE":
            self._remove(path)
        elif method in ("PATCH", "PUT"):
            new = merge_patch(live, body) if method == "PATCH" else copy.deepcopy(body)
            version = live["metadata"]["resourceVersion"]
            if new["metadata"].get("resourceVersion", version) != version:
                raise ApiRefused(409, "Conflict", f"{path}: the object has been modified")
            new["metadata"] |= {k: live["metadata"][k] for k in ("uid", "creationTimestamp", "generation")}
            new["metadata"]["resourceVersion"] = str(next(self._numbers))
            new["metadata"]["generation"] += new.get("spec") != live.get("spec")
            self.objects[path] = new
            self._roll_out(path, new)
        return copy.deepcopy(self.objects.get(path, live))

    def _list(self, path: str, query: Mapping[str, str]) -> Obj:
        wanted = [part.split("=") for part in query.get("labelSelector", "").split(",") if part]
        items = [
            copy.deepcopy(obj)
            for at, obj in self.objects.items()
            if at.rsplit("/", 1)[0] == path
            and all(obj["metadata"].get("labels", {}).get(key) == value for key, value in wanted)
        ]
        return {"items": items}

    def _post(self, path: str, body: Obj) -> Obj:
        obj = copy.deepcopy(body)
        number = next(self._numbers)
        obj["metadata"] |= {"uid": str(number), "generation": 1, "resourceVersion": str(number)}
        obj["metadata"]["creationTimestamp"] = f"2026-01-01T00:00:{number:02}Z"
        if obj["kind"] == "Service" and obj["spec"].get("type") == "NodePort":
            for port in obj["spec"]["ports"]:
                port.setdefault("nodePort", 30000 + number)
        at = f"{path}/{obj['metadata']['name']}"
        if at in self.objects:
            raise ApiRefused(409, "AlreadyExists", f"{at} already exists")
        self.objects[at] = obj
        self._roll_out(at, obj)
        return copy.deepcopy(obj)

    def _roll_out(self, path: str, obj: Obj) -> None:
        if obj["kind"] != "Deployment":
            return
        self._remove_pods(obj)
        number = obj["spec"].get("replicas", 1)
        broken = obj["spec"]["template"]["spec"]["containers"][0]["image"] in self.broken_images
        obj["status"] = {"observedGeneration": obj["metadata"]["generation"], "updatedReplicas": number}
        obj["status"] |= {"replicas": number, "availableReplicas": 0 if broken else number}
        for index in range(number):
            pod = self._pod(obj, index, broken)
            self.objects[self.path("v1", "Pod", pod["metadata"]["name"])] = pod

    def _pod(self, deployment: Obj, index: int, broken: bool) -> Obj:
        template = copy.deepcopy(deployment["spec"]["template"])
        if self.labels.get("istio-injection") == "enabled":
            template["spec"]["containers"].append({"name": "istio-proxy"})
        waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
        name = deployment["metadata"]["name"]
        metadata = {
            "name": f"{name}-{index}",
            "uid": f"{name}-{index}",
            "labels": {**template["metadata"].get("labels", {}), "pod-template-hash": "5c7d8f9b6d"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"{name}-5c7d8f9b6d"}],
        }
        return {
            "metadata": {**template["metadata"], **metadata},
            "spec": template["spec"],
            "status": {
                "phase": "Pending" if broken else "Running",
                "conditions": [{"type": "Ready", "status": "False" if broken else "True"}],
                "containerStatuses": [
                    {"name": c["name"], "ready": not broken, "state": waiting if broken else {}}
                    for c in template["spec"]["containers"]
                ],
            },
        }

    def _remove(self, path: str) -> None:
        self._remove_pods(self.objects.pop(path))

    def _remove_pods(self, obj: Obj) -> None:
        prefix = self.path("v1", "Pod", obj["metadata"]["name"]) + "-"
        if obj["kind"] == "Deployment":
            for path in [
                p for p in self.objects if p.startswith(prefix) and p.removeprefix(prefix).isdigit()
            ]:
                del self.objects[path]


def make_cluster(monkeypatch: pytest.MonkeyPatch, *, injection: bool = True) -> tuple[Cluster, FakeApi]:
    """Return a real Cluster on a fake API."""
    api = FakeApi()
    if injection:
        api.labels["istio-injection"] = "enabled"
    monkeypatch.setattr("kata_lib.cluster.cluster.KubeClient", lambda *_: api)
    return Cluster(Path("kubeconfig"), node_host="127.0.0.9"), api
