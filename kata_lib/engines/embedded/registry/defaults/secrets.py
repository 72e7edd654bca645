"""Secrets: opaque, and what is written as text is kept as base64."""

import base64

from kata_lib.engines.embedded.store import Obj

IMMUTABLE = ("type",)


def fill(obj: Obj) -> None:
    """Add a Secret's defaults in place; `stringData` moves into `data`."""
    obj.setdefault("type", "Opaque")
    texts = obj.pop("stringData", None)
    if texts:
        data = obj.setdefault("data", {})
        data.update({key: base64.b64encode(text.encode()).decode() for key, text in texts.items()})
