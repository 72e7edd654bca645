"""The `kata` command: the workshop from a terminal.

Whatever takes long to load is imported by the command that needs it, so that `kata url` answers at once.
"""

import sys

from kata_lib.cli import cluster, workshop
from kata_lib.cli.base import app
from kata_lib.errors import KataError

__all__ = ["app", "cluster", "main", "workshop"]


def main() -> None:
    """Run the command; a person's mistake is one line, not a traceback."""
    try:
        app(args=_name_first(sys.argv[1:]))
    except KataError as error:
        print(f"kata: {error}", file=sys.stderr)
        sys.exit(1)


def _name_first(arguments: list[str]) -> list[str]:
    """Return the arguments with --name in front, so that it may stand after the command as well."""
    for at, argument in enumerate(arguments):
        if argument == "--name" or argument.startswith("--name="):
            end = at + 1 if "=" in argument else at + 2
            return arguments[at:end] + arguments[:at] + arguments[end:]
    return arguments
