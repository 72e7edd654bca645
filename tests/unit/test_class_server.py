"""The board over HTTP: who gets in, who sees and writes what, and what outlives a restart."""

import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from class_server import Client, Served, get, post, served

from kata_lib.classroom import server, store, streams
from kata_lib.classroom.admission import codes
from kata_lib.course.outbox import messages
from kata_lib.course.outbox.messages import Answer, Hand, Prediction, Report, Said, Verdict

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
    answer = post(f"{board.url}/api/join", json={"code": board.learners_code, "name": name})
    assert answer.status_code == 200, answer.text
    return Client(
        base_url=board.url, headers={"Authorization": f"Bearer {answer.json()['token']}"}, timeout=10
    )


def log_in(board: Served) -> httpx2.Client:
    """Return an instructor's browser."""
    browser = Client(base_url=board.url)
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
        again = get(f"{board.url}/api/me", headers={"Authorization": token})
        assert again.json()["name"] == "Ada"


def test_the_file_is_its_owners_alone_and_holds_no_token(file: Path) -> None:
    with served(file) as board:
        token = join(board).headers["Authorization"].removeprefix("Bearer ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert token.encode() not in b"".join(part.read_bytes() for part in file.parent.iterdir())


@pytest.mark.parametrize("code", ["", "wrong", "x" * 10_000])
def test_a_wrong_code_lets_nobody_in(board: Served, code: str) -> None:
    refused = post(f"{board.url}/api/join", json={"code": code, "name": "Eve"})
    assert (refused.status_code, refused.json()["error"]) == (
        403,
        "This is not the learners' code. It stands on the board.",
    )
    assert post(f"{board.url}/login", data={"code": code}).status_code == 403
    assert seen(log_in(board))["learners"] == []


def test_the_learners_code_is_not_the_instructors(board: Served) -> None:
    assert post(f"{board.url}/login", data={"code": board.learners_code}).status_code == 403


def test_whoever_tries_codes_is_stopped_even_with_the_right_one(board: Served) -> None:
    tries = [
        post(f"{board.url}/login", data={"code": str(n)}).status_code for n in range(codes.WRONG_CODES + 1)
    ]
    assert tries == [403] * codes.WRONG_CODES + [429]
    assert post(f"{board.url}/login", data={"code": board.instructors_code}).status_code == 429


@pytest.mark.parametrize("path", ["/api/board", "/api/codes"])
def test_a_learner_sees_no_board(board: Served, path: str) -> None:
    assert join(board).get(path).status_code == 403
    assert get(f"{board.url}{path}").status_code == 403


def test_a_learner_makes_no_codes(board: Served) -> None:
    assert join(board).post("/api/codes/learner").status_code == 403


def test_a_learner_reads_and_writes_nobody_elses(board: Served) -> None:
    ada, eve = join(board, "Ada"), join(board, "Eve")
    tell(ada, WRONG)
    mine = eve.get("/api/me").json()
    assert (mine["name"], mine["messages"]) == ("Eve", [])
    forged = {"messages": [{"type": "verdict", "when": 0, "check": "c", "verdict": "right", "learner": 1}]}
    assert eve.post("/api/messages", json=forged).status_code == 400
    assert [row["verdicts"] for row in seen(log_in(board))["learners"]] == [{"canary-10": "wrong"}, {}]


def test_without_a_token_nothing_is_told(board: Served) -> None:
    refused = tell(Client(base_url=board.url), WRONG)
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
    old = post(f"{board.url}/api/join", json={"code": board.learners_code, "name": "Eve"})
    assert old.status_code == 403
    assert post(f"{board.url}/api/join", json={"code": new, "name": "Ada"}).status_code == 200


def test_a_new_instructors_code_logs_everyone_out(board: Served) -> None:
    browser = log_in(board)
    assert browser.post("/api/codes/instructor").status_code == 200
    assert browser.get("/api/codes").status_code == 403


@pytest.mark.parametrize("name", ["", "  ", "Ada\u202eevE", "Ada\nEve", "x" * 101, 7])
def test_a_name_is_one_line_that_reads_as_it_is_written(board: Served, name: object) -> None:
    refused = post(f"{board.url}/api/join", json={"code": board.learners_code, "name": name})
    assert refused.status_code == 400
    assert refused.json()["error"].startswith(("A name is one line", "This cannot be read"))


def test_whoever_asks_gets_all_that_is_kept_of_them(board: Served) -> None:
    learner = join(board)
    tell(learner, WRONG)
    order(log_in(board), type="offer", learner=1, step="02-canary")
    mine = learner.get("/api/me").json()
    assert mine["messages"] == [{"type": "verdict", **msgspec.to_builtins(WRONG)}]
    assert mine["offered"] == {"offer": {"number": 1, "step": "02-canary"}, "accepted": None}
    assert mine["joined"] > 0


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


# What the instructor sets


def order(browser: httpx2.Client, **content: object) -> httpx2.Response:
    return browser.post("/api/orders", json=content)


def told(learner: httpx2.Client) -> Board:
    """Return what a learner is told first."""
    with learner.stream("GET", "/api/mine") as stream:
        assert stream.status_code == 200
        line = next(line for line in stream.iter_lines() if line.startswith("data: "))
        found: Board = msgspec.json.decode(line.removeprefix("data: "))
        return found


RIGHT = Verdict(when=0, check="canary-10", verdict="right")


def test_what_is_set_for_all_outlives_a_restart(file: Path) -> None:
    with served(file) as board:
        learner, browser = join(board), log_in(board)
        for content in (
            {"type": "gate", "check": "canary-10"},
            {"type": "timer", "seconds": 600},
            {"type": "message", "text": "Hello"},
            {"type": "offer", "learner": 1, "step": "02-canary"},
        ):
            assert order(browser, **content).status_code == 204
        token = learner.headers["Authorization"]
    with served(file) as board:
        found = told(Client(base_url=board.url, headers={"Authorization": token}))
        assert (found["gate"]["check"], found["message"]["text"]) == ("canary-10", "Hello")
        assert 0 < found["timer"]["left"] <= 600
        assert found["offer"] == {"number": 1, "step": "02-canary"}


def test_a_gate_opens_by_itself_when_all_are_there(board: Served) -> None:
    ada, bob, browser = join(board, "Ada"), join(board, "Bob"), log_in(board)
    order(browser, type="gate", check="canary-10")
    tell(ada, RIGHT)
    assert told(ada)["gate"] | {"id": ""} == {"id": "", "check": "canary-10", "here": 1, "of": 2}
    tell(bob, RIGHT)
    assert told(ada)["gate"] is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"type": "gate", "check": "none"}, "There is no check 'none'; there are: "),
        ({"type": "offer", "learner": 1, "step": "none"}, "There is no step 'none'; there are: "),
        ({"type": "project", "question": "none"}, "There is no question 'none'; there are: "),
        ({"type": "timer", "seconds": 1e9}, "This cannot be read: "),
        ({"type": "message", "text": "x" * 501}, "This cannot be read: "),
        ({"type": "run", "code": "1"}, "This cannot be read: "),
    ],
)
def test_what_cannot_be_set_is_refused(board: Served, content: Board, why: str) -> None:
    join(board)
    refused = order(log_in(board), **content)
    assert refused.status_code == 400
    assert refused.json()["error"].startswith(why)


def test_nobody_is_removed_or_helped_who_is_not_there(board: Served) -> None:
    for content in ({"type": "remove", "learner": 7}, {"type": "offer", "learner": 7, "step": "02-canary"}):
        refused = order(log_in(board), **content)
        assert (refused.status_code, refused.json()["error"]) == (404, "The class has no learner 7.")


def test_a_learner_sets_nothing_and_sees_no_projector(board: Served) -> None:
    learner = join(board)
    assert order(learner, type="message", text="I am the instructor").status_code == 403
    for path in ("/api/projected", "/api/learners/1/report"):
        assert learner.get(path).status_code == 403
    assert told(learner)["message"] is None


def test_whoever_is_removed_is_nobody_any_more(board: Served) -> None:
    learner, browser = join(board), log_in(board)
    assert order(browser, type="remove", learner=1).status_code == 204
    assert learner.get("/api/me").status_code == 401
    assert seen(browser)["learners"] == []


def test_another_sites_page_sets_nothing_with_an_instructors_cookie(board: Served) -> None:
    browser = log_in(board)
    browser.headers["Sec-Fetch-Site"] = "cross-site"
    refused = order(browser, type="message", text="Buy this")
    assert (refused.status_code, refused.json()["error"]) == (403, "Another site asked for this.")


def test_the_projector_is_sent_no_name_and_no_truth_before_it_is_time(board: Served) -> None:
    ada, browser = join(board, "Ada Lovelace"), log_in(board)
    question = "v2 answers in ten requests"
    tell(
        ada, Prediction(when=0, question=question, value=3), Hand(when=0, up=True, finding="by Ada Lovelace")
    )

    def projected() -> tuple[str, Board]:
        with browser.stream("GET", "/api/projected") as stream:
            line = next(line for line in stream.iter_lines() if line.startswith("data: "))
        return line, msgspec.json.decode(line.removeprefix("data: "))

    line, found = projected()
    assert "Ada" not in line
    assert (found["hands"], found["predictions"][0]["values"]) == (1, [3])
    assert found["predictions"][0]["expected"] is None
    order(browser, type="project", question=question, truth=True)
    assert projected()[1]["predictions"][0]["expected"] == 1


def test_an_answer_to_somebody_elses_offer_changes_nothing(board: Served) -> None:
    ada, eve, browser = join(board, "Ada"), join(board, "Eve"), log_in(board)
    order(browser, type="offer", learner=1, step="02-canary")
    tell(eve, Answer(when=0, offer=1, accepted=True))
    assert told(ada)["offer"] == {"number": 1, "step": "02-canary"}
    assert seen(browser)["learners"][0]["offered"] == {"step": "02-canary", "accepted": None}


def test_of_reports_the_last_is_kept(board: Served) -> None:
    learner, browser = join(board), log_in(board)
    for page in ("<p>first", "<p>second"):
        tell(learner, Report(when=0, page=page))
    assert browser.get("/api/learners/1/report").text == "<p>second"
    assert [message["page"] for message in learner.get("/api/me").json()["messages"]] == ["<p>second"]


def test_so_many_streams_and_no_more(board: Served) -> None:
    learner = join(board)
    with ExitStack() as open_:
        opened = [open_.enter_context(learner.stream("GET", "/api/mine")) for _ in range(streams.MOST_OF_ONE)]
        assert [stream.status_code for stream in opened] == [200] * streams.MOST_OF_ONE
        assert learner.get("/api/mine").status_code == 429


def test_of_more_messages_than_are_kept_the_oldest_go(board: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_KEPT", 3)
    learner = join(board)
    tell(learner, *(Prediction(when=0, question="q", value=number) for number in range(5)))
    assert [message["value"] for message in learner.get("/api/me").json()["messages"]] == [2, 3, 4]


def test_a_key_opens_one_learners_page_once(board: Served) -> None:
    ada = join(board, "Ada")
    key = ada.post("/api/me/key").json()["key"]
    browser = Client(base_url=board.url)
    assert browser.get("/me", params={"key": "x" + key}).status_code == 200
    assert browser.get("/api/me").status_code == 401
    assert browser.get("/me", params={"key": key}).status_code == 303
    assert browser.get("/api/me").json()["name"] == "Ada"
    assert browser.get("/api/board").status_code == 403
    assert get(f"{board.url}/me", params={"key": key}).status_code == 200
