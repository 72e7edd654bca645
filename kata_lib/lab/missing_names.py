"""In a notebook, a name that no cell has made yet is answered with what to do, not with a traceback.

It is what a learner meets who runs all cells and has not filled in one that waits for it.
"""

import sys
from types import TracebackType
from typing import Any

HELP = (
    "An earlier cell makes it: run the cells from the top. One that says `# your turn` waits for your code; "
    "the Solution below it shows one way."
)


def explain() -> None:
    """Answer a NameError in a cell's own lines with HELP from now on; outside of IPython nothing happens."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and (shell := ipython.get_ipython()):
        shell.set_custom_exc((NameError,), _explained)


def _explained(
    shell: Any, kind: type[NameError], error: Any, trace: TracebackType, tb_offset: int | None = None
) -> None:
    """Show an error as IPython does, one in a cell's own lines in words (see errors.KataError)."""
    frame = _innermost(trace).tb_frame
    if frame.f_code.co_name == "<module>" and frame.f_globals is shell.user_global_ns:
        error._render_traceback_ = lambda: [f"NameError: {error}. {HELP}"]
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def _innermost(trace: TracebackType) -> TracebackType:
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace
