"""Who keeps the pictures that are shown: a notebook's, for the report."""

from collections.abc import Callable

Keep = Callable[[str, str], None]
"""Takes a picture's alternative text and its SVG."""

_KEEPERS: list[Keep] = []


def keep(keeper: Keep) -> None:
    """Have every picture that is shown from now on given to `keeper`, in place of who had them before."""
    _KEEPERS[:] = [keeper]


def tell(alt: str, svg: str) -> None:
    """Give a picture that is shown to who keeps them."""
    for keeper in _KEEPERS:
        keeper(alt, svg)
