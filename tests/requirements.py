"""What tests need of a machine beyond the project's own environment: a test without it is skipped.

    @pytest.mark.needs("chromium")

KATA_TEST_REQUIRES=chromium,prometheus says that these are there: a test that misses one of them fails.
"""

import os
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from bench.lab_page import CHROMIUM
from kata_lib import versions
from kata_lib.addons import rollouts_gateway_api
from kata_lib.addons.flagger import FLAGGER
from kata_lib.addons.prometheus import PROMETHEUS
from kata_lib.addons.rollouts import ROLLOUTS
from kata_lib.engines.addons import Addon
from kata_lib.engines.programs import found
from kata_lib.machine import PROJECT

CONFORMANCE_MODULE = f"sigs.k8s.io/gateway-api/conformance@v{versions.GATEWAY_API}"
CONFORMANCE = Path(os.environ.get("GOMODCACHE") or Path.home() / "go" / "pkg" / "mod") / CONFORMANCE_MODULE
"""Where `go mod download` leaves the Gateway API's suite."""

ENGINE = os.environ.get("KATA_TEST_ENGINE") or "embedded"


def _engine(name: str) -> Callable[[], str]:
    return lambda: "" if name == ENGINE else f"runs where KATA_TEST_ENGINE={name}"


def _program(name: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(name) else f"{name} is not on PATH"


def _named(variable: str, what: str) -> Callable[[], str]:
    return lambda: "" if os.environ.get(variable) else f"{variable} names no {what}"


def _add_on(addon: Addon) -> Callable[[], str]:
    process = addon.process
    assert process is not None
    return lambda: "" if found(process.program) else f"{process.program} is not there: {process.source}"


def _program_of(name: str) -> str:
    return "" if found(name) else f"{name} is not there: {rollouts_gateway_api.SOURCE}"


def _systemd() -> str:
    """Return why no hub can start its servers as units of this machine, for users who have only its files."""
    if not Path("/run/systemd/system").is_dir():
        return "systemd does not run this machine"
    if os.geteuid() != 0:
        return "root alone makes accounts and starts units of theirs"
    controllers = Path("/sys/fs/cgroup/cgroup.controllers")
    if not controllers.exists() or not {"cpu", "memory"} <= set(controllers.read_text().split()):
        return "cgroups are not of version 2, with cpu and memory"
    for needed in (PROJECT, Path(sys.executable).resolve()):
        if any(not place.stat().st_mode & 0o001 for place in (needed, *needed.parents)):
            return f"other users may not read {needed}"
    return ""


MISSING: dict[str, Callable[[], str]] = {
    "kind": _engine("kind"),
    "context": _engine("context"),
    "embedded": _engine("embedded"),
    "chromium": lambda: "" if CHROMIUM else "there is no Chromium: apt-get install chromium",
    "conformance": lambda: "" if CONFORMANCE.is_dir() else f"{CONFORMANCE_MODULE} is no Go module here",
    "hub": lambda: (
        "" if find_spec("jupyterhub") else "runs after scripts/setup --hub, as scripts/test hub does"
    ),
    "class-cluster": _named("KATA_TEST_CLASS_KUBECONFIG", "cluster"),
    "class-chart": lambda: _named("KATA_TEST_CLASS_CHART", "chart")() or _program("helm")(),
    "istioctl": _program("istioctl"),
    "kubectl": _program("kubectl"),
    "node": _program("node"),
    "prometheus": _add_on(PROMETHEUS),
    "rollouts": _add_on(ROLLOUTS),
    "systemd": _systemd,
    "rollouts-gateway-api": lambda: _add_on(ROLLOUTS)() or _program_of(rollouts_gateway_api.PROGRAM),
    "flagger": _add_on(FLAGGER),
    "addons": _named("KATA_ADDONS", "folder of manifests"),
    "istio-katas": _named("KATA_ISTIO_KATAS", "folder of that series"),
    "linux": lambda: "" if sys.platform == "linux" else "Linux's own limits",
    "mount": lambda: "" if os.geteuid() == 0 and shutil.which("mount") else "root mounts a small file system",
}
"""For each requirement what says why this machine does not meet it, "" where it does."""


def required() -> set[str]:
    """Return what KATA_TEST_REQUIRES names; UsageError for a word that no test asks for."""
    words = {word.strip() for word in os.environ.get("KATA_TEST_REQUIRES", "").split(",")} - {""}
    if unknown := words - MISSING.keys():
        raise pytest.UsageError(
            f"KATA_TEST_REQUIRES has {', '.join(sorted(unknown))}; there are: {', '.join(sorted(MISSING))}."
        )
    return words


def check(name: str) -> None:
    """Skip the test, or where it is required fail it, if the machine does not meet a requirement."""
    if why := MISSING[name]():
        lacking(name, why)


def lacking(name: str, why: str) -> NoReturn:
    """Skip the test, or fail it where KATA_TEST_REQUIRES names the requirement that is not met."""
    if name in required():
        pytest.fail(f"KATA_TEST_REQUIRES names {name}: {why}", pytrace=False)
    pytest.skip(f"{name}: {why}")
