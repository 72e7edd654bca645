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
from kata_lib.course.outbox.messages import Counts, Hand, Prediction, Quiz, Said, Verdict

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
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(board.url)
    page.get_by_label("The instructor's code").fill(board.instructors)
    page.get_by_role("button", name="Open the board").click()
    expect(page.get_by_role("heading", name="The class")).to_be_visible()
    yield page
    page.close()


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
    expect(page.locator("#attention li b", has_text=MARKUP)).to_be_visible(timeout=LIVE_MILLISECONDS)
    assert page.locator("#learners img, #attention img").count() == 0
    assert page.title() == "The class's board"


def test_on_a_projector_there_are_no_names(page: Page) -> None:
    page.get_by_label("Names").uncheck()
    expect(page.locator("#learners")).not_to_contain_text("Ada")
    expect(page.locator("#attention")).not_to_contain_text("Bob")
    expect(page.locator("#learners")).to_contain_text("Learner 1")
    page.get_by_label("Names").check()


def test_it_fits_a_phone_and_both_themes(page: Page) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    for name, width in (("board", 1280), ("board-phone", 390)):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in THEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=KEPT / f"{name}-{scheme}.png", full_page=True)


def test_another_browser_is_asked_for_the_code(board: Served, browser: Browser) -> None:
    other = browser.new_page()
    other.goto(board.url)
    expect(other.get_by_label("The instructor's code")).to_be_visible()
    assert other.request.get(f"{board.url}/api/board").status == 403
    other.close()
