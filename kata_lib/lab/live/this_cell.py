"""The cell that runs now: its id and its code."""

from typing import Any


def identity() -> str:
    """Return the cell's id, or "" where cells have none."""
    return str(_request().get("metadata", {}).get("cellId", ""))


def code() -> str:
    """Return what stands in the cell, or "" outside a notebook."""
    return str(_request().get("content", {}).get("code", ""))


def _request() -> dict[str, Any]:
    """Return the message that asked the kernel to run the cell."""
    from IPython import get_ipython

    shell = get_ipython()
    parent: dict[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return parent
