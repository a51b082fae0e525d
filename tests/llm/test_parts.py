"""The records of a run: what is written can be read, by older and newer releases too."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.llm.strategies import PARTS

from headwater.llm.parts import (
    OURS,
    Finish,
    FinishReason,
    Foreign,
    Part,
    Raw,
    Text,
    decode_part,
    encode_part,
    part_from,
)


@given(st.one_of(*PARTS.values()))
def test_a_part_is_what_its_record_says(part: Part) -> None:
    data = encode_part(part)
    assert decode_part(data) == part
    assert part_from(msgspec.json.decode(data)) == part
    assert b"\n" not in data


def test_every_part_is_tested() -> None:
    assert set(PARTS) == set(get_args(Part))


def test_a_record_says_no_more_than_it_has_to() -> None:
    """Tokens are many: defaults are left out."""
    assert encode_part(Text("t0", "a")) == b'{"type":"text","id":"t0","delta":"a"}'
    assert encode_part(Finish()) == b'{"type":"finish"}'


@pytest.mark.parametrize(
    ("record", "event"),
    [
        (b'{"type":"hologram","a":1}', {"type": "hologram", "a": 1}),
        (b'{"type":"text"}', {"type": "text"}),
        (b'{"a":1}', {"a": 1}),
        (b"5", 5),
        (b"1e999", "1e999"),
        (b"[" * 5000, "[" * 5000),
        (b"\xff", "\ufffd"),
    ],
    ids=["new type", "field missing", "no type", "no object", "too large", "too deep", "no text"],
)
def test_what_is_no_part_stops_nobody(record: bytes, event: Any) -> None:
    """A record of a later release, or of somebody else, is kept as what it is."""
    assert decode_part(record) == Foreign(OURS, event)


def test_fields_and_reasons_of_a_later_release() -> None:
    """A field that is not known is left out, a reason that is not known is another one."""
    assert decode_part(b'{"type":"text","id":"t","delta":"a","new":1}') == Text("t", "a")
    assert decode_part(b'{"type":"finish","reason":"bored"}') == Finish(FinishReason.OTHER)


@given(st.binary())
def test_raw_bytes_are_kept_exactly(data: bytes) -> None:
    part = decode_part(encode_part(Raw.of("openai", data)))
    assert isinstance(part, Raw)
    assert part.data == data
