"""Probes: whether a container answers as its manifest asks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from kata_lib import versions
from kata_lib.engines.embedded.addresses import Address

START_INTERVAL = 0.02
START_PATIENCE = 3.0
"""While a container starts it is asked often and its silence is not told: most are ready within a second."""


@dataclass(frozen=True)
class Outcome:
    """One answer; `message` is empty for success."""

    message: str = ""

    @property
    def success(self) -> bool:
        return not self.message


Check = Callable[[], Awaitable[Outcome]]


def checker(probe: dict[str, Any], container: dict[str, Any], locate: Callable[[int], Address]) -> Check:
    """Return what asks once; `locate` says where a port of the container is reached."""
    timeout = probe.get("timeoutSeconds", 1)
    kind = "httpGet" if "httpGet" in probe else "tcpSocket"
    address = locate(_number(probe[kind]["port"], container))

    async def check() -> Outcome:
        try:
            async with asyncio.timeout(timeout):
                if kind == "tcpSocket":
                    _, writer = await asyncio.open_connection(*address)
                    writer.close()
                    return Outcome()
                return await _get(address, probe["httpGet"])
        except TimeoutError:
            return Outcome(f"{_what(kind, address, probe)}: context deadline exceeded")
        except (OSError, EOFError) as error:
            reason = "connection refused" if isinstance(error, ConnectionRefusedError) else str(error)
            return Outcome(
                f"{_what(kind, address, probe)}: dial tcp {address[0]}:{address[1]}: connect: {reason}"
            )

    return check


def _number(port: int | str, container: dict[str, Any]) -> int:
    if isinstance(port, int):
        return port
    return int(next(p["containerPort"] for p in container.get("ports", ()) if p.get("name") == port))


def _what(kind: str, address: Address, probe: dict[str, Any]) -> str:
    if kind == "tcpSocket":
        return "connect"
    return f'Get "http://{address[0]}:{address[1]}{probe["httpGet"].get("path", "/")}"'


async def _get(address: Address, action: dict[str, Any]) -> Outcome:
    reader, writer = await asyncio.open_connection(*address)
    try:
        headers = {
            "host": f"{address[0]}:{address[1]}",
            "user-agent": f"kube-probe/{versions.minor(versions.KUBERNETES)}",
            "connection": "close",
        }
        headers |= {header["name"].lower(): header["value"] for header in action.get("httpHeaders", ())}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"GET {action.get('path', '/')} HTTP/1.1\r\n{lines}\r\n".encode())
        status = (await reader.readuntil(b"\r\n")).split(b" ")[1]
    finally:
        writer.close()
    return (
        Outcome()
        if b"200" <= status < b"400"
        else Outcome(f"HTTP probe failed with statuscode: {status.decode()}")
    )


async def results(
    probe: dict[str, Any], check: Check, on_failure: Callable[[str], None], patience: float = 0.0
) -> AsyncIterator[bool]:
    """Yield True or False each time the probe's thresholds are crossed; it never ends by itself.

    `on_failure` hears each single failure. For `patience` seconds before the first success the probe asks
    often, and silence is no failure.
    """
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    said: bool | None = None
    run = 0
    last: bool | None = None
    while True:
        outcome = await check()
        starting = said is None and not outcome.success and loop.time() - begun < patience
        if not starting:
            if not outcome.success:
                on_failure(outcome.message)
            run = run + 1 if outcome.success == last else 1
            last = outcome.success
            needed = probe.get("successThreshold", 1) if outcome.success else probe.get("failureThreshold", 3)
            if run >= needed and said != outcome.success:
                said = outcome.success
                yield said
        await asyncio.sleep(START_INTERVAL if starting else probe.get("periodSeconds", 10))
