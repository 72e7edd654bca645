"""The widget in the browser, seen from the kernel: what it said goes into a queue, frames go out.

Its other half is view.js. Messages arrive on changing threads, so hearing them does nothing but queue them.
"""

from pathlib import Path
from queue import Queue
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

from kata_lib.live.script import plotly_script
from kata_lib.plots import STYLES

Message = dict[str, Any]
_HERE = Path(__file__).parent


class LiveWidget(anywidget.AnyWidget):
    """Shows a live lab; `inbox` holds what the browser said, and None once the widget is closed."""

    _esm = _HERE / "view.js"
    _css = _HERE / "view.css"
    styles = traitlets.Dict().tag(sync=True)
    """How each version looks in every picture: colour and marker, in plotly's names."""
    still = traitlets.Unicode().tag(sync=True)
    """What the still picture is called, which the widget hides while it is shown."""

    def __init__(self) -> None:
        self.inbox: Queue[Message | None] = Queue()
        styles = {name: [style.color, style.symbol] for name, style in STYLES.items()}
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
