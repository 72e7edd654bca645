"""One cluster, one browser, and one page of JupyterLab for all tests here; each module opens its notebook.

They end with the last of the tests in here: Playwright's event loop runs until then, and asyncio allows no
second one.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import home
from playwright.sync_api import Browser, BrowserContext, Page

from bench.lab_page import Messages, jupyter_lab, notebook, wait_until, with_profile
from browser.running_lab import BUSY_CELL, GRAPH_CELL, LIVE_CELL, NAME, PICTURES, RELEASE_CELL, JupyterLab
from kata_lib import engines
from kata_lib.course import notebooks
from kata_lib.course.application import APPLICATION
from kata_lib.lab.lab import Lab, connect
from kata_lib.machine import PROJECT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in filter(_is_here, items):
        item.add_marker(pytest.mark.needs("chromium"))


def _is_here(item: pytest.Item) -> bool:
    return Path(__file__).parent in item.path.parents


@pytest.fixture(scope="package")
def environment() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch, home() as folder:
        patch.setenv("KATA_HOME", str(folder))
        etc_environment = {
            "KATA_NAME": NAME,
            "KATA_BIN": str(Path(sys.executable).parent),
            "KATA_KUBECONFIG": str(folder / NAME / "kubeconfig"),
            "JUPYTER_CONFIG_PATH": str(PROJECT / "etc" / "jupyter"),
        }
        yield {**os.environ, **etc_environment, "PYTHONPATH": str(PROJECT)}
        engines.select(APPLICATION, cluster=NAME).stop()


@pytest.fixture(scope="package")
def lab(environment: dict[str, str]) -> Lab:
    lab = connect(cluster=NAME, say=lambda line: None)
    lab.begin("weight-lab", reset=True)
    return lab


@pytest.fixture(scope="package")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with with_profile(tmp_path_factory.mktemp("profile")) as context:
        yield context


@pytest.fixture(scope="package")
def browser(profile: BrowserContext) -> Browser:
    """Return the Chromium of all tests here, for contexts beside that of JupyterLab's pages."""
    assert profile.browser
    return profile.browser


@pytest.fixture(scope="package")
def jupyter(
    lab: Lab,
    environment: dict[str, str],
    profile: BrowserContext,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[JupyterLab]:
    folder = tmp_path_factory.mktemp("notebooks")
    for name in ("live", "other"):
        (folder / f"{name}.ipynb").write_text(notebook(LIVE_CELL, BUSY_CELL))
    (folder / "notebooks").mkdir()
    notebooks.write(folder / "notebooks", solutions=False)
    shutil.copytree(PROJECT / "docs", folder / "docs")
    (folder / "release.ipynb").write_text(notebook(RELEASE_CELL))
    (folder / "graph.ipynb").write_text(notebook(GRAPH_CELL, PICTURES))
    with jupyter_lab(folder, environment) as (address, server):
        yield JupyterLab(folder, address, server, profile)


@pytest.fixture(scope="package")
def window(jupyter: JupyterLab) -> Iterator[tuple[Page, Messages]]:
    """Yield the page that goes from module to module, and its messages: to load JupyterLab takes seconds."""
    with jupyter.page() as (page, messages):
        page.goto(jupyter.window)
        wait_until(page, "globalThis.jupyterapp?.restored.then(() => true)", timeout=90_000)
        yield page, messages
