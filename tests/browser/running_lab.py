"""A running JupyterLab for tests, and the cells of their notebooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from bench.lab_page import Messages, open_notebook, wait_until
from kata_lib.machine import PROJECT

NAME = "browser"
SETUP = 'from kata_lib import graph, live, open_lab, plots, shares\nlab = open_lab(step="weight-lab")'
RATE = 20
"""Requests a second of a live lab where that is not tested: each costs five milliseconds of a processor."""
LIVE_CELL = f"{SETUP}\ntraffic = live.show(lab, rate={RATE})"
GO_ON = "go-on"
BUSY_CELL = f"""import pathlib, time
end = time.monotonic() + 60
while not pathlib.Path("{GO_ON}").exists() and time.monotonic() < end:
    time.sleep(0.1)"""
GRAPH_CELL = f"{SETUP}\nseen = live.show_graph(lab)"
RELEASE_CELL = f"""from kata_lib import delivery
{SETUP}
steps = [{{"setWeight": 20}}, {{"pause": {{}}}}, {{"setWeight": 50}}, {{"pause": {{}}}}, {{"analysis": {{}}}}]
plan = delivery.read("deploy/rollouts/v2.yaml").changed(steps=steps)
users = lab.watch(rate=50)
release = delivery.start(lab.cluster, plan)
view = live.show_release(lab, release)"""
PICTURES = """import kata_lib.pictures.graph
before = lab.counters()
sample = lab.sample(requests=400, rate=200)
counted = lab.counters(since=before)
share = lab.share(sample)
display(plots.distribution({"canary": share}, {"canary": 0.1}), plots.convergence(sample, 0.1))
display(plots.timeline(sample), graph.draw(counted))"""


KEPT = PROJECT / ".kata" / "screenshots"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SIZE: ViewportSize = {"width": 1280, "height": 1000}
_CLOSE_ALL = """async () => {
    [...jupyterapp.shell.widgets('main')].forEach((tab) => tab.dispose());
    await jupyterapp.serviceManager.sessions.shutdownAll();
}"""


@dataclass(frozen=True)
class JupyterLab:
    """A running JupyterLab with notebooks of these tests, and a browser for it."""

    folder: Path
    address: str
    server: int
    browser: BrowserContext

    @property
    def window(self) -> str:
        """The address of a JupyterLab that opens what its workspace had, and nothing else."""
        return self.address.replace("/lab?", "/lab/workspaces/window?")

    @contextmanager
    def page(self) -> Iterator[tuple[Page, Messages]]:
        """Yield an empty page and the counter of its messages with kernels."""
        page = self.browser.new_page()
        page.set_viewport_size(SIZE)
        messages = Messages()
        messages.listen(page)
        yield page, messages
        page.close()

    @contextmanager
    def opened(self, page: Page, name: str) -> Iterator[Page]:
        """Yield a page in which a notebook alone is open."""
        open_notebook(page, self.address, name)
        yield page
        close_all(page)


def close_all(page: Page) -> None:
    """Close all that is open in JupyterLab, and end its kernels, which send traffic for another minute."""
    page.evaluate(_CLOSE_ALL)
    page.set_viewport_size(SIZE)


def use_theme(page: Page, theme: str) -> None:
    """Give JupyterLab a theme by its name in THEMES."""
    page.evaluate("(theme) => jupyterapp.commands.execute('apputils:change-theme', {theme})", THEMES[theme])
    wait_until(page, f"document.body.dataset.jpThemeLight === '{str(theme == 'light').lower()}'")


def keep(page: Page, name: str, selector: str, holds: tuple[str, int]) -> None:
    """Keep a screenshot in each theme, once what is to be seen holds so many of what a selector finds."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for theme in THEMES:
        use_theme(page, theme)
        page.locator(selector).scroll_into_view_if_needed()
        expect(page.locator(selector).locator(holds[0])).to_have_count(holds[1], timeout=30_000)
        page.locator(selector).screenshot(path=KEPT / f"{name}-{theme}.png")
    use_theme(page, "light")
