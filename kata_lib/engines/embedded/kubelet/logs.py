"""Containers' logs, read from their files."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

CHUNK = 1 << 16
FOLLOW_INTERVAL = 0.1
KEPT_PODS = 50


async def read(
    path: Path, *, tail: int | None, since: int | None, limit: int | None, follow: Callable[[], bool] | None
) -> AsyncIterator[bytes]:
    """Yield a log from its last `tail` lines on, `limit` bytes at most; while `follow()` holds, also news.

    Lines carry no time of their own: `since` (seconds) only decides whether the file changed so lately.
    """
    left = limit
    with path.open("rb") as file:
        file.seek(_begin(path, tail, since))
        while True:
            going = follow is not None and follow()
            while piece := file.read(CHUNK if left is None else min(left, CHUNK)):
                left = None if left is None else left - len(piece)
                yield piece
            if not going or left == 0:
                return
            await asyncio.sleep(FOLLOW_INTERVAL)


def _begin(path: Path, tail: int | None, since: int | None) -> int:
    found = path.stat()
    if since is not None and found.st_mtime < time.time() - since:
        return found.st_size
    return 0 if tail is None else tail_offset(path, tail)


def tail_offset(path: Path, lines: int) -> int:
    """Return where the last `lines` lines begin."""
    position = path.stat().st_size
    if not lines or not position:
        return position
    found = 0
    with path.open("rb") as file:
        file.seek(position - 1)
        found -= file.read(1) == b"\n"  # the last line's own end
        while position:
            step = min(CHUNK, position)
            position -= step
            file.seek(position)
            chunk = file.read(step)
            for index in range(step - 1, -1, -1):
                found += chunk[index] == 0x0A
                if found == lines:
                    return position + index + 1
    return 0


def prune(folder: Path, living: set[str]) -> None:
    """Remove the logs of all but the latest pods that are gone."""
    if not folder.is_dir():
        return
    gone = [path for path in folder.iterdir() if path.name not in living]
    for path in sorted(gone, key=lambda path: path.stat().st_mtime)[:-KEPT_PODS]:
        shutil.rmtree(path)
