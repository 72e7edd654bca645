"""What a machine says of itself that the kind engine needs; each reading ends within SECONDS."""

import json
import socket
from pathlib import Path
from typing import Any

from kata_lib.engines.programs import ask, program
from kata_lib.errors import KataError
from kata_lib.versions import numbers

SECONDS = 2.0


def resolves(image: str) -> bool:
    first = image.split("/")[0]
    host = first.split(":")[0] if "." in first or ":" in first else "docker.io"
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return False
    return True


def about(provider: str) -> dict[str, Any] | None:
    """Return what `docker info` says, as docker and podman's docker have it; None where nobody answers."""
    try:
        said = json.loads(ask([program(provider), "info", "--format", "{{json .}}"], SECONDS))
    except (KataError, ValueError):
        return None
    if "host" in said:  # podman has names of its own
        host = said["host"]
        said = {
            "MemTotal": host.get("memTotal", 0),
            "CgroupVersion": str(host.get("cgroupVersion", "")).removeprefix("v"),
            "DockerRootDir": said.get("store", {}).get("graphRoot"),
            "ServerVersion": said.get("version", {}).get("Version", ""),
            "SecurityOptions": ["rootless"] if host.get("security", {}).get("rootless") else [],
        }
    return said if said.get("ServerVersion") else None


_TELL = {
    "kind": ["version"],
    "istioctl": ["version", "--remote=false"],
    "kubectl": ["version", "--client"],
}


def version(name: str, path: str) -> tuple[int, ...] | None:
    """Return (major, minor) of a program, or None where it does not tell."""
    try:
        said = ask([path, *_TELL.get(name, ["--version"])], SECONDS)
    except KataError:
        return None
    found = numbers(said)
    return found if len(found) == 2 else None


def number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
