"""The handout prints on one page of paper."""

import re

from playwright.sync_api import Browser

from browser.running_lab import KEPT
from kata_lib.machine import PROJECT


def test_the_handout_is_one_page(browser: Browser) -> None:
    page = browser.new_page()
    page.goto((PROJECT / "docs/handout.html").as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / "handout.pdf").write_bytes(printed)
    page.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
