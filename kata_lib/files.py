"""Files that processes share, on the standard library alone: whole ones or none, one process at a time."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_POLL_SECONDS = 0.01


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object that a file holds, or None where it is missing or half-written."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a file in one step, readable by its owner only."""
    write_text(path, json.dumps(content))


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    with replacing(path) as new:
        new.touch(0o600)
        new.write_text(text)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the place of a new file, which replaces `path` in one step, or goes where that fails."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    try:
        yield new
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def held(
    lock: Path, seconds: float, late: Exception, on_wait: Callable[[], None] = lambda: None
) -> Iterator[int]:
    """Hold a lock file while the block runs, and give its descriptor; it is free once this process has ended.

    on_wait: called once where another process has it. late: raised where that one still has it after
    `seconds`.
    """
    with os.fdopen(os.open(lock, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        if not _locked(file.fileno()):
            on_wait()
            end = time.monotonic() + seconds
            while not _locked(file.fileno()):
                if time.monotonic() > end:
                    raise late
                time.sleep(_POLL_SECONDS)
        yield file.fileno()


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
