"""Protobuf's wire format, as it is written: https://protobuf.dev/programming-guides/encoding/."""

from functools import lru_cache


def field(number: int, value: str | bytes) -> bytes:
    """Return a field whose value has a length: a text, bytes, or a message that is written already."""
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


@lru_cache(256)  # tags, and the lengths of short texts: asked for 60,000 times a document
def varint(value: int) -> bytes:
    """Return a number that is not negative."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
