"""What a kernel hears from its class: only a gate is awaited, by a person, for a while."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest
from api_server import Api
from class_server import Client, Served, get, served
from click.testing import CliRunner

from kata_lib.cli import app
from kata_lib.course import inbox, outbox
from kata_lib.course.application import APPLICATION
from kata_lib.course.inbox import Listener, told
from kata_lib.course.inbox.told import Told
from kata_lib.course.outbox import membership
from kata_lib.course.outbox.membership import ClassError
from kata_lib.course.outbox.messages import Prediction
from kata_lib.engines.embedded import EmbeddedEngine
from kata_lib.errors import KataError
from kata_lib.lab import class_notices
from kata_lib.lab.activity import displays
from kata_lib.lab.class_notices import Notices
from kata_lib.lab.lab import Lab

SECONDS = 20.0


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KATA_NAME", "learner")


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "class.sqlite") as board:
        membership.join(board.url, board.learners_code, "Ada")
        yield board


@contextmanager
def log_in(board: Served) -> Iterator[httpx2.Client]:
    with Client(base_url=board.url) as browser:
        browser.post("/login", data={"code": board.instructors_code})
        yield browser


def order(board: Served, **content: object) -> None:
    """Have the instructor set something."""
    with log_in(board) as browser:
        answer = browser.post("/api/orders", json=content)
    assert answer.status_code == 204, answer.text


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["class", *arguments])
    return done.output if done.exit_code == 0 else str(done.exception)


def test_what_the_instructor_sets_is_heard_and_what_is_taken_back_is_gone(board: Served) -> None:
    listener = Listener()
    listener.listen()
    until(lambda: listener.told)
    order(board, type="message", text="We meet at eleven.")
    order(board, type="timer", seconds=300)
    until(lambda: listener.told and listener.told.message and listener.told.timer)
    assert listener.told is not None
    assert listener.told.message is not None
    assert listener.told.timer is not None
    assert listener.told.message.text == "We meet at eleven."
    assert 200 < listener.told.timer.left <= 300
    order(board, type="message", text="")
    until(lambda: listener.told and not listener.told.message)


def test_in_no_class_there_is_nothing_to_hear() -> None:
    assert inbox.heard() is None
    with pytest.raises(ClassError, match="You are in no class"):
        inbox.ask()


def test_whoever_leaves_hears_nothing_more(board: Served) -> None:
    listener = Listener()
    listener.listen()
    until(lambda: listener.told)
    membership.leave()
    order(board, type="message", text="anything")
    until(lambda: listener.told is None)


def test_a_board_that_comes_back_gets_what_it_missed(tmp_path: Path) -> None:
    file = tmp_path / "class.sqlite"
    with served(file) as board:
        joined = membership.join(board.url, board.learners_code, "Ada")
    outbox.put(lambda now: Prediction(when=now, question="q", value=1))
    listener = Listener()
    with served(file, int(joined.url.rpartition(":")[2])):
        listener.listen()
        until(lambda: b"prediction" in membership.kept(joined))


# The gate

GATE = told.Gate("1a", "canary-10", here=3, of=30)


def heard(gate: told.Gate | None = None, **besides: object) -> Told:
    content = {"name": "Ada", "steps": {}, "verdicts": {}, "predictions": {}, "gate": gate, **besides}
    return Told(**content)  # type: ignore[arg-type]


def waits(*tells: Told | None, right: bool = True, limit: float = 0.05) -> list[str]:
    """Return what is said at a gate, where the board tells these one after the other, and then the last."""
    left = list(tells)
    lines: list[str] = []
    Notices(lambda: left.pop(0) if len(left) > 1 else left[0], lines.append).wait(lambda check: right, limit)
    return lines


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_notices, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(class_notices, "AWAY_SECONDS", 0.01)


@pytest.mark.usefixtures("_quick")
def test_a_gate_is_waited_at_until_it_opens() -> None:
    assert waits(heard(GATE), heard(GATE), heard()) == ["The class goes on."]


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("after", [heard(GATE), None], ids=["its time is over", "the board is away"])
def test_a_gate_ends_by_itself(after: Told | None) -> None:
    assert waits(heard(GATE), after) == ["You go on by yourself; the class is still at this gate."]


@pytest.mark.parametrize(
    ("tells", "right"),
    [(heard(), True), (None, True), (heard(GATE), False)],
    ids=["none", "away", "not there"],
)
def test_without_a_gate_or_before_it_nobody_waits(tells: Told | None, right: bool) -> None:
    assert waits(tells, right=right, limit=1e9) == []


@pytest.mark.usefixtures("_quick")
def test_a_gate_that_was_passed_does_not_hold_again() -> None:
    lines: list[str] = []
    notices = Notices(lambda: heard(GATE), lines.append)
    notices.wait(lambda check: True, 0.01)
    notices.wait(lambda check: True, 1e9)
    assert len(lines) == 1


def test_a_person_passes_a_gate_by_interrupting() -> None:
    def interrupted() -> Told:
        if not lines and calls:
            raise KeyboardInterrupt
        calls.append(1)
        return heard(GATE)

    calls: list[int] = []
    lines: list[str] = []
    Notices(interrupted, lines.append).wait(lambda check: True, 1e9)
    assert lines == ["You go on by yourself; the class is still at this gate."]


def test_each_thing_is_shown_once_and_a_new_one_again() -> None:
    lines: list[str] = []
    tells = heard(
        GATE, message=told.Note("1", "Hello"), timer=told.Timer("2", 250.0), offer=told.Offer(7, "02-canary")
    )
    now = [tells]
    notices = Notices(lambda: now[0], lines.append)
    notices.show()
    notices.show()
    assert [line.split(":")[0] for line in lines] == [
        "Your instructor",
        "The instructor's timer",
        "The class meets at canary-10, to go on together",
        "Your instructor offers to bring back what 02-canary begins with; your objects go then. "
        "lab.accept_reset() does it, lab.decline_reset() does not. Nothing happens by itself.",
    ]
    assert "4:10 minutes" in lines[1]
    now[0] = heard(message=told.Note("3", "Hello"))
    notices.show()
    assert lines[-1] == "Your instructor: Hello"


@pytest.mark.parametrize("name", ["KATA_RESET", "CI"])
def test_where_nobody_watches_no_gate_holds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(displays, "may_ask", lambda: True)
    monkeypatch.setenv(name, "1")
    assert not class_notices._is_attended()


# Helping one


@pytest.fixture
def lab(api: Api) -> tuple[Lab, list[str]]:
    lines: list[str] = []
    return Lab(EmbeddedEngine("learner", APPLICATION), api.cluster(), say=lines.append), lines


def offered(board: Served) -> str:
    """Return the name of the offered step and what became of it, as the board has it."""
    with log_in(board) as browser, browser.stream("GET", "/api/board") as stream:
        line = next(line for line in stream.iter_lines() if line.startswith("data: "))
    (row,) = msgspec.json.decode(line.removeprefix("data: "))["learners"]
    return f"{row['offered']['step']} {row['offered']['accepted']}"


def test_a_reset_is_offered_and_declined_and_nothing_happens(
    board: Served, lab: tuple[Lab, list[str]]
) -> None:
    order(board, type="offer", learner=1, step="02-canary")
    assert offered(board) == "02-canary None"
    lab[0].cluster.apply("deploy/v1")
    before = lab[0].left_over()
    lab[0].decline_reset()
    outbox.send_all()
    assert (offered(board), lab[0].left_over()) == ("02-canary False", before)
    with pytest.raises(KataError, match="No reset is offered to you"):
        lab[0].accept_reset()


def test_a_reset_that_is_accepted_is_done_by_the_learners_own_kernel(
    board: Served, lab: tuple[Lab, list[str]]
) -> None:
    lab[0].cluster.apply("deploy/v1")
    order(board, type="offer", learner=1, step="00-setup")
    assert lab[0].left_over() != []
    lab[0].accept_reset()
    outbox.send_all()
    assert (offered(board), lab[0].left_over()) == ("00-setup True", [])


def test_a_report_goes_to_the_instructor_by_hand_alone(board: Served, lab: tuple[Lab, list[str]]) -> None:
    with log_in(board) as browser:
        place = "/api/learners/1/report"
        assert browser.get(place).status_code == 404
        lab[0].send_report()
        outbox.send_all()
        page = browser.get(place)
    assert "<title>Canary workshop: my run</title>" in page.text
    assert page.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert lab[1] == ["Your instructor gets your report, as `lab.report()` writes it."]


def test_a_report_that_is_too_large_says_so(board: Served) -> None:
    with pytest.raises(
        KataError, match=r"The report has 2,000,001 characters, and the board takes 2,000,000"
    ):
        outbox.report("x" * 2_000_001)


def test_a_learner_sees_how_they_stand(board: Served) -> None:
    outbox.verdict("canary-10", "wrong", "no subset")
    outbox.send_all()
    order(board, type="message", text="Hello")
    order(board, type="gate", check="canary-10")
    order(board, type="offer", learner=1, step="02-canary")
    shown = said("mine")
    assert "02-canary                ✗ canary-10, · weights-rule" in shown
    assert "Your instructor: Hello" in shown
    assert "The class meets at canary-10: 0 of 1 are there." in shown
    assert "A reset of 02-canary is offered: `kata class reset`, or with `--decline`." in shown


def test_a_page_of_ones_own_opens_once(board: Served) -> None:
    place = said("page").strip()
    browser = Client(follow_redirects=True)
    assert "What the board has of you" in browser.get(place).text
    assert browser.get(f"{board.url}/api/me").json()["name"] == "Ada"
    assert "The instructor's code" in get(place).text


# In a JupyterHub


def test_in_a_hub_a_kernel_is_in_the_class_by_itself_and_may_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_CLASS_URL", "http://127.0.0.1:8000/services/class/")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "token")
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    joined = membership.current()
    assert joined == membership.Membership("http://127.0.0.1:8000/services/class", "ada", "token")
    assert membership.page(joined) == "/services/class/me"
    outbox.hand(True)
    assert outbox.waiting() == 1
    said("leave")
    assert membership.current() is None
    assert not outbox.hand(True)
    assert membership.join_hubs() == joined
    assert membership.current() == joined


def test_outside_a_hub_joining_without_an_address_says_what_to_do() -> None:
    assert said("join").startswith(
        "Here is no JupyterHub with a class (KATA_CLASS_URL and JUPYTERHUB_API_TOKEN"
    )


def test_a_board_that_hangs_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener that waits for its board is a thread of its own, and whoever asks has an answer."""
    held = threading.Event()
    monkeypatch.setattr(membership, "lines", lambda joined, path: iter(held.wait, True))
    monkeypatch.setattr(membership, "current", lambda: membership.Membership("http://board", "Ada", "t"))
    listener = Listener()
    listener.listen()
    assert listener.told is None
    held.set()
