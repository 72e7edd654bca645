"""The `kata` command: the workshop from a terminal.

Whatever takes long to load is imported by the command that needs it, so that `kata url` answers at once.
"""

import atexit
import gc
import sys
from itertools import islice

from kata_lib.cli import ending

if sys.argv[0] == "-m":
    ending.at_once()  # while the rest is loaded
    gc.set_threshold(50_000)  # new objects until garbage is collected: most commands end before
    atexit.register(gc.freeze)  # else the end collects once more, for an eighth of what `kata status` takes

from kata_lib.cli import classroom, cluster, exam, release, site, workshop
from kata_lib.cli.base import app
from kata_lib.errors import KataError

_COMMON = ("--name", "--engine", "--context")
_COMMON_WITH_VALUE = tuple(f"{option}=" for option in _COMMON)

__all__ = ["app", "classroom", "cluster", "exam", "main", "release", "site", "workshop"]


def main() -> None:
    """Run the command; a person's mistake is one line, not a traceback."""
    try:
        app(args=_common_first(sys.argv[1:]), prog_name="kata")
    except KataError as error:
        print(f"kata: {error}", file=sys.stderr)
        sys.exit(1)


def _common_first(arguments: list[str]) -> list[str]:
    """Return the arguments with the common options in front: they may stand after the command as well."""
    common: list[str] = []
    others: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument in _COMMON:
            common += [argument, *islice(rest, 1)]
        else:
            (common if argument.startswith(_COMMON_WITH_VALUE) else others).append(argument)
    return common + others
