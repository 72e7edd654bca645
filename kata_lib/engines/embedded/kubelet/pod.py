"""One pod: its containers started in order, its status told, its end without a failed request."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kata_lib.cluster.pods import SIDECAR
from kata_lib.engines.embedded import envoy
from kata_lib.engines.embedded.addresses import AddressPlan
from kata_lib.engines.embedded.kubelet.agent import Agent
from kata_lib.engines.embedded.kubelet.container import Container
from kata_lib.engines.embedded.kubelet.launchers import ProgramLauncher, SidecarLauncher
from kata_lib.engines.embedded.kubelet.status import pod_status, restarts
from kata_lib.engines.embedded.mesh import scraping
from kata_lib.engines.embedded.mesh.bootstrap import node_id
from kata_lib.engines.embedded.mesh.injection import is_proxy
from kata_lib.engines.embedded.mesh.pilot import Pilot
from kata_lib.engines.embedded.objects import being_deleted, key
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.retries import back_off
from kata_lib.engines.embedded.state import State
from kata_lib.engines.embedded.store import Obj
from kata_lib.errors import MeshError

log = logging.getLogger(__name__)

MANAGER = "kubelet"
OUT_OF_MESH_LIMIT = 10.0
"""How long a pod that leaves stays for the sake of an Envoy that does not say that it knows."""
MOMENT = 0.2
"""Between leaving the mesh and SIGTERM: requests that were sent before every Envoy knew arrive meanwhile."""
CALLERS_LIMIT = 2.0
"""How long a pod that drains waits for callers who keep a connection and send nothing on it."""
SIDECAR_GRACE = 1.0
STATUS_RETRY = 1.0


@dataclass(frozen=True)
class Host:
    """What every pod's worker shares."""

    registry: Registry
    addresses: AddressPlan
    pilot: Pilot
    state: State
    node_name: str

    def read(self, resource: str, namespace: str, name: str) -> Obj | None:
        """Return an object, or None where there is none."""
        try:
            return self.registry.get(resource, namespace, name)
        except StatusError as error:
            if error.code == 404:
                return None
            raise


@dataclass
class PodWorker:
    """Runs one pod until it is gone; `pod` is always its latest state."""

    host: Host
    pod: Obj
    containers: list[Container] = field(default_factory=list)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _untold: dict[tuple[str, str, str, str], None] = field(default_factory=dict)
    _leave: asyncio.Event = field(default_factory=asyncio.Event)
    _write_handle: asyncio.Handle | None = None
    _gone: bool = False
    _unwritten: int = 0

    def __post_init__(self) -> None:
        self.uid: str = self.pod["metadata"]["uid"]
        self._ip = self.host.addresses.allocate_pod(self.uid)
        known = {entry["name"]: entry for entry in self.pod.get("status", {}).get("containerStatuses", ())}
        for spec in self.pod["spec"]["containers"]:
            container = self._container(spec)
            if before := known.get(container.name):
                container.adopt(before)
            self.containers.append(container)
        sidecars = (container for container in self.containers if is_proxy(container.spec))
        self._sidecar = next(sidecars, None)
        self._agent = Agent(
            self.host.state.admin_socket(self.uid), self.host.pilot.settled, self._own_metrics()
        )

    def update(self, pod: Obj) -> None:
        """Take note of the pod's new state."""
        self.pod = pod
        if being_deleted(pod):
            self._leave.set()

    def removed(self) -> None:
        """Take note that the object is gone: nothing is left to wait for."""
        self._gone = True
        self._leave.set()

    async def run(self) -> None:
        """Start what is to run, wait until the pod leaves, end it."""
        for container in self.containers:
            if container.process:  # taken over from an earlier daemon
                self._run(container)
        if sidecar := self._sidecar:
            self.host.pilot.add_proxy(
                self.pod, lambda: self.host.state.pod_log(self.uid, SIDECAR, sidecar.attempt)
            )
            await self._agent.start(self.host.addresses.listen_at(self.uid, scraping.METRICS_PORT))
        self.update(self.pod)
        if not self._leave.is_set():
            self._changed()
            starting = asyncio.create_task(self._start())
            await self._leave.wait()
            starting.cancel()
        await self._end()

    async def kill(self, grace: float) -> None:
        """End all processes at once, whatever the mesh says."""
        await asyncio.gather(*(container.stop(grace) for container in self.containers))
        for task in self._tasks.values():
            task.cancel()
        await self._agent.stop()

    def _own_metrics(self) -> str | None:
        """Return where the application's own metrics are, None where it has none or no sidecar."""
        told = scraping.application(self._sidecar.spec) if self._sidecar else None
        if told is None:
            return None
        host, port = self.host.addresses.application_at(self.uid, told[0])
        return f"http://{host}:{port}{told[1]}"

    def _container(self, spec: Obj) -> Container:
        launcher: Any = (
            SidecarLauncher(self.pod, spec, self.host.state)
            if is_proxy(spec)
            else ProgramLauncher(self.pod, spec, self.host.read, self.host.state, self.host.addresses)
        )
        policy = self.pod["spec"].get("restartPolicy", "Always")
        namespace, name = key(self.pod)
        return Container(
            spec=spec,
            launcher=launcher,
            changed=self._changed,
            event=partial(self._event, container=spec["name"]),
            pod_name=f"{name}_{namespace}({self.uid})",
            restarts=lambda code: restarts(policy, code),
        )

    async def _start(self) -> None:
        """Start the sidecar, once its startup probe succeeds the others: what they ask must find the mesh."""
        if self._sidecar:
            self._run(self._sidecar)
            await self._sidecar.was_started.wait()
        for container in self.containers:
            self._run(container)

    def _run(self, container: Container) -> None:
        if container.name not in self._tasks:
            self._tasks[container.name] = asyncio.create_task(container.run())

    def _changed(self) -> None:
        if self._write_handle is None:
            self._write_handle = asyncio.get_running_loop().call_soon(self._write_status)

    def _write_status(self) -> None:
        self._write_handle = None
        if self._gone:
            return
        host_ip = self.host.addresses.node_address()
        states = [container.status() for container in self.containers]

        def write(pod: Obj) -> None:
            if pod["metadata"]["uid"] == self.uid:
                pod["status"] = pod_status(pod, states, self._ip, host_ip)

        try:
            self.host.registry.mutate("pods", *key(self.pod), write, manager=MANAGER, subresource="status")
            self._tell()
            self._unwritten = 0
        except Exception as error:
            log.error("the status of %s is not written: %s", "/".join(key(self.pod)), error)
            self._unwritten += 1
            again = back_off(self._unwritten, STATUS_RETRY)
            self._write_handle = asyncio.get_running_loop().call_later(again, self._write_status)

    def failed(self, error: Exception) -> None:
        """Record an event about the pod as a whole."""
        self._event("Warning", "FailedSync", f"{type(error).__name__}: {error}")

    def _event(self, type_: str, reason: str, message: str, *, container: str = "") -> None:
        path = f"spec.containers{{{container}}}" if container else ""
        self._untold[(type_, reason, message, path)] = None
        try:
            self._tell()
        except Exception as error:
            log.error("an event of %s is not written yet: %s", "/".join(key(self.pod)), error)
            self._changed()

    def _tell(self) -> None:
        """Record the events that are not written yet: a full disk takes none."""
        for event in tuple(self._untold):
            type_, reason, message, path = event
            self.host.registry.record_event(
                self.pod, type_, reason, message, component=MANAGER, field_path=path
            )
            del self._untold[event]

    async def _end(self) -> None:
        """Out of the mesh first, then until its callers have left, then SIGTERM: so no request fails."""
        loop = asyncio.get_running_loop()
        grace = float(self.pod["metadata"].get("deletionGracePeriodSeconds", 0)) if not self._gone else 0.0
        deadline = loop.time() + grace
        running = [container for container in self.containers if container.process]
        if running and not self._gone:
            for container in running:
                container.event("Normal", "Killing", f"Stopping container {container.name}")
            await self._leave_mesh(min(OUT_OF_MESH_LIMIT, grace))
            await asyncio.sleep(min(MOMENT, grace))
            await self._callers_left(min(CALLERS_LIMIT, deadline - loop.time()))
        applications = [container for container in self.containers if container is not self._sidecar]
        left = max(deadline - loop.time(), 0.1)
        await asyncio.gather(*(container.stop(left) for container in applications))
        await self.kill(SIDECAR_GRACE)
        if self._sidecar:
            self.host.pilot.remove_proxy(self.pod)
        self._remove()

    async def _leave_mesh(self, limit: float) -> None:
        """Drain once every Envoy knows that the pod goes, or the limit (s) is over."""
        changed = asyncio.Event()
        unsubscribe = self.host.registry.subscribe(lambda event: changed.set(), {"endpointslices"})
        try:
            async with asyncio.timeout(limit):
                while self._is_endpoint():
                    await changed.wait()
                    changed.clear()
            await self.host.pilot.settled(limit)
        except (MeshError, TimeoutError) as error:
            log.warning("%s leaves before every Envoy knows: %s", "/".join(key(self.pod)), error)
        finally:
            unsubscribe()
        if self._sidecar:
            try:
                await envoy.drain(self.host.state.admin_socket(self.uid))
            except envoy.AdminError as error:
                log.warning("%s does not drain: %s", node_id(self.pod), error)

    async def _callers_left(self, limit: float) -> None:
        """Wait until a sidecar that drains has no connection left, or the limit (s) is over."""
        if not self._sidecar:
            return
        admin = self.host.state.admin_socket(self.uid)
        with contextlib.suppress(TimeoutError, envoy.AdminError):
            async with asyncio.timeout(limit):
                while await envoy.inbound_connections(admin):  # noqa: ASYNC110 - Envoy tells only who asks
                    await asyncio.sleep(MOMENT / 4)

    def _is_endpoint(self) -> bool:
        """Return whether any service still sends to the pod."""
        return any(
            endpoint.get("targetRef", {}).get("uid") == self.uid and endpoint["conditions"]["ready"]
            for found in self.host.registry.list("endpointslices", self.pod["metadata"]["namespace"])
            for endpoint in found["endpoints"] or ()
        )

    def _remove(self) -> None:
        for suffix in (".sock", ".json"):
            (self.host.state.run / f"{self.uid}{suffix}").unlink(missing_ok=True)
        if self._gone:
            return
        try:
            self.host.registry.delete(
                "pods", *key(self.pod), grace_seconds=0, preconditions={"uid": self.uid}
            )
        except StatusError as error:
            if error.code not in (404, 409):
                raise
