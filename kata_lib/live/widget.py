"""The widget in the browser, seen from the kernel: what it said goes into a queue, frames go out.

Its other half is in view/, whose parts are joined here: a widget has one script. Messages arrive on changing
threads, so hearing them does nothing but queue them.
"""

from dataclasses import asdict
from pathlib import Path
from queue import Queue
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

from kata_lib.live.script import plotly_script
from kata_lib.plots import OTHER, STYLES

Message = dict[str, Any]
_VIEW = Path(__file__).parent / "view"
_PARTS = ("plotly", "store", "picture", "words", "controls", "view")


class LiveWidget(anywidget.AnyWidget):
    """Shows a live lab; `inbox` holds what the browser said, and None once the widget is closed."""

    _esm = "\n".join((_VIEW / f"{part}.js").read_text() for part in _PARTS)
    _css = _VIEW / "view.css"
    styles = traitlets.Dict().tag(sync=True)
    """How each version, and any other, looks in every picture: plots.Style, by its fields."""
    still = traitlets.Unicode().tag(sync=True)
    """What the still picture is called, which the widget hides while it is shown."""

    def __init__(self) -> None:
        self.inbox: Queue[Message | None] = Queue()
        styles = {name: asdict(style) for name, style in {**STYLES, "other": OTHER}.items()}
        super().__init__(styles=styles, still=uuid4().hex[:12])
        self.on_msg(self._hear)

    def close(self) -> None:
        """Close the widget everywhere; whoever reads the inbox is told."""
        self.inbox.put(None)
        super().close()

    def _hear(self, _: object, content: Message, buffers: object) -> None:
        if content.get("type") == "script":
            self.send({"type": "script"}, [plotly_script()])
        else:
            self.inbox.put(content)
