"""What the kind engine needs of a machine: pure checks make findings of what `readings` took."""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kata_lib import machine, versions
from kata_lib.engines import ports
from kata_lib.engines.application import Application
from kata_lib.engines.folder import Folder
from kata_lib.engines.kind import istio, readings
from kata_lib.engines.kind.images import ImageStore
from kata_lib.engines.kind.settings import KindSettings
from kata_lib.engines.need import Need
from kata_lib.engines.ports import PORTS
from kata_lib.engines.programs import ProgramFailed, ask, found, program
from kata_lib.errors import KataError
from kata_lib.versions import numbers

OLDEST = {
    "kind": numbers(versions.OLDEST_KIND),
    "istioctl": numbers(versions.OLDEST_ISTIOCTL),
    "kubectl": machine.OLDEST_KUBECTL,
    "docker": (20, 10),
}
TESTED = {
    "kind": numbers(versions.KIND),
    "istioctl": numbers(versions.ISTIO),
    "kubectl": numbers(versions.KUBECTL),
    "docker": (28, 2),
}
"""The oldest versions that are accepted, and those that the kind engine was last tested with."""

NODE_MB = 1200
"""Measured as the node's memory: 0.94 GiB with istiod, Prometheus and three pods; the workshop has eight."""
IMAGES_MB = 4000
CORES = 2
INSTANCES = 512
"""inotify instances of a user: every container of the node takes some (kind's known issues)."""


def lacking(settings: KindSettings) -> str | None:
    """Return what keeps the engine from running, with its mending, or None: quick enough for each start."""
    for name in ("kind", "kubectl", "istioctl", settings.provider):
        try:
            path = program(name)
        except KataError as error:
            return str(error).removesuffix(".")
        version = readings.version(name, path)
        if version and name in OLDEST and version < OLDEST[name]:
            needed = f"{_dotted(OLDEST[name])} or newer is needed: `{_install(name)}`"
            return f"{name} {_dotted(version)} at {path} is too old, {needed}"
    return silent(settings.provider)


def silent(provider: str) -> str | None:
    """Return why the container engine does not answer, or None if it does."""
    try:
        ask([program(provider), "version"], readings.SECONDS)
    except ProgramFailed as failed:
        last = (failed.said or str(failed)).splitlines()[-1]
        return f"{provider} does not answer ({last}): {_start(provider)}"
    return None


def findings(cluster: str, application: Application) -> Iterator[Need]:
    """Yield what the machine has and lacks for a kind cluster of that name."""
    settings = KindSettings.read()
    for name in ("kind", "istioctl", "kubectl", settings.provider):
        path = found(name)
        yield tool(name, path, readings.version(name, path) if path else None)
    yield cores(os.cpu_count() or 1)
    about = readings.about(settings.provider)
    yield answers(settings.provider, about)
    if about is not None:
        yield memory(about)
        yield cgroup(about)
        yield disk(about)
        yield from _images(settings)
    yield inotify(readings.number(Path("/proc/sys/fs/inotify/max_user_instances")))
    yield port(settings.port, runs=Folder(cluster).note() is not None)
    yield proxy(
        {n: v for n, v in os.environ.items() if n.lower() in ("http_proxy", "https_proxy", "no_proxy")}
    )


def tool(name: str, path: str | None, version: tuple[int, ...] | None) -> Need:
    """Check a program against the versions that the engine is made for."""
    get = _install(name)
    if path is None:
        return Need(name, "missing", "none on PATH", get)
    if version is None:
        return Need(name, "missing", f"{path} does not tell its version", get)
    shown = f"{_dotted(version)} at {path}"
    if name in OLDEST and version < OLDEST[name]:
        return Need(name, "missing", f"{shown}, needed {_dotted(OLDEST[name])} or newer", get)
    if name in TESTED and version > TESTED[name]:
        return Need(name, "note", f"{shown}, newer than {_dotted(TESTED[name])}, which was tested")
    return Need(name, "ok", shown)


def answers(provider: str, about: dict[str, Any] | None) -> Need:
    """Check that the container engine answers."""
    if about is None:
        return Need("engine", "missing", f"{provider} does not answer", _start(provider))
    how = ", rootless" if _rootless(about) else ""
    return Need("engine", "ok", f"{provider} {about.get('ServerVersion', '')} runs{how}")


def cores(number: int) -> Need:
    """Check the machine's cores."""
    if number < CORES:
        return Need("cores", "missing", f"{number}, needed {CORES}: a virtual machine may be given more")
    return Need("cores", "ok", str(number))


def memory(about: dict[str, Any]) -> Need:
    """Check the memory of the container engine, which on macOS and Windows has its own."""
    have = int(about.get("MemTotal", 0)) // 10**6
    said = f"{have} MB for containers, the node needs {NODE_MB} MB"
    if have < NODE_MB:
        return Need("memory", "missing", said, "docker desktop restart  # after Settings, Resources, Memory")
    return Need("memory", "ok", said)


def cgroup(about: dict[str, Any]) -> Need:
    """Check the kernel's cgroups: version 1 is on its way out of Kubernetes."""
    version = str(about.get("CgroupVersion", "")) or "not told"
    if version == "1":
        mend = "sudo grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1"
        if _rootless(about):
            return Need("cgroup", "missing", "version 1: kind runs without root on version 2 only", mend)
        return Need("cgroup", "note", "version 1: it works, newer Kubernetes will refuse it", mend)
    return Need("cgroup", "ok", f"version {version}")


def _rootless(about: dict[str, Any]) -> bool:
    return "rootless" in json.dumps(about.get("SecurityOptions") or [])


def disk(about: dict[str, Any]) -> Need:
    """Check the disk on which the container engine keeps its images, where it is this machine's."""
    folder = Path(str(about.get("DockerRootDir") or "/"))
    if not folder.exists():
        return Need("disk", "note", f"{folder} is not on this machine; 4 GB are needed there")
    free = shutil.disk_usage(folder).free // 10**6
    said = f"{free} MB free in {folder}, the images need {IMAGES_MB} MB"
    if free < IMAGES_MB:
        return Need("disk", "missing", said, "docker system prune")
    return Need("disk", "ok", said)


def inotify(instances: int | None) -> Need:
    """Check the limit that makes nodes fail with `too many open files`; None: the machine has no such one."""
    if instances is None:
        return Need("inotify", "ok", "no such limit on this machine")
    if instances < INSTANCES:
        said = f"{instances} instances for a user, a node can run out of them below {INSTANCES}"
        return Need("inotify", "note", said, f"sudo sysctl fs.inotify.max_user_instances={INSTANCES}")
    return Need("inotify", "ok", f"{instances} instances for a user")


def port(wanted: int | None, *, runs: bool) -> Need:
    """Check the port on which the application is published."""
    if runs:
        return Need("port", "ok", "the running cluster has its port")
    candidates = PORTS if wanted is None else range(wanted, wanted + 1)
    open_one = next((p for p in candidates if ports.is_free((ports.LOOPBACK, p))), None)
    if open_one is None:
        said = f"{candidates[0]} of 127.0.0.1 is taken" if wanted else f"none of {PORTS} is free"
        return Need("port", "missing", said, "export KATA_PORT=31500")
    return Need("port", "ok", f"{open_one} of 127.0.0.1 is free")


def proxy(settings: dict[str, str]) -> Need:
    """Check proxies, which kind hands on to its node: their names must resolve, there too."""
    proxies = {n: v for n, v in settings.items() if n.lower() != "no_proxy" and v}
    if not proxies:
        return Need("proxy", "ok", "none is set")
    shown = ", ".join(sorted(proxies))
    for name, value in sorted(proxies.items()):
        host = urlsplit(value if "//" in value else f"//{value}").hostname or ""
        try:
            socket.getaddrinfo(host, None)
        except OSError as error:
            return Need(
                "proxy", "missing", f"{name} names {host!r}, which does not resolve: {error}", f"unset {name}"
            )
        if host in ("localhost", "127.0.0.1"):
            said = f"{name} is {host}, which is another machine inside the node"
            return Need("proxy", "note", said, f"unset {name}")
    return Need("proxy", "ok", f"{shown}: handed on to the node")


def _images(settings: KindSettings) -> Iterator[Need]:
    """Look whether the images are there, without asking any registry."""
    store = ImageStore(settings, Path(os.devnull))
    try:
        wanted = [settings.node_image, *istio.images(settings)]
        absent = [image for image in wanted if not store.has(image)]
    except KataError as error:
        yield Need("images", "note", f"not looked at: {error}".splitlines()[0])
        return
    if not absent:
        yield Need("images", "ok", f"all {len(wanted)} are there")
        return
    shown = ", ".join(image.partition("@")[0] for image in absent)
    resolves = readings.resolves(absent[0])
    said = f"{shown}: not there yet, the first start downloads them"
    if resolves:
        yield Need("images", "note", said, f"{settings.provider} pull {absent[0]}")
    else:
        said = f"{shown}: not there, and their registry's name does not resolve here"
        yield Need("images", "missing", said, "kata up --engine kind --bundle kata-bundle.tar")


def _install(name: str) -> str:
    if name in ("kind", "istioctl", "kubectl"):
        return "scripts/get-tools"
    if machine.here().system == "Darwin":
        return f"brew install --cask {name}" if name == "docker" else f"brew install {name}"
    return f"sudo apt install {'docker.io' if name == 'docker' else name}"


def _start(provider: str) -> str:
    if provider == "podman":
        return (
            "podman machine start"
            if machine.here().system == "Darwin"
            else "systemctl --user start podman.socket"
        )
    return "open -a Docker" if machine.here().system == "Darwin" else "sudo systemctl start docker"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
