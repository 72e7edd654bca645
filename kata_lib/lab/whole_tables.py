"""Tables show their sentences to the end, where pandas would cut them at fifty letters."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.formatters import DisplayFormatter


def show() -> None:
    """Show tables whole from now on; outside of IPython nothing happens. Does not load pandas."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and (shell := ipython.get_ipython()):
        teach(shell.display_formatter)


def teach(display: "DisplayFormatter") -> None:
    """Have what displays values show tables whole."""
    display.formatters["text/html"].for_type_by_name("pandas", "DataFrame", _html)
    display.formatters["text/plain"].for_type_by_name("pandas", "DataFrame", _print)


def _html(table: "pd.DataFrame") -> str | None:
    """Return a table as HTML; None where pandas is set to make none."""
    import pandas as pd

    with pd.option_context("display.max_colwidth", None):
        found: str | None = table._repr_html_()  # type: ignore[operator]
        return found


def _print(table: "pd.DataFrame", printer: Any, cycle: bool) -> None:
    import pandas as pd

    with pd.option_context("display.max_colwidth", None):
        printer.text(repr(table))
