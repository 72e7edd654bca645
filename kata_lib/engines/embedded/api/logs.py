"""The log subresource of pods: which container is meant, whether it has a log yet, and the stream of it."""

from collections.abc import AsyncIterator, Callable

from aiohttp import web

from kata_lib.engines.embedded.api.query import flag, number
from kata_lib.engines.embedded.api.respond import send
from kata_lib.engines.embedded.api.target import Target
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import Cause, StatusError, bad_request, invalid
from kata_lib.engines.embedded.store import Obj

Logs = Callable[
    [str, str, str, bool, int | None, int | None, bool, int | None],
    AsyncIterator[bytes],
]
"""(namespace, pod, container, follow, tail lines, since seconds, previous, limit bytes) -> the log."""


async def stream_log(
    request: web.Request, registry: Registry, target: Target, logs: Logs
) -> web.StreamResponse:
    """Answer with a container's log as plain text; with `follow`, until it ends or the client goes."""
    pod = registry.get("pods", target.namespace, target.name or "")
    container, previous = _container(request, pod), flag(request, "previous")
    if flag(request, "timestamps"):
        raise bad_request("the embedded engine keeps no times with log lines: ask without --timestamps")
    limits = {name: number(request, name) for name in ("tailLines", "sinceSeconds", "limitBytes")}
    _check_limits(pod, limits)
    _check_started(pod, container, previous)
    pieces = logs(
        target.namespace or "",
        target.name or "",
        container,
        flag(request, "follow"),
        limits["tailLines"],
        limits["sinceSeconds"],
        previous,
        limits["limitBytes"],
    )
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    async for piece in pieces:
        await send(response, piece)
    return response


def _check_limits(pod: Obj, limits: dict[str, int | None]) -> None:
    """Raise StatusError 422 for a number of lines, seconds or bytes that there cannot be."""
    causes = []
    for name, limit in limits.items():
        least = 0 if name == "tailLines" else 1
        if limit is not None and limit < least:
            than = "greater than or equal to 0" if name == "tailLines" else "greater than 0"
            causes.append(Cause(name, "FieldValueInvalid", f"Invalid value: {limit}: must be {than}"))
    if causes:
        raise invalid("PodLogOptions", "", pod["metadata"]["name"], causes)


def _container(request: web.Request, pod: Obj) -> str:
    name, spec = pod["metadata"]["name"], pod["spec"]
    names = [container["name"] for container in spec["containers"]]
    wanted = request.query.get("container", "")
    if not wanted and len(names) > 1:
        raise bad_request(
            f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]"
        )
    wanted = wanted or names[0]
    if wanted not in names + [container["name"] for container in spec.get("initContainers", [])]:
        raise bad_request(f"container {wanted} is not valid for pod {name}")
    return wanted


def _check_started(pod: Obj, container: str, previous: bool) -> None:
    name, status = pod["metadata"]["name"], pod.get("status", {})
    statuses = [*status.get("containerStatuses", []), *status.get("initContainerStatuses", [])]
    found: Obj = next((entry for entry in statuses if entry["name"] == container), {})
    state, last = found.get("state", {}), found.get("lastState", {})
    if previous and not last.get("terminated"):
        raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    if previous or {"running", "terminated"} & state.keys() or last.get("terminated"):
        return
    raise _waiting(container, name, state.get("waiting", {}).get("reason", ""))


def _waiting(container: str, pod: str, reason: str) -> StatusError:
    why = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason, reason or "ContainerCreating")
    return bad_request(f'container "{container}" in pod "{pod}" is waiting to start: {why}')
