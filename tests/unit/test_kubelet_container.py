"""A container's life with real, tiny processes, and its probes."""

import asyncio
import errno
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kata_lib.engines.embedded import processes
from kata_lib.engines.embedded.kubelet import container as module
from kata_lib.engines.embedded.kubelet import probes
from kata_lib.engines.embedded.kubelet.container import Container
from kata_lib.engines.embedded.kubelet.environment import ConfigError
from kata_lib.engines.embedded.kubelet.launchers import ImageError, SidecarLauncher
from kata_lib.engines.embedded.kubelet.probes import Outcome
from kata_lib.engines.embedded.kubelet.status import restarts
from kata_lib.engines.embedded.objects import timestamp
from kata_lib.engines.embedded.processes import Identity
from kata_lib.engines.embedded.state import State

LIMIT = 5.0


@dataclass
class Shell:
    """Launches a shell command; a probe answers what `healthy` says."""

    folder: Path
    command: str = "sleep 60"
    error: Exception | None = None
    healthy: dict[str, bool] = field(default_factory=dict)

    def launch(self, attempt: int) -> Identity:
        if self.error:
            raise self.error
        return processes.spawn(("/bin/sh", "-c", self.command), {}, self.folder / f"{attempt}.log")

    def probe(self, kind: str) -> Any:
        async def check() -> Outcome:
            return Outcome("" if self.healthy[kind] else "no answer")

        return ({"periodSeconds": 0.001, "failureThreshold": 2}, check) if kind in self.healthy else None


class Watched:
    """A container whose changes and events can be waited for."""

    def __init__(self, launcher: Shell, policy: str = "Always", adopted: Any = None) -> None:
        self.news = asyncio.Event()
        self.events: list[tuple[str, str]] = []
        self.container = Container(
            spec={"name": "main", "image": "kata/sentences:v1"},
            launcher=launcher,
            changed=self.news.set,
            event=lambda type_, reason, message: self.events.append((reason, message)),
            pod_name="web_default(uid)",
            restarts=lambda code: restarts(policy, code),
        )
        if adopted:
            self.container.adopt(adopted)
        self.task = asyncio.create_task(self.container.run())

    async def until(self, holds: Any) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT):
            while not holds(self.container.status()):
                await self.news.wait()
                self.news.clear()
        return self.container.status()

    async def end(self) -> None:
        await self.container.stop(grace=LIMIT)
        self.task.cancel()


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Any]:
    made: list[Watched] = []

    def make(policy: str = "Always", adopted: Any = None, **shell: Any) -> Watched:
        made.append(Watched(Shell(tmp_path, **shell), policy, adopted))
        return made[-1]

    yield make
    for watched in made:
        await watched.end()


def ready(status: dict[str, Any]) -> bool:
    return bool(status["ready"])


async def test_a_container_without_probes_is_ready_when_it_runs(watch: Any) -> None:
    watched = watch()
    status = await watched.until(ready)
    assert status["started"]
    assert "running" in status["state"]
    assert processes.alive(Identity.parse(status["containerID"].removeprefix("process://")))
    assert [reason for reason, _ in watched.events] == ["Pulled", "Created", "Started"]


async def test_readiness_follows_its_probe(watch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "START_INTERVAL", 0.001)
    healthy = {"readinessProbe": False}
    watched = watch(healthy=healthy)
    status = await watched.until(lambda status: "running" in status["state"])
    assert not status["ready"]
    healthy["readinessProbe"] = True
    await watched.until(ready)
    healthy["readinessProbe"] = False
    await watched.until(lambda status: not status["ready"])
    assert ("Unhealthy", "Readiness probe failed: no answer") in watched.events


async def test_a_failed_liveness_probe_starts_it_again(watch: Any) -> None:
    healthy = {"livenessProbe": True}
    watched = watch(healthy=healthy)
    await watched.until(ready)
    healthy["livenessProbe"] = False
    status = await watched.until(lambda status: status["restartCount"] == 1)
    assert status["lastState"]["terminated"]["exitCode"] == 137
    assert ("Killing", "Container main failed liveness probe, will be restarted") in watched.events
    healthy["livenessProbe"] = True


async def test_the_first_end_is_followed_by_a_start_the_second_by_a_wait(watch: Any) -> None:
    watched = watch(command="exit 1")
    status = await watched.until(
        lambda status: status["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"
    )
    assert status["restartCount"] == 2
    assert status["lastState"]["terminated"]["exitCode"] == 1
    message = "back-off 10s restarting failed container=main pod=web_default(uid)"
    assert status["state"]["waiting"]["message"] == message


async def test_a_container_that_need_not_run_again_ends(watch: Any) -> None:
    watched = watch(policy="Never", command="exit 3")
    status = await watched.until(lambda status: "terminated" in status["state"])
    assert (status["state"]["terminated"]["exitCode"], status["state"]["terminated"]["reason"]) == (
        3,
        "Error",
    )
    assert status["restartCount"] == 0
    await asyncio.wait_for(watched.task, LIMIT)


async def test_one_that_has_ended_is_not_ready_whatever_a_probe_says_late(watch: Any) -> None:
    watched = watch(policy="Never", command="exit 0")
    await watched.until(lambda status: "terminated" in status["state"])
    watched.container._set_started()
    watched.container._set_ready(True)
    status = watched.container.status()
    assert (status["started"], status["ready"]) == (False, False)


async def test_an_image_that_is_never_pulled(watch: Any) -> None:
    watched = watch(error=ImageError("ErrImageNeverPull", "not present"))
    status = await watched.until(lambda status: status["state"]["waiting"]["reason"] != "ContainerCreating")
    assert status["state"]["waiting"] == {"reason": "ErrImageNeverPull", "message": "not present"}


async def test_an_image_that_cannot_be_pulled(watch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PULL_BACK_OFF", 0.001)
    watched = watch(error=ImageError("ErrImagePull", "unknown"))
    await watched.until(lambda status: status["state"]["waiting"]["reason"] == "ImagePullBackOff")
    assert [reason for reason, _ in watched.events[:3]] == ["Pulling", "Failed", "Failed"]


async def test_what_cannot_start_starts_as_soon_as_it_can(
    watch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_RETRY", 0.001)
    watched = watch(error=OSError(errno.ENOSPC, "No space left on device"))
    status = await watched.until(lambda status: status["state"].get("waiting", {}).get("message"))
    assert status["state"]["waiting"]["reason"] == "CreateContainerError"
    watched.container.launcher.error = ConfigError('configmap "settings" not found')
    await watched.until(
        lambda status: status["state"].get("waiting", {}).get("reason") == "CreateContainerConfigError"
    )
    watched.container.launcher.error = None
    await watched.until(ready)
    assert ("Failed", "Error: [Errno 28] No space left on device") in watched.events


async def test_a_container_goes_on_after_an_error_of_its_own(
    watch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_RETRY", 0.001)
    monkeypatch.setattr(module, "timestamp", failing_once(timestamp))
    watched = watch()
    await watched.until(ready)
    assert ("Failed", "Error: the clock stands") in watched.events


def failing_once(do: Callable[[], str]) -> Callable[[], str]:
    left = iter([RuntimeError("the clock stands")])

    def tried() -> str:
        if error := next(left, None):
            raise error
        return do()

    return tried


async def test_a_running_process_is_taken_over(watch: Any, tmp_path: Path) -> None:
    process = Shell(tmp_path).launch(0)
    known = {
        "name": "main",
        "restartCount": 4,
        "containerID": f"process://{process}",
        "ready": True,
        "started": True,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
    }
    watched = watch(adopted=known)
    status = watched.container.status()
    assert status == {**known, "image": "kata/sentences:v1", "imageID": "kata/sentences:v1", "lastState": {}}
    assert watched.events == []


async def test_a_process_that_ended_unseen_is_started_again(watch: Any, tmp_path: Path) -> None:
    process = Shell(tmp_path).launch(0)
    processes.signal_group(process, signal.SIGKILL)
    await processes.wait(process)
    known = {
        "name": "main",
        "restartCount": 0,
        "containerID": f"process://{process}",
        "ready": True,
        "started": True,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
    }
    watched = watch(adopted=known)
    status = await watched.until(ready)
    assert status["restartCount"] == 1
    assert status["lastState"]["terminated"]["reason"] == "ContainerStatusUnknown"
    assert status["lastState"]["terminated"]["exitCode"] == 137


async def test_what_had_ended_for_good_stays_so(watch: Any) -> None:
    known = {
        "name": "main",
        "restartCount": 0,
        "containerID": "process://1.1",
        "state": {"terminated": {"exitCode": 0}},
    }
    watched = watch(policy="Never", adopted=known)
    await asyncio.wait_for(watched.task, LIMIT)
    assert watched.container.status()["state"] == known["state"]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
    writer.write(b"HTTP/1.1 204 No\r\n\r\n" if path == b"/good" else b"HTTP/1.1 503 No\r\n\r\n")
    writer.close()


async def test_a_proxy_is_asked_as_often_as_its_manifest_says(tmp_path: Path) -> None:
    pod, seldom = {"metadata": {"uid": "a"}}, {"periodSeconds": 99}
    state = State(tmp_path)
    (tmp_path / "run").symlink_to(tmp_path)
    launcher = SidecarLauncher(pod, {"readinessProbe": seldom, "livenessProbe": seldom}, state)
    found = launcher.probe("readinessProbe")
    assert found
    settings, check = found
    assert settings == seldom
    assert (await check()).message == "HTTP probe failed with statuscode: 503"  # no Envoy is there
    assert launcher.probe("startupProbe") is None
    assert launcher.probe("livenessProbe") is None


async def test_probes_ask_by_http_and_tcp() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()[:2]
    spec = {"ports": [{"name": "web", "containerPort": 80}]}

    async def ask(probe: dict[str, Any]) -> str:
        return (await probes.checker(probe, spec, lambda port: address)()).message

    assert await ask({"httpGet": {"path": "/good", "port": "web"}}) == ""
    assert await ask({"httpGet": {"path": "/bad", "port": 80}}) == "HTTP probe failed with statuscode: 503"
    assert await ask({"tcpSocket": {"port": 80}}) == ""
    server.close()
    await server.wait_closed()
    assert "connection refused" in await ask({"httpGet": {"path": "/good", "port": 80}})
    assert "connection refused" in await ask({"tcpSocket": {"port": 80}})
