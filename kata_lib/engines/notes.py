"""What an engine writes down: whole files or none, readable by their owner only."""

import json
import os
from pathlib import Path
from typing import Any


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what the file holds, or None where it is missing or half-written."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step, so that no reader sees half of it."""
    write_text(path, json.dumps(content))


def write_text(path: Path, text: str) -> None:
    """Replace the file in one step, readable by its owner only."""
    new = path.with_suffix(path.suffix + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
