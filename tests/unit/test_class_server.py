"""The board over HTTP: who gets in, who sees and writes what, and what outlives a restart."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from class_server import Served, served

from kata_lib.classroom import server
from kata_lib.classroom.admission import codes
from kata_lib.course.outbox import messages
from kata_lib.course.outbox.messages import Hand, Said, Verdict

Board = dict[str, Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "class" / "class.sqlite"


@pytest.fixture
def board(file: Path) -> Iterator[Served]:
    with served(file) as board:
        yield board


def join(board: Served, name: str = "Ada") -> httpx2.Client:
    """Return a learner's connection."""
    answer = httpx2.post(f"{board.url}/api/join", json={"code": board.learners_code, "name": name})
    assert answer.status_code == 200, answer.text
    return httpx2.Client(
        base_url=board.url, headers={"Authorization": f"Bearer {answer.json()['token']}"}, timeout=10
    )


def log_in(board: Served) -> httpx2.Client:
    """Return an instructor's browser."""
    browser = httpx2.Client(base_url=board.url, timeout=10)
    answer = browser.post("/login", data={"code": board.instructors_code})
    assert answer.status_code == 303
    return browser


def tell(learner: httpx2.Client, *said: Said) -> httpx2.Response:
    return learner.post("/api/messages", content=msgspec.json.encode({"messages": said}))


def seen(browser: httpx2.Client) -> Board:
    """Return the first state of the board's stream."""
    with browser.stream("GET", "/api/board") as stream:
        assert stream.status_code == 200
        line = next(line for line in stream.iter_lines() if line.startswith("data: "))
        found: Board = msgspec.json.decode(line.removeprefix("data: "))
        return found


WRONG = Verdict(when=0, check="canary-10", verdict="wrong", finding="<script>alert(1)</script>")


def test_what_a_learner_tells_is_on_the_board(board: Served) -> None:
    assert tell(join(board), WRONG).status_code == 204
    (row,) = seen(log_in(board))["learners"]
    assert (row["name"], row["verdicts"]) == ("Ada", {"canary-10": "wrong"})


def test_an_open_stream_gets_what_happens(board: Served) -> None:
    learner, browser = join(board), log_in(board)
    with browser.stream("GET", "/api/board") as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data: "))
        assert '"hand":null' in next(lines)
        tell(learner, Hand(when=0, up=True, finding="help"))
        assert '"finding":"help"' in next(lines)


def test_a_message_sent_twice_counts_once(board: Served) -> None:
    learner = join(board)
    tell(learner, WRONG)
    tell(learner, WRONG)
    assert len(learner.get("/api/me").json()["messages"]) == 1


def test_a_restart_loses_nothing(file: Path) -> None:
    with served(file) as board:
        learner = join(board)
        tell(learner, WRONG)
        token, code = learner.headers["Authorization"], board.instructors_code
        before = seen(log_in(board))["learners"]
    with served(file) as board:
        assert board.instructors_code == code
        assert seen(log_in(board))["learners"] == before
        again = httpx2.get(f"{board.url}/api/me", headers={"Authorization": token})
        assert again.json()["name"] == "Ada"


def test_the_file_is_its_owners_alone_and_holds_no_token(file: Path) -> None:
    with served(file) as board:
        token = join(board).headers["Authorization"].removeprefix("Bearer ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert token.encode() not in b"".join(part.read_bytes() for part in file.parent.iterdir())


@pytest.mark.parametrize("code", ["", "wrong", "x" * 10_000])
def test_a_wrong_code_lets_nobody_in(board: Served, code: str) -> None:
    refused = httpx2.post(f"{board.url}/api/join", json={"code": code, "name": "Eve"})
    assert (refused.status_code, refused.json()["error"]) == (
        403,
        "This is not the learners' code. It stands on the board.",
    )
    assert httpx2.post(f"{board.url}/login", data={"code": code}).status_code == 403
    assert seen(log_in(board))["learners"] == []


def test_the_learners_code_is_not_the_instructors(board: Served) -> None:
    assert httpx2.post(f"{board.url}/login", data={"code": board.learners_code}).status_code == 403


def test_whoever_tries_codes_is_stopped_even_with_the_right_one(board: Served) -> None:
    tries = [
        httpx2.post(f"{board.url}/login", data={"code": str(n)}).status_code
        for n in range(codes.WRONG_CODES + 1)
    ]
    assert tries == [403] * codes.WRONG_CODES + [429]
    assert httpx2.post(f"{board.url}/login", data={"code": board.instructors_code}).status_code == 429


@pytest.mark.parametrize("path", ["/api/board", "/api/codes"])
def test_a_learner_sees_no_board(board: Served, path: str) -> None:
    assert join(board).get(path).status_code == 403
    assert httpx2.get(f"{board.url}{path}").status_code == 403


def test_a_learner_makes_no_codes(board: Served) -> None:
    assert join(board).post("/api/codes/learner").status_code == 403


def test_a_learner_reads_and_writes_nobody_elses(board: Served) -> None:
    ada, eve = join(board, "Ada"), join(board, "Eve")
    tell(ada, WRONG)
    assert eve.get("/api/me").json() == {"name": "Eve", "messages": []}
    forged = {"messages": [{"type": "verdict", "when": 0, "check": "c", "verdict": "right", "learner": 1}]}
    assert eve.post("/api/messages", json=forged).status_code == 400
    assert [row["verdicts"] for row in seen(log_in(board))["learners"]] == [{"canary-10": "wrong"}, {}]


def test_without_a_token_nothing_is_told(board: Served) -> None:
    refused = tell(httpx2.Client(base_url=board.url), WRONG)
    assert (refused.status_code, refused.json()["error"]) == (401, "Nobody of this class has this token.")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"messages": [{"type": "screen", "when": 0}]}',
        b'{"messages": [{"type": "verdict", "when": 0, "check": "c", "verdict": "superb"}]}',
        b'{"messages": [{"type": "prediction", "when": 0, "question": "q", "value": -1}]}',
        b'{"messages": [{"type": "counts", "when": 0, "requests": 10, "versions": {"v1": 1e99}}]}',
        msgspec.json.encode({"messages": [WRONG] * (messages.MOST_AT_ONCE + 1)}),
        msgspec.json.encode({"messages": [{"type": "hand", "when": 0, "up": True, "finding": "x" * 4_001}]}),
    ],
)
def test_what_is_no_message_is_refused_and_not_kept(board: Served, body: bytes) -> None:
    learner = join(board)
    refused = learner.post("/api/messages", content=body)
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("This cannot be read: ")
    assert learner.get("/api/me").json()["messages"] == []


def test_more_than_a_request_may_carry_is_refused(board: Served) -> None:
    assert join(board).post("/api/messages", content=b"x" * (messages.MOST_BYTES + 1)).status_code == 413


def test_too_many_requests_wait(board: Served) -> None:
    learner = join(board)
    answers = [tell(learner).status_code for _ in range(server.REQUESTS + 1)]
    assert answers == [204] * server.REQUESTS + [429]
    assert tell(join(board, "Bob")).status_code == 204


def test_a_new_code_ends_the_old_one(board: Served) -> None:
    browser = log_in(board)
    new = browser.post("/api/codes/learner").json()["learner"]
    old = httpx2.post(f"{board.url}/api/join", json={"code": board.learners_code, "name": "Eve"})
    assert old.status_code == 403
    assert httpx2.post(f"{board.url}/api/join", json={"code": new, "name": "Ada"}).status_code == 200


def test_a_new_instructors_code_logs_everyone_out(board: Served) -> None:
    browser = log_in(board)
    assert browser.post("/api/codes/instructor").status_code == 200
    assert browser.get("/api/codes").status_code == 403


def test_whoever_asks_is_forgotten(board: Served) -> None:
    learner, browser = join(board), log_in(board)
    tell(learner, WRONG)
    assert learner.delete("/api/me").status_code == 204
    assert learner.get("/api/me").status_code == 401
    assert seen(browser)["learners"] == []


@pytest.mark.parametrize(
    "ask", [lambda b: b.get("/"), lambda b: b.get("/page/board.js"), lambda b: b.get("/x")]
)
def test_every_answer_says_that_no_other_script_runs(
    board: Served, ask: Callable[[httpx2.Client], httpx2.Response]
) -> None:
    answer = ask(log_in(board))
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "inline" not in answer.headers["Content-Security-Policy"]
