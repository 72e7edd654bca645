"""The live view of a release in a real browser: steps, shares, decisions, and buttons, by the keyboard."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bench.lab_page import Messages, run_live, wait_until
from browser.boxes import SIZES, faults, measured, show_at
from browser.running_lab import THEMES, JupyterLab
from kata_lib import delivery
from kata_lib.lab.lab import Lab

VIEW = ".kata-release"


@pytest.fixture(scope="module")
def page(window: tuple[Page, Messages], jupyter: JupyterLab) -> Iterator[Page]:
    with jupyter.opened(window[0], "release.ipynb") as page:
        run_live(page)
        yield page


def press_key(page: Page, name: str) -> None:
    button = page.locator(VIEW).get_by_role("button", name=name, exact=True)
    button.focus()
    button.press("Enter")


def test_a_release_is_watched_and_decided_by_the_keyboard(page: Page, lab: Lab) -> None:
    view = page.locator(VIEW)
    expect(view.locator(".status")).to_contain_text("Paused by the plan, step 2 of 8", timeout=30_000)
    expect(view.locator(".steps li")).to_have_text(
        [
            "setWeight 20",
            "pause",
            "setWeight 50",
            "pause",
            "analysis",
            "setWeight 100",
            "pause 5 s",
            "analysis",
        ]
    )
    expect(view.locator("[aria-current=step]")).to_have_text("pause")
    expect(view.get_by_role("button")).to_have_text(["Resume", "Promote", "Promote fully", "Abort"])
    expect(view.locator("tbody tr").first).to_contain_text(
        re.compile(r"name-v2\s*success-rate\s*\d+\s*100 %")
    )

    press_key(page, "Promote")
    expect(view.locator(".status")).to_contain_text("name-v2 50 %, name-v1 50 %", timeout=30_000)
    assert lab.weights()["name-v2"] == 50
    observed = (
        f"document.querySelector('{VIEW} .plot').lines"
        ".find((line) => line.kind === 'values' && line.name === 'name-v2').y.some((share) => share > 30)"
    )
    wait_until(page, observed, timeout=30_000)
    expect(view.locator(".legend li")).to_have_text(["name-v1", "name-v2", "asked for"])

    press_key(page, "Abort")
    expect(view.locator(".status")).to_contain_text("Degraded. name-v2 0 %", timeout=30_000)
    assert lab.weights()["name-v2"] == 0
    expect(view.get_by_role("button")).to_have_text(["Retry"])
    expect(view.locator(".decisions li").first).to_contain_text("Aborted: At a person's word.")
    said = ", ".join(view.locator(".plot .mark").all_text_contents())
    assert said == "20 %, 50 %, Aborted"


def test_what_somebody_else_decides_is_shown(page: Page, lab: Lab) -> None:
    release = delivery.find(lab.cluster, "name")
    release.retry()
    view = page.locator(VIEW)
    expect(view.locator(".status")).to_contain_text("name-v2 20 %", timeout=30_000)
    release.abort()
    expect(view.locator(".status")).to_contain_text("Degraded", timeout=30_000)
    expect(view.locator("table")).to_be_hidden(timeout=30_000)  # of what is back nothing is counted
    release.close()


@pytest.fixture(scope="module")
def going_on(page: Page) -> None:
    """The release waits at a step: there are buttons, figures and decisions, and changes close together."""
    button = page.locator(VIEW).get_by_role("button", name="Retry")
    if button.is_visible():
        button.click()
    expect(page.locator(f"{VIEW} .status")).to_contain_text("Paused by the plan", timeout=30_000)


@pytest.mark.usefixtures("going_on")
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_of_the_release_is_cut_or_overlaps(page: Page, size: str, theme: str) -> None:
    expect(page.locator(f"{VIEW} tbody tr")).to_have_count(4)
    show_at(page, VIEW, size, theme)
    assert faults(measured(page, VIEW)) == []
