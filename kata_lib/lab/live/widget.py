"""The widgets in the browser, seen from the kernel: what they said goes into a queue, frames go out.

Their other halves are in view/, whose parts are joined here: a widget has one script. Messages arrive on
changing threads, so hearing them does nothing but queue them.
"""

from contextlib import suppress
from contextvars import copy_context
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

from kata_lib.lab.live.script import plotly_script
from kata_lib.pictures.plots import OTHER, STYLES

Message = dict[str, Any]
_VIEW = Path(__file__).parent / "view"
_PICTURE = ("plotly", "store", "picture", "words")


class Widget(anywidget.AnyWidget):
    """What all widgets have: `inbox` holds what the browser said, and None once the widget is closed."""

    _css = _VIEW / "view.css"
    still = traitlets.Unicode().tag(sync=True)
    """What the still picture is called, which the widget hides while it is shown."""

    def __init__(self, **traits: Any) -> None:
        self.inbox: Queue[Message | None] = Queue()
        self._heard_in = copy_context()
        super().__init__(still=uuid4().hex[:12], **traits)
        self.on_msg(self._hear)

    def close(self) -> None:
        """Close the widget everywhere; whoever reads its messages is told."""
        self.inbox.put(None)
        super().close()

    def tell(self, message: Message) -> None:
        """Send a message to the browser, as an answer to what it said last.

        ipykernel takes a browser's next word on a comm to the shell from whose context the comm sent last.
        Sent as part of a cell that runs, it would make the browser's words wait for the end of that cell.
        """
        self._heard_in.run(self.send, message)

    def messages(self, rest: float) -> list[Message] | None:
        """Return what the browser said, waiting at most `rest` seconds for it; None once it was closed."""
        messages: list[Message | None] = []
        with suppress(Empty):
            messages.append(self.inbox.get(timeout=max(rest, 0.001)))
            while True:
                messages.append(self.inbox.get_nowait())
        heard = [message for message in messages if message is not None]
        return heard if len(heard) == len(messages) else None

    def _hear(self, _: object, content: Message, buffers: object) -> None:
        self._heard_in = copy_context()
        self.inbox.put(content)


class GraphWidget(Widget):
    """Shows a live graph."""

    _esm = _VIEW / "graph.js"


def _script(*parts: str) -> str:
    return "\n".join((_VIEW / f"{part}.js").read_text() for part in parts)


class PictureWidget(Widget):
    """What the widgets with a picture by plotly have."""

    styles = traitlets.Dict().tag(sync=True)
    """How each version, and any other, looks in every picture: plots.Style, by its fields."""

    def __init__(self) -> None:
        super().__init__(styles={name: asdict(style) for name, style in {**STYLES, "other": OTHER}.items()})

    def _hear(self, _: object, content: Message, buffers: object) -> None:
        if content.get("type") == "script":
            self.send({"type": "script"}, [plotly_script()])
        else:
            super()._hear(_, content, buffers)


class LiveWidget(PictureWidget):
    """Shows a live lab."""

    _esm = _script(*_PICTURE, "controls", "view")


class ReleaseWidget(PictureWidget):
    """Shows a release."""

    _esm = _script(*_PICTURE, "release")
