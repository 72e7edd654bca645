"""The class's board as `kata class serve` serves it, in a real browser: live, in both themes, on a phone.

Screenshots land in .kata/screenshots.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx2
import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from browser.running_lab import KEPT
from kata_lib.course.outbox.messages import Counts, Hand, Prediction, Quiz, Report, Said, Verdict

LIVE_MILLISECONDS = 10_000
QUESTION = "v2 answers in ten requests"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MARKUP = "<img src=x onerror=document.title='gotcha'>"


@dataclass
class Served:
    """A board that is served, and both codes."""

    url: str
    instructors: str
    learners: str

    def learner(self, name: str) -> "Learner":
        answer = httpx2.post(f"{self.url}/api/join", json={"code": self.learners, "name": name})
        return Learner(self.url, answer.json()["token"])


@dataclass
class Learner:
    url: str
    token: str

    def tell(self, *said: Said) -> None:
        body = msgspec.json.encode({"messages": said})
        headers = {"Authorization": f"Bearer {self.token}"}
        assert httpx2.post(f"{self.url}/api/messages", content=body, headers=headers).status_code == 204


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environment = {"KATA_HOME": str(tmp_path_factory.mktemp("class")), "PYTHONUNBUFFERED": "1"}
    kata = Path(sys.executable).parent / "kata"
    command = [str(kata), "class", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        found = re.search(r"(http://\S+), .* code: (\w+)", first)
        code = re.search(r"--code (\w+)", second)
        assert found, first
        assert code, second
        yield Served(found[1], found[2], code[1])
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.fixture(scope="module")
def page(board: Served, browser: Browser) -> Iterator[Page]:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(board.url)
    page.get_by_label("The instructor's code").fill(board.instructors)
    page.get_by_role("button", name="Open the board").click()
    expect(page.get_by_role("heading", name="The class")).to_be_visible()
    yield page
    page.context.close()


def verdict(said: str, finding: str = "") -> Verdict:
    return Verdict(when=0, check="canary-10", verdict=said, finding=finding)  # type: ignore[arg-type]


def test_what_happens_is_on_the_board_without_a_reload(board: Served, page: Page) -> None:
    expect(page.locator("#join")).to_contain_text(f"kata class join {board.url} --code {board.learners}")
    ada = board.learner("Ada")
    row = page.locator("#learners tbody tr", has_text="Ada")
    expect(row).to_be_visible(timeout=LIVE_MILLISECONDS)
    ada.tell(verdict("wrong", "The weights are swapped."))
    expect(row.get_by_title("canary-10: wrong")).to_be_visible(timeout=LIVE_MILLISECONDS)
    ada.tell(verdict("wrong", "The weights are swapped."))
    stuck = page.locator("#attention li", has_text="Ada is stuck on canary-10 for less than a minute")
    expect(stuck).to_contain_text("The weights are swapped.", timeout=LIVE_MILLISECONDS)
    ada.tell(verdict("right"))
    expect(page.locator("#attention")).to_contain_text("Nobody is stuck", timeout=LIVE_MILLISECONDS)


def test_a_hand_shows_the_finding_and_the_analysis_and_stays_open(board: Served, page: Page) -> None:
    bob = board.learner("Bob")
    bob.tell(Hand(when=0, up=True, finding="canary-10: no subset", analysis="Error [IST0101]"))
    item = page.locator("#attention li", has_text="Bob raised a hand")
    expect(item).to_contain_text("canary-10: no subset", timeout=LIVE_MILLISECONDS)
    item.get_by_text("kata analyze").click()
    board.learner("Cy").tell(verdict("right"))
    expect(page.locator("#learners tbody tr", has_text="Cy")).to_be_visible(timeout=LIVE_MILLISECONDS)
    expect(item.get_by_text("Error [IST0101]")).to_be_visible()


def test_the_classs_numbers_are_bars_and_what_is_expected_waits(board: Served, page: Page) -> None:
    for number, name in enumerate(("Dan", "Eve", "Flo")):
        learner = board.learner(name)
        learner.tell(Counts(when=0, requests=10, versions={"v1": 10 - number, "v2": number}))
        learner.tell(Prediction(when=0, question=QUESTION, value=number))
    few = page.locator("#few")
    expect(few.get_by_label("2: 1")).to_be_visible(timeout=LIVE_MILLISECONDS)
    part = page.locator("#predictions > div", has_text=QUESTION)
    expect(part.locator("meter")).to_have_count(3, timeout=LIVE_MILLISECONDS)
    expect(part).not_to_contain_text("Expected")
    page.get_by_label("What is expected").check()
    expect(part).to_contain_text("Expected: ")


def test_the_quiz_has_both_times_and_its_key_waits(board: Served, page: Page) -> None:
    page.get_by_label("What is expected").uncheck()
    ada = board.learner("Ada of the quiz")
    ada.tell(
        Quiz(when=0, part="before", answers={"pods": "b"}), Quiz(when=0, part="after", answers={"pods": "c"})
    )
    expect(page.locator("#gained")).to_contain_text("had 0, then 1 of 8 right", timeout=LIVE_MILLISECONDS)
    first = page.locator("#quiz > div").first
    expect(first.get_by_role("row", name="c a third")).to_contain_text("1 (100 %)")
    expect(page.locator("#quiz .right")).to_have_count(0)
    page.get_by_label("What is expected").check()
    expect(first.locator(".right")).to_contain_text("c a third")


def test_what_a_learner_writes_is_text(board: Served, page: Page) -> None:
    board.learner(MARKUP).tell(Hand(when=0, up=True, finding=MARKUP, analysis=MARKUP))
    expect(page.locator("#attention li button", has_text=MARKUP)).to_be_visible(timeout=LIVE_MILLISECONDS)
    assert page.locator("#learners img, #attention img").count() == 0
    assert page.title() == "The class's board"


def test_names_are_hidden_by_a_tick(page: Page) -> None:
    page.get_by_label("Names").uncheck()
    expect(page.locator("#learners")).not_to_contain_text("Ada")
    expect(page.locator("#attention")).not_to_contain_text("Bob")
    expect(page.locator("#learners")).to_contain_text("Learner 1")
    page.get_by_label("Names").check()


@pytest.fixture(scope="module")
def projector(board: Served, page: Page) -> Page:
    opened = page.context.new_page()
    opened.goto(f"{board.url}/projector")
    return opened


@pytest.fixture(scope="module")
def own_page(board: Served, browser: Browser) -> Iterator[Page]:
    """A learner's own page in a browser of theirs."""
    gus = board.learner("Gus")
    headers = {"Authorization": f"Bearer {gus.token}"}
    key = httpx2.post(f"{board.url}/api/me/key", headers=headers).json()["key"]
    opened = browser.new_page()
    opened.goto(f"{board.url}/me?key={key}")
    expect(opened.get_by_role("heading", name="Gus")).to_be_visible()
    yield opened
    opened.close()


def test_what_is_set_for_all_is_seen_by_all(page: Page, projector: Page, own_page: Page) -> None:
    page.get_by_label("Wait here until all are at").select_option("canary-10")
    page.get_by_role("button", name="Set the gate").click()
    page.get_by_label("Timer, in minutes").fill("4")
    page.get_by_role("button", name="Start the timer").click()
    page.get_by_label("Message to all").fill(MARKUP)
    page.get_by_role("button", name="Send", exact=True).click()
    for other in (projector, own_page):
        expect(other.locator("#gate")).to_contain_text("are there.", timeout=LIVE_MILLISECONDS)
        expect(other.locator("#message")).to_have_text(MARKUP, timeout=LIVE_MILLISECONDS)
        expect(other.locator("#timer")).to_contain_text("3:", timeout=LIVE_MILLISECONDS)
    page.get_by_role("button", name="Open the gate").click()
    for other in (projector, own_page):
        expect(other.locator("#gate")).to_be_hidden(timeout=LIVE_MILLISECONDS)


def test_the_projector_shows_a_prediction_before_and_after_the_truth(page: Page, projector: Page) -> None:
    part = page.locator("#predictions > div", has_text=QUESTION)
    part.get_by_role("button", name="On the projector").click()
    chosen = projector.locator("#chosen")
    expect(chosen).to_contain_text(QUESTION, timeout=LIVE_MILLISECONDS)
    expect(chosen).not_to_contain_text("Expected")
    part.get_by_role("button", name="Show the truth there").click()
    expect(chosen).to_contain_text("Expected: 1", timeout=LIVE_MILLISECONDS)
    expect(projector.locator("body")).not_to_contain_text("Ada")


def test_a_reset_is_offered_to_one_and_a_report_has_no_script(
    board: Served, page: Page, own_page: Page
) -> None:
    board.learner("Hal").tell(Report(when=0, page="<title>r</title><script>document.title='gotcha'</script>"))
    page.locator("#learners").get_by_role("button", name="Gus").click()
    page.get_by_label("Offer to reset a step").select_option("02-canary")
    page.get_by_role("button", name="Offer", exact=True).click()
    expect(own_page.locator("#offer")).to_contain_text("reset 02-canary", timeout=LIVE_MILLISECONDS)
    row = page.locator("#learners tbody tr", has_text="Gus")
    expect(row).to_contain_text("reset of 02-canary: offered", timeout=LIVE_MILLISECONDS)
    with page.expect_popup() as report:
        page.locator("#learners tbody tr", has_text="Hal").get_by_role("link", name="report").click()
    assert report.value.title() == "r"
    report.value.close()


def test_pages_fit_a_phone_and_both_themes(page: Page, projector: Page, own_page: Page) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    for name, shown in (("board", page), ("board-projector", projector), ("board-own", own_page)):
        for size, width in (("", 1280), ("-phone", 390)):
            shown.set_viewport_size({"width": width, "height": 900})
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
            for scheme in THEMES:
                shown.emulate_media(color_scheme=scheme)
                shown.screenshot(path=KEPT / f"{name}{size}-{scheme}.png", full_page=True)


def test_another_browser_is_asked_for_the_code(board: Served, browser: Browser) -> None:
    other = browser.new_page()
    other.goto(board.url)
    expect(other.get_by_label("The instructor's code")).to_be_visible()
    assert other.request.get(f"{board.url}/api/board").status == 403
    other.close()
