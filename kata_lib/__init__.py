"""The canary workshop: what a notebook needs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kata_lib import plots
    from kata_lib.lab import Lab, open_lab

__all__ = ["Lab", "open_lab", "plots"]


def __getattr__(name: str) -> Any:
    # pandas and plotly load with the first of these names, so that `kata url` need not wait for them.
    import importlib

    if name in ("Lab", "open_lab"):
        return getattr(importlib.import_module("kata_lib.lab"), name)
    if name == "plots":
        return importlib.import_module("kata_lib.plots")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
