"""A cluster's Envoys and applications started by hand: the same programs, their configurations finished.

A running cluster is noted: of each process the command line and the environment, of each Envoy what it has in
force. Without the cluster they are started from that, with no API, no controller and nobody who configures.
"""

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from bench.memory import part
from kata_lib.cluster import waiting
from kata_lib.engines.embedded import envoy
from kata_lib.engines.embedded.processes import find_marked
from kata_lib.engines.embedded.state import State
from kata_lib.errors import EngineError

READY_SECONDS, POLL_SECONDS = 60.0, 0.01


@dataclass(frozen=True)
class Program:
    """A process as it was started, and as which part of a cluster (`memory.part`).

    bootstrap: an Envoy's finished one; None of an application.
    """

    part: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    bootstrap: Mapping[str, Any] | None


def noted(home: Path) -> list[Program]:
    """Return the programs of the cluster whose state is in `home`, which runs."""
    state = State(home)
    found = []
    for process, pod_and_container in find_marked(state.mark):
        pod, _, container = pod_and_container.partition("/")
        known = psutil.Process(process.pid)
        argv, environment = known.cmdline(), known.environ()
        file = Path(argv[argv.index("-c") + 1]) if "-c" in argv else None
        bootstrap = finished(json.loads(file.read_text()), _in_force(file)) if file else None
        found.append(Program(part(pod, container), argv, environment, bootstrap))
    return found


def _in_force(bootstrap: Path) -> Mapping[str, Any]:
    return asyncio.run(envoy.config_dump(bootstrap.with_suffix(".sock")))


def finished(bootstrap: Mapping[str, Any], dump: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an Envoy's bootstrap with all that its configuration dump has; it asks nobody for anything."""
    sections = {config["@type"].rpartition(".")[2]: config for config in dump["configs"]}
    routes = _named(sections["RoutesConfigDump"], "dynamic_route_configs", "route_config")
    endpoints = _named(sections["EndpointsConfigDump"], "dynamic_endpoint_configs", "endpoint_config")
    clusters = _named(sections["ClustersConfigDump"], "dynamic_active_clusters", "cluster")
    states = [one["active_state"] for one in sections["ListenersConfigDump"].get("dynamic_listeners", [])]
    kept = {key: value for key, value in bootstrap.items() if key != "dynamic_resources"}
    static = {
        "listeners": [_with_routes(state["listener"], routes) for state in states],
        "clusters": [_with_endpoints(cluster, endpoints) for cluster in clusters.values()],
    }
    return kept | {"static_resources": static}


def _named(section: Mapping[str, Any], listed: str, key: str) -> dict[str, Any]:
    entries = [entry[key] for entry in section.get(listed, [])]
    return {entry.get("name") or entry["cluster_name"]: entry for entry in entries}


def _with_routes(part: Any, routes: Mapping[str, Any]) -> Any:
    """Return a part of a listener with the route tables in place of where they are asked for."""
    if isinstance(part, list):
        return [_with_routes(one, routes) for one in part]
    if not isinstance(part, dict):
        return part
    made = {key: _with_routes(value, routes) for key, value in part.items() if key not in ("@type", "rds")}
    if "@type" in part and "filter_chains" not in part:  # that of a whole resource stands in the dump alone
        made["@type"] = part["@type"]
    if "rds" in part:
        made["route_config"] = _plain(routes[part["rds"]["route_config_name"]])
    return made


def _with_endpoints(cluster: Mapping[str, Any], endpoints: Mapping[str, Any]) -> dict[str, Any]:
    made = _plain(cluster)
    if made.get("type") == "EDS":
        asked = made.pop("eds_cluster_config").get("service_name") or made["name"]
        made["type"] = "STATIC"
        made["load_assignment"] = _written(endpoints[asked]) | {"cluster_name": made["name"]}
    return made


def _written(endpoints: Mapping[str, Any]) -> dict[str, Any]:
    """Return endpoints without the localities' weights of 0, which only a dump has."""
    places = [
        {key: value for key, value in place.items() if key != "load_balancing_weight" or value}
        for place in endpoints.get("endpoints", [])
    ]
    return _plain(endpoints) | {"endpoints": places}


def bare(program: Program) -> Program:
    """Return a program, of whose Envoy only the router is left: no other filter, no log, no statistics."""
    if program.bootstrap is None:
        return program
    statistics = {"stats_config": {"stats_matcher": {"reject_all": True}}}
    return replace(program, bootstrap=_router_alone(program.bootstrap) | statistics)


def _router_alone(part: Any) -> Any:
    if isinstance(part, list):
        return [_router_alone(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _router_alone(value) for key, value in part.items() if not key.startswith("access_log")}
    if "http_filters" in kept:
        kept["http_filters"] = kept["http_filters"][-1:]
    return kept


def _plain(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "@type"}


@contextlib.contextmanager
def started(programs: Sequence[Program], url: str, folder: Path) -> Iterator[list[psutil.Popen]]:
    """Start programs, wait until each Envoy is live and the address answers 200; end them afterwards."""
    running, admins = [], []
    try:
        for number, program in enumerate(programs):
            argv = list(program.argv)
            if program.bootstrap is not None:
                file = folder / f"{number}.json"
                admins.append(file.with_suffix(".sock"))
                admin = {"address": {"pipe": {"path": str(admins[-1])}}}
                file.write_text(json.dumps({**program.bootstrap, "admin": admin}))
                argv[argv.index("-c") + 1] = str(file)
            with (folder / f"{number}.log").open("wb") as log:
                environment = dict(program.environment)
                running.append(  # a session each, as in the cluster: a busy Linux divides time by sessions
                    psutil.Popen(argv, env=environment, stdout=log, stderr=log, start_new_session=True)
                )
        if not waiting.holds(lambda: _answers(url) and all(map(_live, admins)), READY_SECONDS, POLL_SECONDS):
            raise EngineError(f"The programs that were started by hand do not answer; their logs: {folder}.")
        yield running
    finally:
        for process in running:
            process.kill()
        psutil.wait_procs(running, timeout=READY_SECONDS)


def _live(admin: Path) -> bool:
    return asyncio.run(envoy.ready(admin))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (OSError, urllib.error.URLError):
        return False
