"""Protobuf bodies: what kubectl's typed commands send becomes the object that JSON would have been."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.engines.embedded.api.protobuf import MAGIC, decode
from kata_lib.engines.embedded.registry.status import StatusError


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    pieces = bytearray()
    while number > 0x7F:
        pieces.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*pieces, number])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def body(api_version: str, kind: str, message: bytes) -> bytes:
    type_meta = field(1, api_version) + field(2, kind)
    return MAGIC + field(1, type_meta) + field(2, message)


def test_a_config_map() -> None:
    metadata = field(1, "settings") + field(2, "") + field(8, b"") + field(11, field(1, "a") + field(2, "b"))
    message = field(1, metadata) + field(2, field(1, "key") + field(2, "value"))
    assert decode(body("v1", "ConfigMap", message)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "labels": {"a": "b"}},
        "data": {"key": "value"},
    }


def test_zero_is_kept_where_it_means_something_else_than_absence() -> None:
    message = field(2, field(1, 0) + field(5, 0))
    assert decode(body("apps/v1", "Deployment", message))["spec"] == {"replicas": 0}


@given(st.integers(-(2**31), 2**31 - 1))
def test_numbers_of_any_sign(number: int) -> None:
    message = field(2, field(1, number))
    assert decode(body("apps/v1", "Deployment", message))["spec"] == {"replicas": number}


def test_inline_messages_ports_and_bytes() -> None:
    target = field(1, 1) + field(2, 0) + field(3, "http")
    service = field(2, field(1, field(3, 80) + field(4, target)))
    assert decode(body("v1", "Service", service))["spec"] == {"ports": [{"port": 80, "targetPort": "http"}]}
    secret = field(2, field(1, "key") + field(2, b"\x00\xff"))
    assert decode(body("v1", "Secret", secret))["data"] == {"key": "AP8="}
    volume = field(1, "data") + field(2, field(2, b""))
    pod = field(2, field(1, volume))
    assert decode(body("v1", "Pod", pod))["spec"]["volumes"] == [{"name": "data", "emptyDir": {}}]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{}", "not in Kubernetes' protobuf form"),
        (
            body("batch/v1", "CronJob", b""),
            "CronJob of batch/v1 is not understood as protobuf: send it as JSON",
        ),
        (body("v1", "ConfigMap", field(99, "x")), "core/v1.ConfigMap has no field 99"),
        (body("v1", "ConfigMap", field(1, 7)), "a number where text was expected"),
        (body("v1", "ConfigMap", b"\x0a\x7fabc"), "a field is longer than its message"),
        (body("v1", "ConfigMap", b"\x0b"), "wire type 3"),
    ],
)
def test_what_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(StatusError, match=words) as refused:
        decode(raw)
    assert refused.value.code == 400


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fail_otherwise(raw: bytes) -> None:
    with suppress(StatusError):
        decode(body("v1", "Pod", raw))
