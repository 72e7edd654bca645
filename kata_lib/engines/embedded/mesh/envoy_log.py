"""Why an Envoy rejected its configuration: REST discovery carries no reason, but Envoy's own log does."""

import re
from pathlib import Path

_REJECTED = re.compile(r"REST config for /v3/discovery:(\w+) rejected: (.*)")
_TAIL = 256 * 1024


class EnvoyLog:
    """Reads rejections from a log that Envoy appends to; each is returned once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def rejection(self, kind: str) -> str | None:
        """Return the newest reason for rejecting a kind ("clusters", ...) since the last call, or None."""
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
