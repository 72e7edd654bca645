"""The kata command, called in this process: a Python starts for longer than most commands take."""

import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from unittest.mock import patch

from kata_lib import cli


@dataclass(frozen=True)
class Said:
    """What a command printed, what it said of its failure, and its exit code."""

    stdout: str
    stderr: str
    code: int


def kata(*words: str, **variables: str) -> Said:
    """Run a command; variables: of its environment, in which no cluster is named otherwise."""
    out, err = StringIO(), StringIO()
    with patch.dict(os.environ), patch.object(sys, "argv", ["kata", *words]):
        os.environ.pop("KATA_NAME", None)
        os.environ.update(variables)
        with redirect_stdout(out), redirect_stderr(err):
            code = _code()
    return Said(out.getvalue(), err.getvalue(), code)


def _code() -> int:
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
