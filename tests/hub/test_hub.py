"""A class at a JupyterHub: two learners and an instructor, each in a browser of their own.

Of deploy/hub only the spawner differs, see jupyterhub_config.py here. Where this is root, each learner is a
Unix user of their own, and the installation is not theirs to write to.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.running_lab import JupyterLab
from browser.walking import Walk
from playwright.sync_api import Browser, Page, expect

from bench.lab_page import chromium
from hub.running_hub import INSTRUCTOR, Hub, hub
from kata_lib.files import read_json

pytestmark = pytest.mark.needs("hub", "chromium")

LIVE_MILLISECONDS = 20_000
SERVER_MILLISECONDS = 120_000
NOTEBOOK = "02-canary"
CHECKS = ("canary-10", "weights-rule")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def the_hub(browser: Browser) -> Iterator[Hub]:
    with hub(browser) as running:
        yield running


@pytest.fixture(scope="module")
def ada(the_hub: Hub) -> Page:
    return the_hub.log_in("ada")


@pytest.fixture(scope="module")
def bob(the_hub: Hub) -> Page:
    return the_hub.log_in("bob")


@pytest.fixture(scope="module")
def ines(the_hub: Hub) -> Page:
    return the_hub.log_in(INSTRUCTOR)


def until_in_lab(page: Page, name: str) -> None:
    """Wait for the JupyterLab of a server that was asked for, and leave it: a page that is open draws."""
    page.wait_for_url(f"**/user/{name}/lab**", timeout=SERVER_MILLISECONDS, wait_until="commit")
    page.goto("about:blank")


def test_one_goes_through_a_notebook_and_the_board_follows(
    the_hub: Hub, ada: Page, bob: Page, ines: Page
) -> None:
    for page in (ada, bob):
        page.goto(f"{the_hub.url}/hub/spawn", wait_until="commit")
    until_in_lab(ada, "ada")
    until_in_lab(bob, "bob")
    ines.goto(f"{the_hub.url}/services/class/")
    expect(ines.get_by_role("heading", name="The class")).to_be_visible()
    lab = JupyterLab(the_hub.workshop("ada"), f"{the_hub.url}/user/ada/lab?", 0, ada.context)
    walk = Walk(ada, lab, NOTEBOOK)
    walk.begin()
    for cell in walk.cells:
        walk.answer(cell)
        walk.go_on(cell)
        if cell.type == "code":
            assert walk.seen(cell).errors == []
    row = ines.locator("#learners tbody tr", has_text="ada")
    for check in CHECKS:
        expect(row.get_by_title(f"{check}: right")).to_be_visible(timeout=LIVE_MILLISECONDS)


def test_a_learner_reaches_neither_the_board_nor_anothers_server(the_hub: Hub, bob: Page) -> None:
    assert bob.request.get(f"{the_hub.url}/user/ada/api/contents").status == 403
    bob.goto(f"{the_hub.url}/services/class/")
    expect(bob.get_by_role("heading", name="What the board has of you")).to_be_visible()
    assert bob.request.get(f"{the_hub.url}/services/class/api/board").status == 403


def test_the_instructor_has_the_board_and_no_learners_server(the_hub: Hub, ines: Page) -> None:
    assert ines.request.get(f"{the_hub.url}/user/ada/api/contents").status == 403


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone may become two learners")
def test_a_learner_of_the_same_machine_reaches_what_docs_hub_md_names(the_hub: Hub) -> None:
    """Without systemd's rule pods and node ports are open to a machine's users; all else is not."""
    bob = (the_hub.homes / "bob").stat().st_uid
    assert bob != (the_hub.homes / "ada").stat().st_uid

    def as_bob(*command: str) -> "subprocess.CompletedProcess[str]":
        become = ["setpriv", f"--reuid={bob}", f"--regid={bob}", "--clear-groups", "--inh-caps=-all"]
        return subprocess.run([*become, *command], capture_output=True, text=True, timeout=60)

    def curl(url: str) -> str:
        answer = as_bob(
            "curl", "--insecure", "--silent", "--max-time", "20", "--write-out", "%{http_code}", url
        )
        return answer.stdout[-3:]

    cluster = the_hub.workshop("ada") / ".kata" / "kata"
    known = read_json(cluster / "daemon.json")
    assert known
    assert curl(f"{known['server']}/api/v1/namespaces/default/pods") == "403"  # as any anonymous request
    assert "Permission denied" in as_bob("cat", str(cluster / "kubeconfig")).stderr
    assert "Permission denied" in as_bob("ls", os.readlink(cluster / "run")).stderr
    sentences = subprocess.run(
        [str(Path(sys.executable).with_name("kata")), "url", "sentences"],
        env={**os.environ, "KATA_HOME": str(cluster.parent), "KATA_NAME": cluster.name},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()
    assert curl(sentences) == "200"
