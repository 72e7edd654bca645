"""What kernel and browser say to each other: the same types on both sides, and what is none is refused."""

import msgspec
import protocol_types
import pytest

from kata_lib.lab.live import protocol
from kata_lib.lab.live.protocol import SetWeight
from kata_lib.lab.live.settings import Settings, settings
from kata_lib.lab.live.widget import LabWidget
from kata_lib.pictures import plots


def test_the_browser_is_checked_against_the_kernels_types() -> None:
    """Where a field changes: `python tests/unit/protocol_types.py`, and tsc names what uses the old one."""
    assert protocol_types.FILE.read_text() == protocol_types.typescript()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"type": "weight", "value": 101}, "Expected `int` <= 100 - at `$.value`"),
        ({"type": "weight", "value": "20"}, "Expected `int`, got `str` - at `$.value`"),
        ({"type": "weight"}, "Object missing required field `value`"),
        ({"type": "rate", "value": 0}, "Expected `int` >= 1 - at `$.value`"),
        ({"type": "rate", "value": 401}, "Expected `int` <= 400 - at `$.value`"),
        ({"type": "frame"}, "Invalid value 'frame' - at `$.type`"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(message: object, reason: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        protocol.read(message)
    assert str(refusal.value) == reason


def test_the_settings_say_how_versions_look_and_when_to_answer() -> None:
    lab, graph = settings(0.1), settings(2.0)
    assert lab.styles["v2"] == plots.style_of("v2")
    assert lab.other == plots.style_of("v9")
    assert (lab.silence_seconds, graph.silence_seconds) == (6.0, 8.0)


def test_the_widget_queues_what_it_hears() -> None:
    widget = LabWidget(0.1)
    widget._handle_custom_msg({"type": "weight", "value": 20}, [])
    assert widget.inbox.get_nowait() == SetWeight(20)
    assert msgspec.convert(widget.settings, Settings) == settings(0.1)
    widget.close()
    assert widget.inbox.get_nowait() is None
