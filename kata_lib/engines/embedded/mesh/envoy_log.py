"""Why an Envoy rejected its configuration: REST discovery carries no reason, but Envoy's own log does."""

import re
from collections.abc import Callable
from pathlib import Path

LogPath = Callable[[], Path]
"""Which file an Envoy writes now: a new one each time it is started."""

_REJECTED = re.compile(r"REST config for /v3/discovery:(\w+) rejected: (.*)")
_TAIL = 256 * 1024


class EnvoyLog:
    """Reads rejections from a log that Envoy appends to; each is returned once."""

    def __init__(self, current: LogPath) -> None:
        self._current = current
        self._path = current()
        self._offset = self._path.stat().st_size if self._path.exists() else 0

    def rejection(self, kind: str) -> str | None:
        """Return the newest reason for rejecting a kind ("clusters", ...) since the last call, or None."""
        if (path := self._current()) != self._path:
            self._path, self._offset = path, 0
        if not self._path.exists():
            return None
        with self._path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(self._offset, size - _TAIL) if self._offset <= size else 0)
            text = file.read().decode(errors="replace")
        reasons = [reason for found, reason in _REJECTED.findall(text) if found == kind]
        if not reasons:
            return None
        self._offset = size
        return " ".join(reasons[-1].split())
