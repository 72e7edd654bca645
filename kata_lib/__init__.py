"""The canary workshop: what a notebook needs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kata_lib.lab import Lab, open_lab

__all__ = ["Lab", "open_lab"]


def __getattr__(name: str) -> Any:
    # pandas loads with the first of these names, so that `kata url` need not wait for it.
    if name in __all__:
        from kata_lib import lab

        return getattr(lab, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
