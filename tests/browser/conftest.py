"""One cluster, one JupyterLab and one browser for all tests here; each module opens its own page."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from kata_lib import engines
from kata_lib.bench.lab_page import CHROMIUM, Messages, jupyter_lab, notebook
from kata_lib.lab import Lab, connect
from kata_lib.manifests import PROJECT

NAME = "browser"
SETUP = 'from kata_lib import graph, live, open_lab, plots, shares\nlab = open_lab(step="weight-lab")'
LIVE_CELL = f"{SETUP}\ntraffic = live.show(lab)"
GRAPH_CELL = f"{SETUP}\nseen = live.show_graph(lab)"
RELEASE_CELL = f"""from kata_lib import rollout
{SETUP}
steps = [{{"setWeight": 20}}, {{"pause": {{}}}}, {{"setWeight": 50}}, {{"pause": {{}}}}, {{"analysis": {{}}}}]
plan = rollout.read("rollouts/v2.yaml").changed(steps=steps)
users = lab.watch(rate=50)
release = rollout.start(lab.cluster, plan)
view = live.show_release(lab, release)"""
PICTURES = """import kata_lib.graph
before = lab.counters()
sample = lab.sample(requests=400, rate=200)
counted = lab.counters(since=before)
share = lab.share(sample)
display(plots.distribution({"canary": share}, {"canary": 0.1}), plots.convergence(sample, 0.1))
display(plots.timeline(sample), graph.of(counted))"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="there is no Chromium: apt-get install chromium"))


@dataclass(frozen=True)
class JupyterLab:
    """A running JupyterLab with notebooks of these tests, and a browser for it."""

    address: str
    server: int
    browser: Browser

    def page(self) -> tuple[Page, Messages]:
        """Return an empty page and the counter of its messages with kernels."""
        page = self.browser.new_page(viewport={"width": 1280, "height": 1000})
        messages = Messages()
        messages.listen(page)
        return page, messages


@pytest.fixture(scope="package")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KATA_HOME", str(tmp_path_factory.mktemp("home")))
        yield {**os.environ, "KATA_NAME": NAME, "PYTHONPATH": str(PROJECT)}
        engines.select(cluster=NAME).stop()


@pytest.fixture(scope="package")
def lab(environment: dict[str, str]) -> Lab:
    lab = connect(cluster=NAME, say=lambda line: None)
    lab.begin("weight-lab", reset=True)
    return lab


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def jupyter(
    lab: Lab, environment: dict[str, str], browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JupyterLab]:
    folder = tmp_path_factory.mktemp("notebooks")
    for name in ("live", "other"):
        (folder / f"{name}.ipynb").write_text(notebook(LIVE_CELL, "import time\ntime.sleep(4)"))
    (folder / "release.ipynb").write_text(notebook(RELEASE_CELL))
    (folder / "graph.ipynb").write_text(notebook(GRAPH_CELL, PICTURES))
    with jupyter_lab(folder, environment) as (address, server):
        yield JupyterLab(address, server, browser)
