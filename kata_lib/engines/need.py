"""What was found of one need: an engine's own needs and `kata doctor` speak in these."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "note", "missing"]


@dataclass(frozen=True)
class Need:
    """`status` missing: the workshop cannot run so; note: it can, but something is worth knowing.

    `command` is the exact line that provides what is missing, "" where nothing is to be done.
    """

    check: str
    status: Status
    found: str
    command: str = ""
