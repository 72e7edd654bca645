"""The node: its object in the API, and its Envoy, which stands for kube-proxy."""

import asyncio
import itertools
import logging
import os
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kata_lib import versions
from kata_lib.engines.embedded import envoy, processes
from kata_lib.engines.embedded.kubelet.environment import mark
from kata_lib.engines.embedded.mesh.bootstrap import bootstrap
from kata_lib.engines.embedded.mesh.pilot import Pilot
from kata_lib.engines.embedded.objects import timestamp
from kata_lib.engines.embedded.processes import Identity, Marked
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.retries import back_off
from kata_lib.engines.embedded.state import State
from kata_lib.engines.embedded.store import Obj

log = logging.getLogger(__name__)

OWNER = "node"
RESTART_PAUSE = 1.0
STEADY_SECONDS = 10.0
STOP_GRACE = 1.0
PODS = 110


def node_name(state: State) -> str:
    """Return the name of the cluster's only node."""
    return f"{state.name}-node"


@dataclass
class NodeEnvoy:
    """Runs the node's Envoy, or takes over the one that runs; `failed` hears why it cannot be started."""

    state: State
    pilot: Pilot
    failed: Callable[[str], None] = lambda why: None
    process: Identity | None = None
    _task: asyncio.Task[None] | None = None

    def start(self, marked: Iterable[Marked] = ()) -> Identity:
        """Make sure that it runs; return its process, which may be one of the `marked` that run already."""
        log_file = self.state.logs / "node" / "envoy.log"
        self.pilot.add_node(node_name(self.state), lambda: log_file)
        self.process = _running(marked) or self._spawn()
        self._task = asyncio.get_running_loop().create_task(self._keep())
        return self.process

    async def stop(self) -> None:
        """End it."""
        if self._task:
            self._task.cancel()
        if self.process:
            await processes.terminate(self.process, STOP_GRACE)

    def _spawn(self) -> Identity:
        admin = self.state.admin_socket(OWNER)
        config = bootstrap(
            node_name(self.state), xds_socket=self.state.xds_socket, admin_socket=admin, kind="node"
        )
        env = mark(self.state.mark, OWNER, "envoy")
        return envoy.start(
            config, self.state.run / "node.json", admin, env, self.state.logs / "node" / "envoy.log"
        )

    async def _keep(self) -> None:
        """Start it again when it ends: at once, and later each time where it goes on to end soon."""
        loop, soon = asyncio.get_running_loop(), 0
        while self.process:
            begun = loop.time()
            code = await processes.wait(self.process)
            log.error("the node's Envoy ended with %s; it is started again", code)
            soon = soon + 1 if loop.time() - begun < STEADY_SECONDS else 0
            if soon > 1:
                await asyncio.sleep(back_off(soon - 1, RESTART_PAUSE))
            await self._start_again()

    async def _start_again(self) -> None:
        """Start it as soon as it can be started; until then the node's events say why not."""
        for failures in itertools.count(1):
            try:
                self.process = self._spawn()
                return
            except Exception as error:
                log.exception("the node's Envoy cannot be started")
                self.failed(f"its Envoy cannot be started: {error}")
                await asyncio.sleep(back_off(failures, RESTART_PAUSE))


def _running(marked: Iterable[Marked]) -> Identity | None:
    for process, owner in marked:
        if owner == f"{OWNER}/envoy" and processes.session(process) == process.pid:
            return process
    return None


def register(registry: Registry, name: str, address: str) -> None:
    """Write the Node object: ready, with its address."""
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(
            platform.machine(), platform.machine()
        ),
        "node-role.kubernetes.io/control-plane": "",
    }
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}}
    try:
        registry.get("nodes", None, name)
    except StatusError as error:
        if error.code != 404:
            raise
        registry.create("nodes", None, node, manager="kubelet")

    def write(obj: Obj) -> None:
        obj["status"] = _status(name, address, labels["kubernetes.io/arch"])

    registry.mutate("nodes", None, name, write, manager="kubelet", subresource="status")


def _status(name: str, address: str, architecture: str) -> Obj:
    now = timestamp()
    memory_kib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024
    capacity = {"cpu": str(os.cpu_count()), "memory": f"{memory_kib}Ki", "pods": str(PODS)}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    return {
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "allocatable": capacity,
        "capacity": capacity,
        "conditions": [ready],
        "nodeInfo": {
            "architecture": architecture,
            "bootID": "",
            "containerRuntimeVersion": "process://1",
            "kernelVersion": platform.release(),
            "kubeProxyVersion": "",
            "kubeletVersion": f"v{versions.KUBERNETES}",
            "machineID": "",
            "operatingSystem": platform.system().lower(),
            "osImage": platform.platform(terse=True),
            "systemUUID": "",
        },
    }
