"""The widgets in the browser, seen from the kernel: what they said goes into a queue, frames go out.

Their other halves are in view/. Messages arrive on changing threads, so hearing them does nothing but queue
them.
"""

from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from uuid import uuid4

import anywidget
import traitlets

from kata_lib.lab.live import protocol
from kata_lib.lab.live.modules import joined
from kata_lib.lab.live.protocol import Frame, Message
from kata_lib.lab.live.settings import settings
from kata_lib.pictures import theme

_VIEW = Path(__file__).parent / "view"


class Widget(anywidget.AnyWidget):
    """What all widgets have: `inbox` holds what the browser said, and None once the widget is closed.

    frame_seconds: how often the kernel sends a frame.
    """

    _css = (_VIEW / "view.css").read_text() + theme.page_css()
    still = traitlets.Unicode().tag(sync=True)
    """What the still picture is called, which the widget hides while it is shown."""
    settings = traitlets.Dict().tag(sync=True)
    """Settings, by their fields."""

    def __init__(self, frame_seconds: float) -> None:
        self.inbox: Queue[Message | None] = Queue()
        super().__init__(still=uuid4().hex[:12], settings=protocol.plain(settings(frame_seconds)))
        self.on_msg(self._hear)

    def close(self) -> None:
        """Close the widget everywhere; whoever reads its messages is told."""
        self.inbox.put(None)
        super().close()

    def tell(self, frame: Frame) -> None:
        """Send a frame to the browser."""
        self.send(protocol.plain(frame))

    def messages(self, rest: float) -> list[Message] | None:
        """Return what the browser said, waiting at most `rest` seconds for it; None once it was closed."""
        messages: list[Message | None] = []
        with suppress(Empty):
            messages.append(self.inbox.get(timeout=max(rest, 0.001)))
            while True:
                messages.append(self.inbox.get_nowait())
        heard = [message for message in messages if message is not None]
        return heard if len(heard) == len(messages) else None

    def _hear(self, _: object, content: object, buffers: object) -> None:
        self.inbox.put(protocol.read(content))


class LabWidget(Widget):
    """Shows a live lab."""

    _esm = joined(_VIEW / "lab.js")


class GraphWidget(Widget):
    """Shows a live graph."""

    _esm = joined(_VIEW / "graph.js")


class ReleaseWidget(Widget):
    """Shows a release."""

    _esm = joined(_VIEW / "release.js")
