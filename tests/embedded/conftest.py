"""One cluster for the whole run, in a folder of its own, with v1 and v2 deployed; and more on demand."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from homes import home

from embedded.engine_cluster import Cluster, Start, quiet
from kata_lib.course.application import APPLICATION
from kata_lib.engines.embedded import EmbeddedEngine


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """The folder of all clusters of the tests in here."""
    with home() as folder:
        yield folder


@pytest.fixture(scope="package", autouse=True)
def _home(folder: Path) -> Iterator[Path]:
    """Set KATA_HOME for the tests in here, and for none of those that the same process runs between them."""
    with patch.dict(os.environ, KATA_HOME=str(folder)):
        os.environ.pop("KATA_ADDRESSES", None)
        yield folder


@pytest.fixture(scope="session")
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster with sidecars in default, v1 and v2, shared by all tests: leave it as you found it."""
    at_home = patch.dict(os.environ, KATA_HOME=str(folder))
    with at_home:
        engine = EmbeddedEngine("shared", APPLICATION)
        made = Cluster(engine, engine.start(quiet))
    try:
        made.kubectl("label", "namespace", "default", "istio-injection=enabled")
        made.deploy("v1", "v2")
        yield made
    finally:
        with at_home:
            engine.stop()


@pytest.fixture
def start(_home: Path) -> Iterator[Start]:
    """Start clusters by name; they are stopped when the test ends."""
    engines: list[EmbeddedEngine] = []

    def start(name: str) -> Cluster:
        engines.append(EmbeddedEngine(name, APPLICATION))
        return Cluster(engines[-1], engines[-1].start(quiet))

    yield start
    for engine in engines:
        engine.stop()
