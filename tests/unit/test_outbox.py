"""What a kernel tells its class: nothing before it joined, and nothing is lost while the board is down."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest
from api_server import Api
from class_server import Served, served
from click.testing import CliRunner

from kata_lib import machine
from kata_lib.cli import app
from kata_lib.course import outbox, progress
from kata_lib.course.application import APPLICATION
from kata_lib.course.outbox import membership
from kata_lib.course.outbox.membership import ClassError
from kata_lib.engines.embedded import EmbeddedEngine
from kata_lib.lab.lab import Lab


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KATA_NAME", "learner")


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "class.sqlite") as board:
        yield board


def kept() -> list[str]:
    """Return the checks of the messages that the board has of this learner."""
    joined = membership.current()
    assert joined is not None
    found = msgspec.json.decode(membership.kept(joined))
    return [message.get("check") or message["type"] for message in found["messages"]]


def test_who_is_in_no_class_tells_nothing(tmp_path: Path) -> None:
    outbox.verdict("canary-10", "right", "")
    assert not outbox.hand(True)
    assert not (tmp_path / "home").exists()


def test_what_is_told_arrives_by_itself(board: Served) -> None:
    membership.join(board.url, board.learners_code, "Ada")
    outbox.verdict("canary-10", "wrong", "no subset")
    outbox.prediction("share of v2", 10)
    outbox.counts(10, {"v1": 9, "v2": 1})
    end = time.monotonic() + 20
    while len(kept()) < 3 and time.monotonic() < end:
        time.sleep(0.02)
    assert kept() == ["canary-10", "prediction", "counts"]


def test_the_file_of_the_class_is_the_learners_alone(board: Served) -> None:
    membership.join(board.url, board.learners_code, "Ada")
    assert membership.place().stat().st_mode & 0o777 == 0o600


def told_while_the_board_was_down(file: Path, messages: int) -> list[str]:
    """Return what a board has after it was down for so many messages."""
    with served(file) as board:
        joined = membership.join(board.url, board.learners_code, "Ada")
    with pytest.raises(ClassError, match=f"The board at {joined.url} does not answer: "):
        membership.kept(joined)
    for number in range(messages):
        outbox.verdict(f"check-{number}", "right", "")
    with served(file) as board:
        moved = msgspec.structs.replace(joined, url=board.url)  # it has another port now
        membership.place().write_bytes(msgspec.json.encode(moved))
        while outbox.send():
            pass
        return kept()


def test_while_the_board_is_down_nothing_is_lost(tmp_path: Path) -> None:
    found = told_while_the_board_was_down(tmp_path / "class.sqlite", 120)
    assert sorted(found) == sorted(f"check-{number}" for number in range(120))


def test_of_more_than_can_wait_the_oldest_give_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_WAITING", 3)
    found = told_while_the_board_was_down(tmp_path / "class.sqlite", 5)
    assert found == ["check-2", "check-3", "check-4"]


def test_a_long_finding_is_cut_and_arrives(board: Served) -> None:
    membership.join(board.url, board.learners_code, "Ada")
    outbox.hand(True, "x" * 100_000, "y" * 100_000)
    while outbox.send():
        pass
    assert kept() == ["hand"]


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["class", *arguments])
    return done.output if done.exit_code == 0 else str(done.exception)


def test_joining_and_leaving_by_the_command(board: Served) -> None:
    joined = said("join", board.url, "--code", board.learners_code, "--as", "Ada")
    assert joined == f"You are in the class at {board.url} as Ada. `kata class leave` leaves it.\n"
    again = said("join", board.url, "--code", board.learners_code, "--as", "Ada")
    assert again == f"You are in the class at {board.url}. `kata class leave` leaves it."
    mine = msgspec.json.decode(said("mine", "--json"))
    assert (mine["name"], mine["messages"], mine["offered"]) == ("Ada", [], None)
    assert said("leave", "--forget").endswith("It has forgotten you.\n")
    assert said("leave") == "You are in no class."


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://board", "'ftp://board' is no address of a board; expected is such as http://192.0.2.7:8780."),
        ("", "'' is no address of a board; expected is such as http://192.0.2.7:8780."),
    ],
)
def test_what_is_no_address_is_refused_by_name(url: str, why: str) -> None:
    assert said("join", url, "--code", "x", "--as", "Ada") == why


def test_a_wrong_code_and_a_missing_name_are_said(board: Served) -> None:
    refused = f"The board at {board.url} refuses. This is not the learners' code. It stands on the board."
    assert said("join", board.url, "--code", "x", "--as", "Ada") == refused
    assert said("join", board.url, "--code", "x").startswith("A name is needed: ")
    assert membership.current() is None


def test_the_first_thing_that_the_board_hears_is_what_is_done_already(board: Served) -> None:
    progress.record("deployed", "right")
    said("join", board.url, "--code", board.learners_code, "--as", "Ada")
    assert kept() == ["deployed"]


def test_another_service_is_no_board() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{other.server_port}"
        refused = f"The board at {url} refuses. HTTP 501: is this the address of a board?"
        assert said("join", url, "--code", "x", "--as", "Ada") == refused


SECRET = "xyzzy"
"""Stands where a learner's own things are: in their environment, in an object of theirs."""


def texts(value: object) -> Iterator[str]:
    """Yield every text in what a message holds."""
    match value:
        case str():
            yield value
        case dict():
            for key, one in value.items():
                yield from texts(key)
                yield from texts(one)


def test_nothing_leaves_a_kernel_but_verdicts_predictions_counts_and_what_is_sent_by_hand(
    board: Served, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_PASSWORD", SECRET)
    lab = Lab(EmbeddedEngine("learner", APPLICATION), api.cluster(), say=lambda line: None)
    lab.cluster.apply_object(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": SECRET}, "data": {"key": SECRET}}
    )
    membership.join(board.url, board.learners_code, "Ada")
    lab.predict("v2 answers in ten requests", 1)
    results = [lab.check("canary-10"), lab.check("weights-rule")]
    outbox.counts(10, {"v1": 9, "v2": 1})
    lab.raise_hand()
    lab.lower_hand()
    lab.report(str(machine.state_folder() / "report.html"))
    outbox.send_all()

    assert {(method, path) for method, path, _ in board.requests} == {
        ("POST", "/api/join"),
        ("POST", "/api/messages"),
    }
    assert all(SECRET.encode() not in body for _, _, body in board.requests)
    batches = [msgspec.json.decode(body) for _, path, body in board.requests if path == "/api/messages"]
    sent = {message["id"]: message for batch in batches for message in batch["messages"]}.values()
    assert [message["type"] for message in sent] == [
        "prediction",
        *["verdict"] * len(results),
        "counts",
        *["hand"] * 2,
    ]
    analysis = str(lab.analyze())
    known = {"Ada", "v2 answers in ten requests", "v1", "v2", "", analysis}
    known |= {text for result in results for text in (result.name, result.verdict, result.text)}
    known |= {f"{result.name}: {result.text}" for result in results}
    for message in sent:
        fields = {key: value for key, value in message.items() if key not in ("id", "type")}
        assert {text for value in fields.values() for text in texts(value)} <= known


def test_a_labs_check_and_hand_arrive(board: Served, api: Api) -> None:
    lab = Lab(EmbeddedEngine("learner", APPLICATION), api.cluster(), say=lambda line: None)
    membership.join(board.url, board.learners_code, "Ada")
    lab.predict("v2 answers in ten requests", 1)
    lab.check("canary-10")
    lab.raise_hand()
    while outbox.send():
        pass
    assert kept() == ["prediction", "canary-10", "hand"]
