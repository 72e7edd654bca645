"""The learners of a class, simulated: each a stream of their own and a check every PERIOD_SECONDS."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import aiohttp
import msgspec
import psutil

from bench.board.served import served
from kata_lib.course.outbox.messages import Verdict
from kata_lib.course.progress import tables
from kata_lib.errors import KataError

PERIOD_SECONDS = 20.0
JOINING_AT_ONCE = 20
FILL_SECONDS = 2 * PERIOD_SECONDS
"""Before memory is looked at: what is loaded once is loaded."""
MEMORY_SECONDS = 5.0
ANSWER_SECONDS, LAST_SECONDS = 30.0, 5.0
LARGEST_STATE = 2**24
Said = Literal["right", "wrong", "not enough yet"]
VERDICTS: tuple[Said, ...] = get_args(Said)
CHECKS = tuple(check for step in tables.plan().values() for check in step)


@dataclass
class Learner:
    """One learner of the class; told: when the check was told, by the streams on which it is awaited."""

    name: str
    token: str
    told: dict[str, float] = field(default_factory=dict)
    last: float | None = None


@dataclass
class Noted:
    """What was measured: seconds from a check to who saw it, megabytes, and what went wrong."""

    seen: dict[str, list[float]] = field(default_factory=lambda: {"board": [], "own": []})
    told: int = 0
    failed: int = 0
    broke: int = 0
    memory: list[float] = field(default_factory=list)
    busy: float = 0.0


async def hold(learners: int, seconds: float, say: Callable[[str], None]) -> Noted:
    """Have so many learners in a class for so long, and return what was measured."""
    noted, chance = Noted(), random.Random(1)
    async with served() as board, _http(board.url) as http, _http(board.url, force_close=True) as kernels:
        say(f"{learners} learners join")
        people = await _join(kernels, board.learners, learners)
        await _log_in(http, board.instructors)
        await _fill(kernels, people, chance)
        watching = [_watch(http, "/api/board", {}, _on_the_board(people, noted))]
        watching += [_watch(http, "/api/mine", _bearer(one), _on_own(one, noted)) for one in people]
        watched = [asyncio.create_task(one) for one in watching]
        say(f"a check each every {PERIOD_SECONDS:g} s, for {seconds / 60:g} minutes")
        end = time.monotonic() + seconds
        busy = _processor(board.process)
        began = time.monotonic()
        await asyncio.gather(
            *(_learn(kernels, one, random.Random(chance.random()), end, noted) for one in people),
            _weigh(board.process, end, noted),
        )
        noted.busy = (_processor(board.process) - busy) / (time.monotonic() - began)
        await asyncio.sleep(LAST_SECONDS)
        noted.broke = sum(one.done() for one in watched)
        for one in watched:
            one.cancel()
        await asyncio.gather(*watched, return_exceptions=True)
    return noted


def _http(url: str, force_close: bool = False) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        url,
        connector=aiohttp.TCPConnector(limit=0, force_close=force_close),
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_SECONDS),
        read_bufsize=LARGEST_STATE,
    )


async def _join(http: aiohttp.ClientSession, code: str, learners: int) -> list[Learner]:
    few = asyncio.Semaphore(JOINING_AT_ONCE)

    async def join(number: int) -> Learner:
        name = f"Learner {number}"
        async with few, http.post("/api/join", json={"code": code, "name": name}) as answer:
            if answer.status != 200:
                raise KataError(f"{name} cannot join: {await answer.text()}")
            return Learner(name, (await answer.json())["token"])

    return list(await asyncio.gather(*(join(number) for number in range(1, learners + 1))))


async def _log_in(http: aiohttp.ClientSession, code: str) -> None:
    async with http.post("/login", data={"code": code}, allow_redirects=False) as answer:
        if answer.status != 303:
            raise KataError(f"The board does not open: {await answer.text()}")


def _bearer(learner: Learner) -> dict[str, str]:
    return {"Authorization": f"Bearer {learner.token}"}


async def _fill(http: aiohttp.ClientSession, people: Sequence[Learner], chance: random.Random) -> None:
    """Have everyone try every check: the board keeps the last finding of each, and is full then."""
    for learner in people:
        if not await _tell(http, learner, *(_verdict(check, "wrong", chance) for check in CHECKS)):
            raise KataError(f"The board does not take what {learner.name} tried.")


async def _learn(
    http: aiohttp.ClientSession, learner: Learner, chance: random.Random, end: float, noted: Noted
) -> None:
    """Tell of a check every PERIOD_SECONDS, the first within that time."""
    await asyncio.sleep(chance.uniform(0, PERIOD_SECONDS))
    while (now := time.monotonic()) < end:
        verdict = _verdict(chance.choice(CHECKS), chance.choice(VERDICTS), chance)
        learner.told = dict.fromkeys(noted.seen, now)
        noted.told += 1
        noted.failed += not await _tell(http, learner, verdict)
        await asyncio.sleep(max(0.0, now + PERIOD_SECONDS - time.monotonic()))


def _verdict(check: str, said: Said, chance: random.Random) -> Verdict:
    finding = f"The share is {chance.uniform(5, 40):.1f} % of 300. " + "What was found. " * 20
    return Verdict(when=time.time(), check=check, verdict=said, finding=finding)


async def _tell(http: aiohttp.ClientSession, learner: Learner, *verdicts: Verdict) -> bool:
    """Return whether the board took verdicts."""
    body = msgspec.json.encode({"messages": verdicts})
    try:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            http.post("/api/messages", data=body, headers=_bearer(learner)) as answer,
        ):
            return answer.status == 204
    except (aiohttp.ClientError, TimeoutError):
        return False


class _Rows(msgspec.Struct):
    """Of the board's state what is looked at."""

    learners: list["_Row"]


class _Row(msgspec.Struct):
    name: str
    last: float | None


async def _watch(
    http: aiohttp.ClientSession,
    path: str,
    headers: dict[str, str],
    take: Callable[[bytes], None],
) -> None:
    """Read a stream until it ends, which it should not."""
    with contextlib.suppress(aiohttp.ClientError):
        async with http.get(path, headers=headers) as stream:
            if stream.status != 200:
                return
            async for line in stream.content:
                if line.startswith(b"data: "):
                    take(line.removeprefix(b"data: "))


def _on_the_board(people: Sequence[Learner], noted: Noted) -> Callable[[bytes], None]:
    """Return what notes whose check is on the board now."""
    by_name, decoder = {one.name: one for one in people}, msgspec.json.Decoder(_Rows)

    def take(state: bytes) -> None:
        now = time.monotonic()
        for row in decoder.decode(state).learners:
            learner = by_name[row.name]
            if row.last != learner.last:
                learner.last = row.last
                _saw(learner, "board", now, noted)

    return take


def _on_own(learner: Learner, noted: Noted) -> Callable[[bytes], None]:
    return lambda state: _saw(learner, "own", time.monotonic(), noted)


def _saw(learner: Learner, who: str, now: float, noted: Noted) -> None:
    if (told := learner.told.pop(who, None)) is not None:
        noted.seen[who].append(now - told)


async def _weigh(process: psutil.Process, end: float, noted: Noted) -> None:
    """Note the memory that would be free without the board, once it is filled."""
    await asyncio.sleep(min(FILL_SECONDS, max(0.0, (end - time.monotonic()) / 2)))
    while time.monotonic() < end:
        noted.memory.append(process.memory_full_info().uss / 1e6)
        await asyncio.sleep(MEMORY_SECONDS)


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
