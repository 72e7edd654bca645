"""The main job without a browser, and its report in one: it is whole, and asks nothing of the network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from kata_lib.cli import headless
from kata_lib.course import notebooks


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run that was right from beginning to end."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("KATA_HOME", str(home))
        patch.setenv("KATA_NAME", "main")
        file = tmp_path_factory.mktemp("report") / "report.html"
        assert headless.run(file)
    assert [path.name for path in home.glob("*/*")] == ["logs"]
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
    names = [source.stem for source in notebooks.sources()]
    assert [page.locator("article").nth(i).get_attribute("id") for i in range(len(names))] == names
    assert page.locator("figure svg").count() >= 5
    for picture in page.locator("figure svg").all():
        assert picture.bounding_box()["width"] > 300  # type: ignore[index]
        assert len(picture.locator("title").first.text_content() or "") > 40
    assert page.locator("nav tbody tr").count() == 7
