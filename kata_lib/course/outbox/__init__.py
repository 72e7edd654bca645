"""What a learner's kernel tells the board of the class that it joined; nothing where it joined none.

    <state folder>/NAME.outbox.jsonl    of the cluster NAME: what was not sent yet, a message a line

A cell never waits for the board: it appends to the file, and a thread sends. What cannot be sent stays there
and goes with the next, at most MOST_WAITING of them, of which the oldest give way.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from kata_lib import engines, files, machine
from kata_lib.course import progress
from kata_lib.course.journal import Journal, JournalError
from kata_lib.course.outbox import membership, messages
from kata_lib.course.outbox.membership import ClassError, Refused
from kata_lib.course.outbox.messages import Answer, Counts, Hand, Prediction, Quiz, Report, Said, Verdict
from kata_lib.errors import KataError

MOST_WAITING = 1_000
LOCK_SECONDS = 1.0
RETRY_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0)


def verdict(check: str, said: str, finding: str, when: float | None = None) -> None:
    """Tell what a check said, now or at a time in seconds since 1970."""
    cut = finding[: messages.LONGEST_TEXT]
    put(lambda now: Verdict(when=when or now, check=check, verdict=said, finding=cut))  # type: ignore[arg-type]


def prediction(question: str, value: float) -> None:
    """Tell what was predicted, in the question's unit."""
    put(lambda now: Prediction(when=now, question=question, value=value))


def counts(requests: int, versions: Mapping[str, int]) -> None:
    """Tell how many requests of a sample each version answered."""
    put(lambda now: Counts(when=now, requests=requests, versions=dict(versions)))


def hand(up: bool, finding: str = "", analysis: str = "") -> bool:
    """Raise a hand, or take it down; return whether there is a class that sees it."""
    finding, analysis = finding[: messages.LONGEST_TEXT], analysis[: messages.LONGEST_ANALYSIS]
    return put(lambda now: Hand(when=now, up=up, finding=finding, analysis=analysis))


def quiz(part: str, answers: Mapping[str, str]) -> None:
    """Tell what was answered in the quiz "before" or "after"."""
    put(lambda now: Quiz(when=now, part=part, answers=dict(answers)))  # type: ignore[arg-type]


def answer(offer: int, accepted: bool) -> None:
    """Tell whether the reset that the instructor offered was done."""
    put(lambda now: Answer(when=now, offer=offer, accepted=accepted))


def report(page: str) -> bool:
    """Give the instructor a report, HTML; return whether there is a class. KataError for one too large."""
    size = max(len(page), len(msgspec.json.encode(page)) // 2)
    if size > messages.LONGEST_REPORT:
        raise KataError(
            f"The report has {size:,} characters, and the board takes {messages.LONGEST_REPORT:,}."
        )
    return put(lambda now: Report(when=now, page=page))


def wake() -> None:
    """Have what waits sent by and by, if anything."""
    if _place().exists() and _waiting():
        _SENDER.wake()


def waiting() -> int:
    """Return how many messages were not sent yet."""
    return len(_waiting())


def catch_up() -> None:
    """Tell what was right and answered before the class was joined; send it at once. Raises ClassError."""
    for check, done in progress.load().checks.items():
        if done.right:
            verdict(check, "right", "", done.right.timestamp())
    for part, answers in _answered().items():
        quiz(part, answers)
    send_all()


def _answered() -> Mapping[str, Mapping[str, str]]:
    try:
        return Journal().load().quiz
    except JournalError:
        return {}


def put(make: Callable[[float], Said]) -> bool:
    """Have a message sent by and by; return whether there is a class for it."""
    if membership.current() is None:
        return False
    try:
        _change(lambda waiting: [*waiting, msgspec.json.encode(make(time.time()))][-MOST_WAITING:])
    except OSError:
        return True  # a full disk is no reason for a cell to fail; the verdict is in the progress
    _SENDER.wake()
    return True


def send_all() -> None:
    """Send all that waits; raises ClassError where the board does not take it."""
    while send():
        pass


def send() -> int:
    """Send what waits, a batch; return how many are left. ClassError where the board does not take it."""
    joined, batch = membership.current(), _batch(_waiting())
    if joined is None or not batch:
        return 0
    try:
        content = {"messages": [msgspec.Raw(line) for line in batch], "sent": time.time()}
        membership.asked(joined.url, "POST", "/api/messages", joined.token, content)
    except Refused as refused:
        if refused.code not in (400, 413):
            raise
    sent = set(batch)  # what the board cannot read goes, too: it would hold up all behind it
    return len(_change(lambda now: [line for line in now if line not in sent]))


def _batch(lines: Sequence[bytes]) -> list[bytes]:
    """Return the first messages, as many as one request may carry."""
    batch, room = list[bytes](), messages.MOST_BYTES - 1_000
    for line in lines[: messages.MOST_AT_ONCE]:
        room -= len(line) + 1
        if room < 0 and batch:
            break
        batch.append(line)
    return batch


def _place() -> Path:
    return machine.state_folder() / f"{engines.cluster_name()}.outbox.jsonl"


def _waiting() -> list[bytes]:
    try:
        return _place().read_bytes().splitlines()
    except FileNotFoundError:
        return []


def _change(change: Callable[[list[bytes]], list[bytes]]) -> list[bytes]:
    """Change what waits, one process at a time, and return it; raises OSError."""
    file = _place()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    late = OSError(f"{file} is held by another process")
    with files.held(file.with_suffix(".lock"), LOCK_SECONDS, late):
        changed = change(_waiting())
        files.write_text(file, "".join(f"{line.decode()}\n" for line in changed))
    return changed


class _Sender:
    """The thread that sends; it begins with the first message, and ends with the process."""

    def __init__(self) -> None:
        self._more = threading.Event()
        self._begun = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Have what waits sent."""
        self._more.set()
        with self._begun:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="kata-outbox", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        failed = 0
        while True:
            self._more.wait()
            self._more.clear()
            try:
                send_all()
                failed = 0
            except (ClassError, OSError):
                time.sleep(RETRY_SECONDS[min(failed, len(RETRY_SECONDS) - 1)])
                failed += 1
                self._more.set()


_SENDER = _Sender()
