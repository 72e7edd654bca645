"""What holds for all tests, what they need, and the engine that notebooks and the parity suite run on.

KATA_TEST_ENGINE names the engine; by default it is the embedded one.

kind and context need Docker, kind and istioctl; settings such as KATA_NODE_IMAGE are taken as they are.
The context engine is given a kind cluster of its own, as a stranger's.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
import requirements
from homes import home
from random_sets import ALL
from requirements import ENGINE

from kata_lib import engines
from kata_lib.course.application import APPLICATION
from kata_lib.engines.kind import KindEngine
from kata_lib.engines.kubectl import kubectl

pytest_plugins = ["api_server"]

STRANGERS = "parity-host"
GARBAGE = 20_000
"""After how many new objects the young ones are collected; Python's 700 are made by a request or two."""


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a KATA_TEST_REQUIRES that cannot be met before anything runs."""
    requirements.required()
    # Checks raise where nobody watches; a test that wants that says so.
    for name in ("CI", "KATA_RESET"):
        os.environ.pop(name, None)
    # Started in the background by a script, tests and whatever they start would ignore SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option by which several runs share the test files."""
    first = "the first of three parts of each folder's test files: 1/3"
    parser.addoption("--part", type=_part, default=(1, 1), help=first)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a test file that is of another part; of three parts each has every third file."""
    part, parts = config.getoption("part")
    if _numbers(collection_path.parent).get(collection_path, part - 1) % parts == part - 1:
        return None  # as pytest decides
    return True


def _part(text: str) -> tuple[int, int]:
    part, parts = map(int, text.split("/"))
    if not 1 <= part <= parts:
        raise ValueError(text)
    return part, parts


@cache
def _numbers(folder: Path) -> dict[Path, int]:
    return {file: number for number, file in enumerate(sorted(folder.glob("test_*.py")))}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep modules and tests out of garbage collections: they stay, and are a million objects."""
    gc.disable()
    yield
    gc.freeze()
    gc.set_threshold(GARBAGE)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail, a test whose mark `needs` names what this machine has not; skip one marked `long`."""
    if item.get_closest_marker("long") and not ALL:
        pytest.skip("long: scripts/test --all runs it")
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            requirements.check(name)


@pytest.fixture(scope="session")
def give_counters() -> Callable[[Path], None]:
    """Return what lets Prometheus count where a site's proxies do not do it by themselves, as Istio's own do.

    Such a site has request-stats.json beside the add-ons' manifests; it is given the cluster's kubeconfig.
    """

    def give(kubeconfig: Path) -> None:
        file = Path(os.environ.get("KATA_ADDONS", "")) / "request-stats.json"
        if ENGINE != "embedded" and os.environ.get("KATA_ADDONS") and file.exists():
            kubectl(kubeconfig, "apply", f"--filename={file}")

    return give


@pytest.fixture(scope="session")
def engine_environment() -> Iterator[dict[str, str]]:
    """Yield what the environment must hold for the engine under test; its clusters are gone afterwards."""
    with ExitStack() as afterwards:
        settings = {"KATA_HOME": str(afterwards.enter_context(home())), "KATA_ENGINE": ENGINE}
        with patch.dict(os.environ, settings):
            host = KindEngine(STRANGERS, APPLICATION) if ENGINE == "context" else None
            needed = host or engines.select(APPLICATION, ENGINE, cluster="needed")
            if reason := needed.unavailable():
                requirements.lacking(ENGINE, reason)
            if host:
                afterwards.callback(patch.dict(os.environ, settings)(host.stop))
                place = host.start(print)
                settings |= {"KATA_CONTEXT_KUBECONFIG": str(place.kubeconfig), "KATA_LEARNER": "parity"}
                settings |= {"KATA_CONTEXT": f"kind-{STRANGERS}"}
        yield settings
