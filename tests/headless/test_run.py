"""The main job without a browser, and its report: it is whole, and asks nothing of the network.

A plain run takes a few notebooks, since tests/notebooks runs each of them; `scripts/test --all` takes all.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page
from random_sets import ALL

from bench.lab_page import chromium
from kata_lib.cli import headless
from kata_lib.course import notebooks
from kata_lib.course.progress import tables

SKIPPED = "07-argo-rollouts"
"""Its cluster has no Argo Rollouts."""
ALL_NAMES = [source.stem for source in notebooks.sources()]
NAMES = ALL_NAMES if ALL else [ALL_NAMES[0], "04-observe", SKIPPED]

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run that was right from beginning to end."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("KATA_HOME", str(home))
        patch.setenv("KATA_NAME", "main")
        file = tmp_path_factory.mktemp("report") / "report.html"
        assert headless.run(file, NAMES)
    assert {path.name for path in home.glob("*/*")} == {"logs"}
    return file


@pytest.fixture(scope="module")
def asked(report: Path, browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """The report in Chromium, and every address that was asked for until the page was at rest."""
    page = browser.new_page()
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(report.as_uri())
    page.wait_for_load_state("networkidle")
    yield page, addresses
    page.close()


def test_the_report_asks_for_nothing_but_itself(asked: tuple[Page, list[str]], report: Path) -> None:
    assert asked[1] == [report.as_uri()]


def test_the_report_holds_every_notebook_and_its_pictures(asked: tuple[Page, list[str]]) -> None:
    page, _ = asked
    sections = [section.get_attribute("id") for section in page.locator("section").all()]
    assert sections == ["exercise", "checks", "predictions", "pictures", *NAMES]
    drawn = [
        source for source in notebooks.sources() if source.stem in NAMES and "plots." in source.read_text()
    ]
    assert page.locator("#pictures figure svg:not(svg svg)").count() >= len(drawn) > 0
    for picture in page.locator("figure svg:not(svg svg)").all():
        assert picture.bounding_box()["width"] > 300  # type: ignore[index]
        assert len(picture.locator("title").first.text_content() or "") > 40
    assert page.locator("#exercise tbody tr").count() == 7
    right = page.locator("#checks tr", has_text="✓ right").all_inner_texts()
    assert {*" ".join(right).split()} >= {
        check for name in NAMES if name != SKIPPED for check in tables.plan()[name]
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_themes(
    report: Path, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(report.as_uri())
    for place in ("h1", "#checks td", "#checks th", "nav a", "figcaption", ".highlight"):
        assert page.evaluate(CONTRAST, place) >= 4.5, place  # WCAG 2.2, 1.4.3
    page.close()


CONTRAST = """place => {
  const light = color => {
    const parts = color.match(/[\\d.]+/g).slice(0, 3).map(Number).map(part => part / 255);
    const [r, g, b] = parts.map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const element = document.querySelector(place);
  const behind = [];
  for (let at = element; at; at = at.parentElement) behind.push(getComputedStyle(at).backgroundColor);
  const paper = behind.find(color => !/, 0\\)$/.test(color));
  const [one, other] = [light(getComputedStyle(element).color), light(paper)].sort((a, b) => b - a);
  return (one + 0.05) / (other + 0.05);
}"""
"""The contrast of an element's text with what is behind it, as WCAG 2.2 defines it."""


def test_it_is_printed_on_few_pages(report: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 5
