"""The board as an instructor serves it, a process of its own on a free port of loopback."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import psutil

from kata_lib.errors import KataError

START_SECONDS, END_SECONDS = 60.0, 30.0


class Served(NamedTuple):
    """A board that is served, its two codes, and its process."""

    url: str
    instructors: str
    learners: str
    process: psutil.Process


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[Served]:
    """Serve the board on a free port of loopback, as an instructor would."""
    kata = Path(sys.executable).with_name("kata")
    process = await asyncio.create_subprocess_exec(
        kata,
        "class",
        "serve",
        "--port",
        "0",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            said = (await process.stdout.readline() + await process.stdout.readline()).decode()
        found = re.search(r"(http://\S+), .* code: (\w+)\n.*--code (\w+)", said)
        if not found:
            raise KataError(f"Expected the board's address and its codes, found {said!r}.")
        yield Served(found[1], found[2], found[3], psutil.Process(process.pid))
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
