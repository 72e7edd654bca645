"""The plotly.js that the installed plotly package carries, compressed for its way to the browser."""

import gzip
from functools import cache
from importlib.resources import files


@cache
def plotly_script() -> bytes:
    """Return plotly.js, gzipped; a page asks for it once, however many widgets it shows."""
    return gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes(), compresslevel=3)
