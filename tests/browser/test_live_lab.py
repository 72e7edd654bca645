"""The live lab in JupyterLab in a real browser: keys move the slider, the cluster and the picture follow."""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from lab_page import CHROMIUM, jupyter_lab, notebook
from playwright.sync_api import Page, Response, expect, sync_playwright

from kata_lib import engines
from kata_lib.lab import Lab, connect
from kata_lib.manifests import PROJECT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium")

NAME = "browser"
LIVE = ".kata-live"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KATA_HOME", str(tmp_path_factory.mktemp("home")))
        yield {**os.environ, "KATA_NAME": NAME, "PYTHONPATH": str(PROJECT)}
        engines.select(cluster=NAME).stop()


@pytest.fixture(scope="module")
def lab(environment: dict[str, str]) -> Lab:
    lab = connect(cluster=NAME, say=lambda line: None)
    lab.begin("weight-lab", reset=True)
    return lab


@pytest.fixture(scope="module")
def page(lab: Lab, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Yield JupyterLab with a running live lab in it."""
    folder = tmp_path_factory.mktemp("notebooks")
    cell = 'from kata_lib import live, open_lab\ntraffic = live.show(open_lab(step="weight-lab"))'
    (folder / "live.ipynb").write_text(notebook(cell))
    with jupyter_lab(folder, environment) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto(address.replace("/lab?", "/lab/tree/live.ipynb?"))
        run(page)
        yield page
        browser.close()


def run(page: Page) -> None:
    """Run the notebook's cells, and wait until the live lab is drawn."""
    page.locator(".jp-Notebook .jp-Cell").first.click()
    expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')).to_be_visible(timeout=30_000)
    page.keyboard.press("Control+Enter")
    page.wait_for_function(f"document.querySelector('{LIVE}')?.dataset.frames > 3", timeout=30_000)


def data(page: Page) -> dict[str, Any]:
    """Return what the picture holds: its lines by name, and the labels of its marks."""
    found: dict[str, Any] = page.evaluate(
        f"""() => {{
            const plot = document.querySelector('{LIVE} .plot');
            const lines = plot.data.filter((t) => t.name).map((t) => [t.name, {{x: t.x, y: t.y}}]);
            return {{lines: Object.fromEntries(lines), marks: plot.layout.annotations.map((a) => a.text)}};
        }}"""
    )
    return found


def wait_for_weight(page: Page, share: float) -> None:
    page.wait_for_function(f"+document.querySelector('{LIVE}').dataset.weight === {share}", timeout=5000)


def test_the_slider_starts_where_the_cluster_is(page: Page) -> None:
    slider = page.locator(f"{LIVE} input")
    expect(slider).to_have_value("10")
    assert slider.get_attribute("aria-valuetext") == "10 percent to v2"


def test_keys_move_the_weight_in_the_cluster_and_the_picture_follows(page: Page, lab: Lab) -> None:
    slider = page.locator(f"{LIVE} input")
    slider.focus()
    for key in ("ArrowRight", "ArrowUp", "PageUp"):
        slider.press(key)
    wait_for_weight(page, 0.22)
    assert lab.weights()["name-v2"] == pytest.approx(0.22)
    slider.press("End")
    wait_for_weight(page, 1)
    assert lab.weights()["name-v2"] == 1
    page.wait_for_function(f"document.querySelector('{LIVE} .plot').data[3].y.at(-1) > 99", timeout=5000)
    assert data(page)["lines"]["asked for"]["y"][-1] == 100
    expect(page.locator(f"{LIVE} .change")).to_have_text(re.compile(r"22 % → 100 %: seen after \d+ ms"))
    assert re.fullmatch(r"\d+ ms", data(page)["marks"][-1])


def test_a_change_from_elsewhere_moves_the_slider_and_is_not_echoed(page: Page, lab: Lab) -> None:
    lab.set_weights({"name-v2": 37})
    before = version_of_route(lab)
    expect(page.locator(f"{LIVE} input")).to_have_value("37", timeout=3000)
    page.wait_for_timeout(1000)
    assert version_of_route(lab) == before
    expect(page.locator(f"{LIVE} .change")).to_contain_text("from elsewhere")


def test_buttons_set_the_weight(page: Page, lab: Lab) -> None:
    for name, share in (("Roll back", 0), ("50/50", 0.5), ("Canary 10 %", 0.1)):
        page.get_by_role("button", name=name).click()
        wait_for_weight(page, share)
        assert lab.weights()["name-v2"] == pytest.approx(share)


def test_ten_frames_a_second_and_a_quick_slider(page: Page) -> None:
    frames = "+document.querySelector('.kata-live').dataset.frames"
    first = page.evaluate(frames)
    page.wait_for_timeout(4000)
    rate = (page.evaluate(frames) - first) / 4
    delays = sorted(page.evaluate(SLIDER_TO_PICTURE, value) for value in range(20, 90, 5))
    print(f"{rate:.1f} frames/s; slider to picture p50 {delays[7]:.0f} ms, largest {delays[-1]:.0f} ms")
    assert rate > 4
    assert delays[7] < 500


SLIDER_TO_PICTURE = """(value) => new Promise((resolve) => {
    const live = document.querySelector('.kata-live');
    const slider = live.querySelector('input');
    const began = performance.now();
    const seen = () => Number(live.dataset.weight) === value / 100;
    const watch = () => (seen() ? resolve(performance.now() - began) : requestAnimationFrame(watch));
    slider.value = value;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    watch();
})"""


def test_pause_stops_the_traffic_and_continue_brings_it_back(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    caption = page.locator(f"{LIVE} caption")
    page.wait_for_timeout(500)
    still = caption.inner_text()
    page.wait_for_timeout(1000)
    assert caption.inner_text() == still
    page.get_by_role("button", name="Continue").click()
    expect(caption).not_to_have_text(still)


def test_a_cell_that_runs_again_has_one_working_live_lab(page: Page) -> None:
    page.locator(".jp-Notebook .jp-InputArea").first.click()
    page.evaluate(f"document.querySelector('{LIVE}').dataset.old = 'yes'")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        f"(live => live?.dataset.frames > 3 && !live.dataset.old)(document.querySelector('{LIVE}'))",
        timeout=15_000,
    )
    assert page.locator(LIVE).count() == 1


def test_a_page_loaded_again_shows_the_minute_so_far(page: Page) -> None:
    page.wait_for_timeout(2500)
    with page.expect_response(_is_save, timeout=10_000):  # a reload sooner finds a notebook without outputs
        page.locator('[data-command="docmanager:save"]').first.click()
    page.reload()
    page.wait_for_function(f"document.querySelector('{LIVE}')?.dataset.frames > 3", timeout=30_000)
    assert len(data(page)["lines"]["v2, each second"]["x"]) >= 3


def _is_save(response: Response) -> bool:
    return response.request.method == "PUT" and "/api/contents/live.ipynb" in response.url


def version_of_route(lab: Lab) -> str:
    found = lab.cluster.get("networking.istio.io/v1", "VirtualService", "name")
    assert found is not None
    return str(found["metadata"]["resourceVersion"])
