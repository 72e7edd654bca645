"""CustomResourceDefinitions: what a stored one adds to the resources that are served, and its status.

rows.py      a definition in, the rows of its versions out
formats.py   the formats of strings
stability.py the order of versions
status.py    which names a definition gets, and the conditions that say so
"""

from kata_lib.engines.embedded.registry.crds.formats import unrecognized
from kata_lib.engines.embedded.registry.crds.rows import KEY, is_provided, own, rows
from kata_lib.engines.embedded.registry.crds.status import (
    CLEANUP,
    first_status,
    is_true,
    note_stored,
    set_condition,
    settle,
)

__all__ = [
    "CLEANUP",
    "KEY",
    "first_status",
    "is_provided",
    "is_true",
    "note_stored",
    "own",
    "rows",
    "set_condition",
    "settle",
    "unrecognized",
]
