"""The floor of weight to effect: the calling sidecar, which gets the same route from the barest server."""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bench import by_hand, weights
from bench.barest import Table
from bench.by_hand import Program
from bench.results import Figure, percentile
from bench.weights import Way
from kata_lib.cluster import waiting
from kata_lib.course.application import APPLICATION
from kata_lib.errors import EngineError

By = Literal["REST", "gRPC"]
WAYS: tuple[By, ...] = ("REST", "gRPC")
TABLE = "http_proxy"
LIMIT_SECONDS = 10.0
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


class Seen(NamedTuple):
    """The milliseconds of each change: until it was answered, and from then until its effect (`took`)."""

    took: Sequence[float]
    answered: Sequence[float] = ()

    def __str__(self) -> str:
        """Return the median, and between which values half of the changes lie."""
        lower, median, upper = (percentile(self.took, percent) for percent in (25, 50, 75))
        return f"{median:.1f} ms ({lower:.1f} to {upper:.1f})"


def of(way: Way, changes: int) -> Seen:
    """Return what so many changes of the weights take from a PATCH's answer to its effect, and until then."""
    answered = []

    def only(version: str) -> None:
        began = time.perf_counter()
        way.only(version)
        answered.append((time.perf_counter() - began) * 1000)

    return Seen(weights.effects(replace(way, only=only), changes)[0], answered)


def beside(ours: Seen, barest: Seen, by: By) -> Figure:
    """Return how many times the barest server's median ours is.

    What ours has and the other has not is said, and not counted: the way to the answer.
    """
    how = (
        f"p50 and half of {len(ours.took)} changes: {ours} and {barest}; ours from the API's answer on, "
        f"which a client that reads, then patches over TLS has after {percentile(ours.answered, 50):.1f} ms"
    )
    times = percentile(ours.took, 50) / percentile(barest.took, 50)
    return Figure(f"weight to effect beside the barest server, {by}", times, "times", 2, how=how)


def floor(programs: Sequence[Program], url: str, by: By, changes: int) -> Seen:
    """Return what changes take from a table's publication to the first request on its new route.

    programs: a cluster's, finished; of the one whose service `url` leads to, the sidecar asks for its table.
    """
    with tempfile.TemporaryDirectory(prefix="kata-barest-", dir="/tmp") as folder:
        socket = Path(folder) / "xds.sock"
        with _serving(by, socket) as server:
            _publish(server, "v1")
            ready = [asking(program, by, socket) for program in programs]
            with by_hand.started(ready, url, Path(folder)):
                way = Way(lambda version: _publish(server, version), url)
                return Seen(weights.effects(way, changes)[0])


@contextlib.contextmanager
def _serving(by: By, socket: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "bench.barest", by, str(socket)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as server:
        try:
            if not waiting.holds(socket.exists, LIMIT_SECONDS, 0.01):
                raise EngineError(f"The barest server by {by} does not listen.")
            yield server
        finally:
            server.kill()


def _publish(server: "subprocess.Popen[bytes]", version: str) -> None:
    assert server.stdin
    server.stdin.write(json.dumps(table(version)).encode() + b"\n")
    server.stdin.flush()


def table(version: str) -> Table:
    """Return the calling sidecar's route table: all requests for `name` go to this version."""
    names = {f"outbound|5000|name-{one}|name.default.svc.cluster.local": one for one in ("v1", "v2")}
    name = {cluster: 100 if one == version else 0 for cluster, one in names.items()}
    age = {"outbound|5000||age.default.svc.cluster.local": 100}
    return {"name": TABLE, "virtual_hosts": [_host("name", name), _host("age", age)]}


def _host(service: str, clusters: dict[str, int]) -> dict[str, Any]:
    weighted = [{"name": name, "weight": weight} for name, weight in clusters.items()]
    route = {"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": weighted}}}
    return {"name": service, "domains": [f"{service}:5000"], "routes": [route]}


def asking(program: Program, by: By, socket: Path) -> Program:
    """Return a program, of which the caller's sidecar has no route table of its own."""
    bootstrap = program.bootstrap
    if bootstrap is None or not bootstrap["node"]["cluster"].startswith(f"{APPLICATION.service}."):
        return program
    static = bootstrap["static_resources"]
    changed = {
        "listeners": _without_table(static["listeners"], _source(by)),
        "clusters": [*static["clusters"], _cluster(by, socket)],
    }
    return replace(program, bootstrap={**bootstrap, "static_resources": changed})


def _without_table(part: Any, source: Table) -> Any:
    if isinstance(part, list):
        return [_without_table(one, source) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("route_config", {}).get("name") == TABLE:
        rest = {key: value for key, value in part.items() if key != "route_config"}
        return rest | {"rds": {"config_source": source, "route_config_name": TABLE}}
    return {key: _without_table(value, source) for key, value in part.items()}


def _source(by: By) -> Table:
    """Return where the table comes from; by REST it is asked for as in the cluster."""
    how: dict[str, Any] = {"api_type": by.upper(), "transport_api_version": "V3"}
    if by == "gRPC":
        how |= {"grpc_services": [{"envoy_grpc": {"cluster_name": "barest"}}]}
    else:
        how |= {"cluster_names": ["barest"], "refresh_delay": "0.005s", "request_timeout": "3600s"}
    return {"resource_api_version": "V3", "api_config_source": how}


def _cluster(by: By, socket: Path) -> Table:
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(socket)}}}}
    protocol = "http2_protocol_options" if by == "gRPC" else "http_protocol_options"
    options = {"@type": f"type.googleapis.com/{_OPTIONS}", "explicit_http_config": {protocol: {}}}
    return {
        "name": "barest",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "barest", "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {_OPTIONS: options},
    }
