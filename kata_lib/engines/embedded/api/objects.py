"""Requests for objects: by method and target to the function that answers."""

import asyncio

from aiohttp import web

from kata_lib.engines.embedded.api import discovery, reads, writes
from kata_lib.engines.embedded.api.bodies import sent_options
from kata_lib.engines.embedded.api.logs import Logs, stream_log
from kata_lib.engines.embedded.api.query import flag
from kata_lib.engines.embedded.api.respond import answer, one, warned
from kata_lib.engines.embedded.api.reviews import REVIEWS, review
from kata_lib.engines.embedded.api.target import Target, parse
from kata_lib.engines.embedded.api.watch import Watch
from kata_lib.engines.embedded.registry import crds
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.resources import METRICS, SCALES
from kata_lib.engines.embedded.registry.status import (
    StatusError,
    bad_request,
    method_not_allowed,
    no_such_path,
)
from kata_lib.engines.embedded.registry.subresources import scale_of
from kata_lib.engines.embedded.store import Event

LOOK_INSIDE = (
    "a container is a process of this machine: look at it in a terminal, with the machine's own tools"
)
LOOK_AT_ALL = "containers are processes of this machine: top in a terminal shows what they take"
REACH = (
    "pods, services and node ports are on this machine: kata url NAME says where; what an Envoy has in force"
    " prints kata proxy-config all POD, for istioctl proxy-config --file"
)

NOT_OFFERED = {
    "attach": "kubectl logs -f shows what the container writes",
    "ephemeralcontainers": LOOK_INSIDE,
    "exec": LOOK_INSIDE,
    "portforward": REACH,
    "proxy": REACH,
    "eviction": "kubectl delete pod has the same effect",
}


class Objects:
    """The handlers of everything under /api/v1 and /apis/GROUP/VERSION, over one registry."""

    def __init__(self, registry: Registry, logs: Logs) -> None:
        self._registry = registry
        self._logs = logs
        self._watches: set[Watch] = set()
        self._log_tasks: set[asyncio.Task[object]] = set()
        registry.subscribe(self._after_definition, {crds.KEY})

    def _after_definition(self, event: Event) -> None:
        """End the watches of a kind that is defined no longer."""
        key = event.object["metadata"]["name"]
        if event.type == "DELETED":
            for watch in self._watches:
                if watch.resource == key:
                    watch.end()

    async def resources(self, request: web.Request) -> web.StreamResponse:
        """Answer everything about objects, by method and target."""
        match = request.match_info
        group, version, rest = match.get("group", ""), match["version"], match["rest"].strip("/")
        if request.method == "POST" and f"{group}/{version}/{rest}" in REVIEWS:
            path = f"{group}/{version}/{rest}"
            return answer(review(path, await sent_options(request, REVIEWS[path])), status=201)
        if not rest:
            if request.method not in ("GET", "HEAD"):
                raise method_not_allowed()
            return answer(discovery.resource_list(self._registry.resources, group, version))
        if group == METRICS:
            raise bad_request(f"the embedded engine has no metrics of pods and nodes; {LOOK_AT_ALL}")
        target = parse(self._registry.resources, group, version, rest)
        try:
            return warned(await self._about(request, target), target)
        except StatusError as error:
            error.warnings = [*filter(None, [target.resource.deprecation]), *error.warnings]
            raise

    async def _about(self, request: web.Request, target: Target) -> web.StreamResponse:
        if target.subresource:
            return await self._subresource(request, target)
        if target.name:
            return await self._object(request, target)
        return await self._collection(request, target)

    async def _collection(self, request: web.Request, target: Target) -> web.StreamResponse:
        match request.method:
            case "GET" if flag(request, "watch"):
                return await self._watch(request, target)
            case "GET":
                return await reads.list_objects(request, self._registry, target)
            case "POST" if _allows(target, "create"):
                return await writes.create(request, self._registry, target)
            case "DELETE" if _allows(target, "deletecollection"):
                return await writes.delete_collection(request, self._registry, target)
        raise method_not_allowed(target.resource)

    async def _object(self, request: web.Request, target: Target) -> web.StreamResponse:
        match request.method:
            case "GET":
                return reads.get(request, self._registry, target)
            case "PUT" if _allows(target, "update"):
                return await writes.update(request, self._registry, target)
            case "PATCH" if _allows(target, "patch"):
                return await writes.patch(request, self._registry, target)
            case "DELETE" if _allows(target, "delete"):
                return await writes.delete(request, self._registry, target)
        raise method_not_allowed(target.resource)

    async def _subresource(self, request: web.Request, target: Target) -> web.StreamResponse:
        name = target.subresource
        if name in NOT_OFFERED:
            self._registry.get(target.resource.key, target.namespace, target.name or "")
            raise bad_request(f"the embedded engine has no {name}; {NOT_OFFERED[name]}")
        if name not in target.resource.subresources:
            raise no_such_path()
        match request.method:
            case "GET" if name == "log":
                return await self._log(request, target)
            case "GET" if name == "scale":
                obj = self._registry.get(target.resource.key, target.namespace, target.name or "")
                return one(request, Target(SCALES, SCALES.version), scale_of(target.resource, obj))
            case "GET" if name == "status":
                return reads.get(request, self._registry, target)
            case "PUT" if name != "log":
                return await writes.update(request, self._registry, target)
            case "PATCH" if name in ("scale", "status"):
                return await writes.patch(request, self._registry, target)
        raise method_not_allowed(target.resource)

    async def _watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        chooses = await reads.selected(request, target.resource)
        watch = Watch(request, self._registry, target, chooses)
        self._watches.add(watch)
        try:
            return await watch.stream()
        finally:
            watch.close()
            self._watches.discard(watch)

    async def _log(self, request: web.Request, target: Target) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task
        self._log_tasks.add(task)
        try:
            return await stream_log(request, self._registry, target, self._logs)
        finally:
            self._log_tasks.discard(task)

    async def end_streams(self, app: web.Application) -> None:
        """End every watch and every log that is followed, so that the server can stop."""
        for watch in self._watches:
            watch.end()
        for task in self._log_tasks:
            task.cancel()


def _allows(target: Target, verb: str) -> bool:
    """Return whether the target takes a verb; a collection of all namespaces is only read."""
    is_everywhere = target.resource.namespaced and target.namespace is None
    return verb in target.resource.verbs and not is_everywhere
