"""The cluster's one process: opens the store, starts every part, serves until SIGTERM.

    python -m kata_lib.engines.embedded.daemon --home DIR --socket FD

FD is the API server's listening socket, inherited from the process that claimed the address. daemon.json is
written last: whoever reads it finds a cluster that serves. SIGTERM ends every pod; after SIGKILL pods and
Envoys go on, and the next daemon takes them over.
"""

import gc

gc.disable()  # until it serves: what is loaded now stays, and each collection would walk through it

import argparse
import asyncio
import logging
import os
import signal
import socket
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import uvloop

from kata_lib.engines.embedded import addresses, node, processes
from kata_lib.engines.embedded.addresses import AddressPlan
from kata_lib.engines.embedded.api.server import make_app, serve
from kata_lib.engines.embedded.controllers import (
    ApiServiceController,
    Controller,
    DefinitionController,
    DeploymentController,
    EndpointSliceController,
    GarbageCollector,
    GatewayClassController,
    GatewayController,
    HorizontalController,
    HTTPRouteController,
    LoadBalancerController,
    NamespaceController,
    ReplicaSetController,
    Scheduler,
)
from kata_lib.engines.embedded.kubelet import Kubelet
from kata_lib.engines.embedded.kubelet.admission import refuse_pod
from kata_lib.engines.embedded.kubelet.pod import Host
from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.engines.embedded.mesh.discovery import DiscoveryServer
from kata_lib.engines.embedded.mesh.injection import inject
from kata_lib.engines.embedded.mesh.pilot import Pilot
from kata_lib.engines.embedded.pki import Pki, kubeconfig
from kata_lib.engines.embedded.processes import Identity, Marked
from kata_lib.engines.embedded.registry.custom_resources import ensure_definitions
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.state import State
from kata_lib.engines.embedded.store import DiskFull, Obj, Store
from kata_lib.errors import MeshError
from kata_lib.files import write_json

log = logging.getLogger("kata.daemon")

CATCH_UP_LIMIT = 2.0
GARBAGE = 20_000  # new objects before the young are collected: Python's 700 are made by a request or two
STATUS_REST_SECONDS = 0.05
"""A route's status says nothing to a proxy: it is written once the first requests have met the change."""


def main() -> None:
    """Serve the cluster whose folder is named on the command line."""
    parser = argparse.ArgumentParser(description="The embedded cluster's daemon; kata up starts it.")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--socket", type=int, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(State(options.home), socket.socket(fileno=options.socket)))


async def run(state: State, server: socket.socket) -> None:
    """Start every part, tell that it serves, and end everything at SIGTERM."""
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    async with AsyncExitStack() as stack:
        await _start(state, server, stack)
        gc.freeze()  # definitions and tables stay: a collection that walks through them holds up everybody
        gc.set_threshold(GARBAGE)
        gc.enable()
        log.info("serving")
        await ending.wait()
        log.info("ending")
        state.daemon.unlink(missing_ok=True)


async def _start(state: State, server: socket.socket, stack: AsyncExitStack) -> None:
    plan = addresses.load(state)
    pki = Pki(state.pki)
    store = Store(state.store)
    stack.callback(store.close)
    registry = _registry(store, plan)
    discovery = DiscoveryServer(
        on_rejection=lambda node_id, kind, version, reason: _tell(
            registry, node_id, reason, "ConfigurationRejected"
        )
    )
    await discovery.start(state.xds_socket)
    stack.push_async_callback(discovery.stop)
    pilot = Pilot(
        registry, discovery, plan, lambda node_id, why: _tell(registry, node_id, why, "ConfigurationFailed")
    )
    stack.callback(pilot.close)
    marked = list(processes.find_marked(state.mark))
    node_envoy = node.NodeEnvoy(
        state, pilot, lambda why: _tell(registry, node.node_name(state), why, "FailedSync")
    )
    node_process = node_envoy.start(marked)  # it gets ready while this process goes on loading
    stack.push_async_callback(node_envoy.stop)

    for controller in _controllers(registry, state, pki, plan):
        controller.start()
        stack.callback(controller.stop)
    node.register(registry, node.node_name(state), plan.node_address())
    kubelet = Kubelet(Host(registry, plan, pilot, state, node.node_name(state)))
    adopted = kubelet.start()
    _end_strays(marked, adopted | {node_process})
    stack.push_async_callback(kubelet.stop)

    app = make_app(registry, token=pki.token, logs=kubelet.logs, reach=plan.listen_at)
    runner = await serve(app, server, pki.server_context())
    stack.push_async_callback(runner.cleanup)
    if adopted:
        await _catch_up(pilot)
    _announce(state, pki, plan)


def _registry(store: Store, plan: AddressPlan) -> Registry:
    def give_sidecar(resource: str, obj: Obj, operation: str) -> None:
        if resource == "pods" and operation == "CREATE":
            inject(obj, registry.get("namespaces", None, obj["metadata"]["namespace"]))

    registry = Registry(
        store,
        addresses=plan,
        bindable=plan.can_listen,
        mutations=[give_sidecar],
        admission=[refuse, refuse_pod],
    )
    ensure_definitions(registry)
    return registry


def _controllers(registry: Registry, state: State, pki: Pki, plan: AddressPlan) -> list[Controller[Any]]:
    return [
        DefinitionController(registry),
        NamespaceController(registry, pki.authority),
        ApiServiceController(registry, plan.server_address()),
        DeploymentController(registry),
        ReplicaSetController(registry),
        EndpointSliceController(registry),
        GarbageCollector(registry),
        HTTPRouteController(registry, rest=STATUS_REST_SECONDS),
        HorizontalController(registry),
        GatewayClassController(registry),
        GatewayController(registry),
        LoadBalancerController(registry),
        Scheduler(registry, node.node_name(state)),
    ]


def _tell(registry: Registry, node_id: str, why: str, reason: str) -> None:
    """Report what keeps an Envoy from its configuration: in the log, and as an event of its pod or node."""
    log.error("%s at the Envoy %s: %s", reason, node_id, why)
    pods = [pod for pod in registry.list("pods") if f"~{pod['metadata']['uid']}~" in node_id]
    nodes = [found for found in registry.list("nodes") if found["metadata"]["name"] == node_id]
    for obj in (*pods, *nodes):
        try:
            registry.record_event(obj, "Warning", reason, why, component="pilot")
        except DiskFull as error:
            log.error("no event: %s", error)


def _end_strays(marked: Iterable[Marked], known: set[Identity]) -> None:
    """End what an earlier daemon started and did not live to write down."""
    sessions = {process.pid for process in known}
    for process, owner in marked:
        if processes.session(process) not in sessions:
            log.warning("process %d of %s is unknown; it is ended", process.pid, owner)
            processes.signal_group(process, signal.SIGKILL)


async def _catch_up(pilot: Pilot) -> None:
    """Let Envoys that ran on learn what changed last before anybody relies on it."""
    try:
        await pilot.caught_up(CATCH_UP_LIMIT)
    except MeshError as error:
        log.warning("serving before every Envoy has caught up: %s", error)


def _announce(state: State, pki: Pki, plan: AddressPlan) -> None:
    host, port = plan.server_address()
    server = f"https://{host}:{port}"
    write_json(state.kubeconfig, kubeconfig(state, pki, server))
    process = processes.identify(os.getpid())
    assert process
    write_json(
        state.daemon,
        {
            "pid": process.pid,
            "started": process.started,
            "server": server,
            "node_address": plan.node_address(),
        },
    )


if __name__ == "__main__":
    main()
