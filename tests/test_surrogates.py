"""Halves of surrogate pairs: found exactly where JSON has them, and read as U+FFFD."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.conftest import Run

from headwater import Hub
from headwater.model import Record
from headwater.protocol.json_values import split_json
from headwater.protocol.sse_plain import event_name
from headwater.surrogates import json_value, mended

#: All that could be taken for an escape, or hide one.
pieces = st.lists(
    st.sampled_from(
        ["\\ud83d", "\\uDE00", "\\ude00", "\\uD83D", "\\u0041", "\\\\", "\\n", '\\"', "ud83d", "d83d", "é", "x"]
    )
)


@given(pieces.map("".join))
@example("\\\\ud83d\\ude00")
@example("\\ud83d\\\\ude00")
@example("\\ud83d\\ud83d\\ude00\\ude00")
def test_halves_are_read_as_the_replacement_character(text: str) -> None:
    """And pairs, other escapes and what only looks like one as they are; the length stays."""
    body = f'"{text}"'.encode()
    value: str = json.loads(body)
    wanted = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert json_value(body) == wanted
    assert len(mended(body)) == len(body)
    assert (mended(body) is body) is (wanted == value)
    assert split_json(body) == (body,)


def test_other_texts_are_left_alone() -> None:
    """What is wrong stays wrong: with a NUL, or without an end."""
    for text in (b'"\\ud83d\0"', b'"\\ud83', b'"\\ude0g"', b"nothing"):
        assert mended(text) is text
    for text in (b'"\\ud83d', b'"\\ud83d" 1'):
        with pytest.raises(msgspec.DecodeError):
            json_value(text)


def test_readers_get_the_bytes_that_were_sent(run: Run[None]) -> None:
    """In process, joined, and by key; only a value that is looked at has a replacement character."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="application/json")
            sent = b'{"text":"cut \\ud83d","type":"note"}'
            await hub.append("s", b"[1," + sent + b"]")
            found: list[Any] = [record async for record in hub.read("s")]
            assert [record.data for record in found] == [b"1", sent]
            assert found[1].json() == {"text": "cut \ufffd", "type": "note"}
            assert event_name(sent, "type") == b"note"
            assert Record("", b'"\\ude00"').json() == "\ufffd"

    run(main())


def test_a_string_that_is_not_utf8_is_no_json() -> None:
    with pytest.raises(msgspec.DecodeError):
        json_value(b'{"a": "\xff"}')
