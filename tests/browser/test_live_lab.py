"""The live lab in JupyterLab in a real browser: a person turns the weight, cluster and picture follow."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from embedded import http_route
from playwright.sync_api import Locator, Page, Response, expect

from bench.lab_page import (
    LIVE,
    Messages,
    frames_drawn,
    open_notebook,
    processes,
    run_cell,
    run_live,
    wait_frames,
    wait_idle,
    wait_until,
)
from bench.live import SLIDER_TO_PICTURE
from browser.running_lab import GO_ON, RATE, JupyterLab, close_all
from kata_lib.lab.lab import Lab
from kata_lib.mesh import weights

ISTIO = "networking.istio.io/v1"
SESSION = "jupyterapp.shell.currentWidget.sessionContext"


@pytest.fixture(scope="module")
def opened(window: tuple[Page, Messages], jupyter: JupyterLab) -> Iterator[tuple[Page, Messages]]:
    """Yield JupyterLab with a running live lab in it, and the messages of that page."""
    page, messages = window
    with jupyter.opened(page, "live.ipynb"):
        run_live(page)
        yield page, messages


@pytest.fixture(scope="module")
def page(opened: tuple[Page, Messages]) -> Page:
    return opened[0]


@pytest.fixture
def slider(page: Page) -> Any:
    return page.locator(f"{LIVE} input")


def line(page: Page, panel: str, kind: str, name: str) -> dict[str, Any]:
    """Return a line of the picture, by its panel, its kind and its version."""
    lines: list[dict[str, Any]] = page.evaluate(f"document.querySelector('{LIVE} .plot').lines")
    (found,) = [each for each in lines if (each["panel"], each["kind"], each["name"]) == (panel, kind, name)]
    return found


def marks(page: Page) -> list[str]:
    """Return the words above the changes as they are to be seen."""
    return page.locator(f"{LIVE} .plot .mark").all_text_contents()


def running(version: str) -> str:
    """Return the script for a version's part of the second that runs; it begins without any."""
    return f"document.querySelector('{LIVE} .now').versions.{version}"


def wait_for_weight(page: Page, share: float) -> None:
    wait_until(page, f"+document.querySelector('{LIVE}').dataset.weight === {share}", timeout=30_000)


def press(page: Page, name: str) -> None:
    page.locator(LIVE).get_by_role("button", name=name).click()


def test_the_slider_starts_where_the_cluster_is(slider: Any) -> None:
    expect(slider).to_have_value("10")
    assert slider.get_attribute("aria-valuetext") == "10 percent to v2"


def test_keys_move_the_weight_in_the_cluster_and_the_picture_follows(
    page: Page, slider: Any, lab: Lab
) -> None:
    slider.focus()
    for key in ("ArrowRight", "ArrowUp", "PageUp"):
        slider.press(key)
    wait_for_weight(page, 0.22)
    assert lab.weights()["name-v2"] == 22
    slider.press("End")
    wait_for_weight(page, 1)
    assert lab.weights()["name-v2"] == 100
    all_v2 = (
        f"document.querySelector('{LIVE} .plot').lines"
        ".find((line) => line.kind === 'values' && line.name === 'v2').y.at(-1) === 100"
    )
    wait_until(page, all_v2, timeout=5000)
    assert line(page, "share", "values", "v1")["y"][-1] == 0
    assert line(page, "share", "asked", "v2")["y"][-1] == 100
    wait_until(page, running("v1"), timeout=5000)
    expect(page.locator(f"{LIVE} .change")).to_have_text(re.compile(r"22 % → 100 %: seen after \d+ ms"))
    assert re.search(r"(\d+ ms|\d changes)$", marks(page)[-1])


def test_a_drag_is_one_change_and_one_from_elsewhere_does_not_tear_the_slider_away(
    page: Page, slider: Any, lab: Lab
) -> None:
    before, route = lab.weights(), version_of_route(lab)
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=6)
    page.wait_for_timeout(600)
    held = slider.input_value()
    assert (lab.weights(), version_of_route(lab)) == (before, route)
    lab.set_weights({"name-v2": 5})
    wait_for_weight(page, 0.05)
    assert slider.input_value() == held
    page.mouse.up()
    wait_for_weight(page, int(held) / 100)
    assert lab.weights()["name-v2"] == int(held)
    expect(page.locator(f"{LIVE} .change")).to_contain_text(f"5 % → {held} %")


def test_a_change_from_elsewhere_moves_the_slider_and_is_not_echoed(
    page: Page, slider: Any, lab: Lab
) -> None:
    lab.set_weights({"name-v2": 37})
    before = version_of_route(lab)
    expect(slider).to_have_value("37", timeout=3000)
    page.wait_for_timeout(1000)
    assert version_of_route(lab) == before
    expect(page.locator(f"{LIVE} .change")).to_contain_text("from elsewhere")


def test_buttons_set_the_weight_and_the_pods_third_stands_beside_it(page: Page, lab: Lab) -> None:
    for name, share in (("Promote", 1), ("Roll back", 0), ("50/50", 0.5), ("Canary 10 %", 0.1)):
        press(page, name)
        wait_for_weight(page, share)
        assert lab.weights()["name-v2"] == 100 * share
    expect(page.locator(f"{LIVE} .pods")).to_have_text("Without weights, by the pods: v1 66.7 %, v2 33.3 %.")
    assert line(page, "share", "pods", "v2")["y"] == [33.3, 33.3]


def test_frames_and_messages_stay_within_what_they_may_cost(opened: tuple[Page, Messages]) -> None:
    page, messages = opened
    page.locator(f"{LIVE} select").select_option("50")  # as a learner's begins
    drawn, before, size, began = frames_drawn(page), messages.number, messages.size, time.monotonic()
    page.wait_for_timeout(4000)
    took = time.monotonic() - began
    rate = (frames_drawn(page) - drawn) / took
    number, volume = (messages.number - before) / took, (messages.size - size) / took / 1000
    delays = sorted(page.evaluate(SLIDER_TO_PICTURE, value) for value in range(20, 90, 5))
    print(
        f"{rate:.1f} frames/s, {number:.1f} messages/s, {volume:.1f} kB/s; "
        f"slider to picture p50 {delays[7]:.0f} ms, largest {delays[-1]:.0f} ms"
    )
    assert rate > 0  # how many, and how soon, scripts/bench measures
    assert number <= 15
    assert volume <= 20


def test_a_tab_asleep_gets_nothing_and_comes_back_with_one_snapshot(opened: tuple[Page, Messages]) -> None:
    page, messages = opened
    page.locator(f"{LIVE} select").select_option(str(RATE))
    page.evaluate("""() => {
        window.awake = window.requestAnimationFrame;
        window.waiting = [];
        window.requestAnimationFrame = (then) => window.waiting.push(then);
    }""")
    page.wait_for_timeout(3500)
    number, size = messages.number, messages.size
    page.wait_for_timeout(2000)
    assert messages.number == number
    page.evaluate("window.requestAnimationFrame = window.awake; window.waiting.forEach(window.awake)")
    frames = frames_drawn(page)
    wait_until(page, f"document.querySelector('{LIVE}').dataset.frames > {frames + 2}", timeout=5000)
    assert messages.size - size < 100_000  # one snapshot of a minute is a tenth of that
    assert len(line(page, "share", "values", "v2")["x"]) >= 5


def test_pause_clear_and_another_rate(page: Page) -> None:
    press(page, "Pause")
    expect(page.locator(LIVE).get_by_role("button", name="Continue")).to_be_visible()
    caption = page.locator(f"{LIVE} caption")
    page.wait_for_timeout(1500)
    still = caption.inner_text()
    page.wait_for_timeout(1200)
    assert caption.inner_text() == still
    press(page, "Clear")
    expect(caption).to_have_text("Since the last change: 0 answers")
    assert line(page, "share", "values", "v2")["x"] == []
    assert marks(page) == []
    press(page, "Continue")
    expect(caption).not_to_have_text("Since the last change: 0 answers")
    page.locator(f"{LIVE} select").select_option("100")
    speed = page.locator(f"{LIVE} .speed")
    press(page, "Clear")
    expect(speed).to_have_text(re.compile(r"^(9\d|10\d)(\.\d)? requests/s"), timeout=8000)
    page.locator(f"{LIVE} select").select_option(str(RATE))


@pytest.fixture
def three_versions(lab: Lab) -> Iterator[None]:
    lab.apply("deploy/v3-faulty")
    route = [
        {"destination": {"host": "name", "subset": f"name-v{i}"}, "weight": weight}
        for i, weight in ((1, 60), (2, 30), (3, 10))
    ]
    lab.cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"http": [{"route": route}]}})
    yield
    lab.begin("weight-lab", reset=True)


@pytest.mark.usefixtures("three_versions")
def test_three_versions_have_linked_sliders(page: Page, lab: Lab) -> None:
    slider = page.get_by_role("slider", name="Weight of v3")
    expect(slider).to_have_value("10", timeout=8000)
    slider.focus()
    slider.press("End")
    wait_for_weight(page, 1)
    expect(page.get_by_role("slider", name="Weight of v1")).to_have_value("0")
    page.get_by_role("slider", name="Weight of v1").press("PageUp")
    wait_for_weight(page, 0.9)
    page.get_by_role("slider", name="Weight of v2").press("PageUp")
    wait_for_weight(page, 0.81)
    assert lab.weights() == {"name-v1": 9, "name-v2": 10, "name-v3": 81}
    expect(slider).to_have_value("81")
    row = page.locator(f"{LIVE} tbody tr").filter(has_text="v3")
    expect(row.locator("td").last).not_to_have_text("0", timeout=8000)
    wait_until(page, running("v3"), timeout=5000)


def test_one_slider_is_left_when_two_versions_are(page: Page) -> None:
    expect(page.locator(f"{LIVE} input")).to_have_count(1, timeout=8000)
    expect(page.locator(f"{LIVE} tbody")).not_to_contain_text("v3", timeout=15_000)


@pytest.fixture
def as_http_route(lab: Lab) -> Iterator[None]:
    """Have an HTTPRoute speak for `name`, and no VirtualService."""
    for manifest in http_route.manifests():
        lab.cluster.apply_object(manifest)
    lab.cluster.remove(ISTIO, "VirtualService", "name")
    yield
    lab.begin("weight-lab", reset=True)


@pytest.mark.usefixtures("as_http_route")
def test_the_slider_moves_an_http_routes_weights_and_its_change_is_marked(
    page: Page, slider: Any, lab: Lab
) -> None:
    expect(slider).to_have_value("10", timeout=8000)
    slider.focus()
    slider.press("End")
    wait_for_weight(page, 1)
    assert lab.weights() == {"name-v1": 0, "name-v2": 100}
    assert str(weights.find(lab.cluster, "name")) == "HTTPRoute name"
    expect(page.locator(f"{LIVE} .change")).to_have_text(
        re.compile(r"10 % → 100 %: seen after \d+ ms"), timeout=8000
    )


def test_a_screen_reader_hears_a_sentence_every_five_seconds_at_most(page: Page) -> None:
    page.evaluate(
        f"""() => {{
            window.heard = [];
            const text = Object.getOwnPropertyDescriptor(Node.prototype, 'textContent');
            Object.defineProperty(document.querySelector('{LIVE} .spoken'), 'textContent', {{
                get: text.get,
                set(words) {{ window.heard.push(performance.now()); text.set.call(this, words); }},
            }});
        }}"""
    )
    wait_until(page, "window.heard.length >= 2", timeout=60_000)
    first, second = page.evaluate("window.heard.slice(0, 2)")
    assert second - first >= 5000
    expect(page.locator(f"{LIVE} .spoken")).to_have_text(
        re.compile(r"10 % asked for; answers: v1 [\d.]+ percent, v2 [\d.]+ percent\.")
    )


@contextmanager
def busy_cell(page: Page, jupyter: JupyterLab) -> Iterator[Locator]:
    """Have the second cell run, and yield it; afterwards the kernel is idle, whatever came of the test."""
    (jupyter.folder / GO_ON).unlink(missing_ok=True)
    run_cell(page, 1)
    cell = page.locator(".jp-Notebook .jp-Cell").nth(1)
    expect(cell.locator(".jp-InputPrompt")).to_have_text("[*]:")
    try:
        yield cell
    finally:
        (jupyter.folder / GO_ON).touch()
        wait_idle(page)


def test_the_slider_moves_while_a_cell_is_busy(page: Page, slider: Any, jupyter: JupyterLab) -> None:
    with busy_cell(page, jupyter):
        slider.focus()
        slider.press("PageUp")
        wait_for_weight(page, 0.2)


def test_a_busy_cell_says_how_long_it_runs(page: Page, jupyter: JupyterLab) -> None:
    with busy_cell(page, jupyter) as cell:
        waits = cell.locator(".kata-wait")
        expect(waits).to_have_text(re.compile(r"Running · \d+ s"), timeout=30_000)
        wait_until(page, "document.querySelector('.kata-wait progress')?.getBoundingClientRect().width > 50")
    expect(waits).to_have_count(0)


def test_a_cell_that_runs_again_has_one_working_live_lab(page: Page) -> None:
    page.evaluate(f"document.querySelector('{LIVE}').dataset.old = 'yes'")
    run_cell(page)
    wait_until(
        page,
        f"(live => live?.dataset.frames > 3 && !live.dataset.old)(document.querySelector('{LIVE}'))",
        timeout=15_000,
    )
    assert page.locator(LIVE).count() == 1


def test_two_notebooks_share_a_cluster_and_the_first_touch_may_come_while_a_cell_is_busy(
    page: Page, jupyter: JupyterLab, lab: Lab
) -> None:
    before = version_of_route(lab)
    with jupyter.page() as (other, _):
        open_notebook(other, jupyter.address, "other.ipynb")
        run_cell(other)
        with busy_cell(other, jupyter):
            wait_frames(other)
            press(other, "50/50")
            wait_for_weight(other, 0.5)
        wait_for_weight(page, 0.5)
        expect(page.locator(f"{LIVE} .change")).to_contain_text("from elsewhere")
        expect(other.locator(f"{LIVE} .change")).not_to_contain_text("from elsewhere")
        assert int(version_of_route(lab)) > int(before)
        after = version_of_route(lab)
        page.wait_for_timeout(1200)
        assert version_of_route(lab) == after
        other.evaluate(f"{SESSION}.shutdown()")


def test_a_page_loaded_again_shows_the_minute_so_far_and_is_calm_for_those_who_ask(
    page: Page, jupyter: JupyterLab
) -> None:
    page.wait_for_timeout(1500)
    save(page, "live.ipynb")
    page.emulate_media(reduced_motion="reduce")
    page.reload()
    wait_frames(page)
    assert len(line(page, "share", "values", "v2")["x"]) >= 3
    drawn, began = frames_drawn(page), time.monotonic()
    page.wait_for_timeout(4000)
    assert (frames_drawn(page) - drawn) / (time.monotonic() - began) == pytest.approx(2, abs=0.5)
    page.emulate_media(reduced_motion="no-preference")
    with busy_cell(page, jupyter):
        press(page, "Promote")
        wait_for_weight(page, 1)


def test_a_restarted_kernel_ends_the_traffic_and_the_cell_brings_it_back(
    page: Page, jupyter: JupyterLab
) -> None:
    samplers = processes(jupyter.server)["sampler"]
    with busy_cell(page, jupyter) as cell:
        waits = cell.locator(".kata-wait")
        expect(waits).to_be_visible(timeout=30_000)
        page.locator('[data-command="notebook:restart-kernel"]').first.click()
        page.locator(".jp-Dialog .jp-mod-accept").click()
        expect(waits).to_be_hidden(timeout=30_000)
    expect(page.locator(LIVE).get_by_role("slider")).to_be_hidden()
    still = page.locator("[class^=kata-still]")
    line_to_run = f"traffic = live.show(lab, rate={RATE})"
    expect(still).to_contain_text(f"run the cell with open_lab, then this one: {line_to_run}")
    page.evaluate(f"document.querySelector('{LIVE}').remove()")
    run_live(page)
    expect(still).to_be_hidden()
    press(page, "Roll back")
    wait_for_weight(page, 0)
    gone, _ = psutil.wait_procs(samplers, timeout=5)
    assert len(gone) >= 1


def test_reopened_without_its_kernel_there_is_the_still_picture(page: Page, jupyter: JupyterLab) -> None:
    press(page, "Pause")
    still = page.locator("[class^=kata-still] svg:not(svg svg)")
    expect(still).to_have_count(1, timeout=60_000)
    expect(still).to_be_hidden()
    save(page, "live.ipynb")
    page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")
    # Not by the address of the notebook, which would open it once more, behind whatever comes next.
    page.goto(jupyter.window)
    expect(still).to_be_visible(timeout=60_000)
    expect(page.get_by_text("To see it move, run the cell with open_lab")).to_be_visible()
    expect(page.get_by_text("model not found")).to_be_hidden()
    assert "Share of v1 and v2 over time" in (still.text_content() or "")


def test_without_subshells_the_live_lab_works_too(page: Page, jupyter: JupyterLab, lab: Lab) -> None:
    close_all(page)
    with comms_over_subshells(page, "disabled"):
        open_notebook(page, jupyter.address, "other.ipynb")
        run_live(page)
        assert page.evaluate(f"{SESSION}.session.kernel.commsOverSubshells") == "disabled"
        press(page, "50/50")
        wait_for_weight(page, 0.5)
        assert lab.weights()["name-v2"] == 50


@contextmanager
def comms_over_subshells(page: Page, value: str) -> Iterator[None]:
    """Give the page's new kernels another value of the setting, as the setting does, for a while."""
    of_kernels = "jupyterapp.serviceManager.kernels.commsOverSubshells"
    before = page.evaluate(of_kernels)
    page.evaluate(f"(value) => void ({of_kernels} = value)", value)
    try:
        yield
    finally:
        page.evaluate(f"(value) => void ({of_kernels} = value)", before)


def save(page: Page, name: str) -> None:
    """Save the notebook; a reload sooner finds it without outputs."""

    def is_save(response: Response) -> bool:
        return response.request.method == "PUT" and f"/api/contents/{name}" in response.url

    with page.expect_response(is_save, timeout=10_000):
        page.locator('[data-command="docmanager:save"]').first.click()


def version_of_route(lab: Lab) -> str:
    found = lab.cluster.get(ISTIO, "VirtualService", "name")
    assert found is not None
    return str(found["metadata"]["resourceVersion"])
