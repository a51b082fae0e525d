"""Reads that are laid out as one before: the same messages as frame by frame, and none where anything differs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from headwater.protocol.websocket.layouts import MAX_BYTES, MAX_KEPT, Layouts

Messages = list[tuple[bytes, bool]]


def read(messages: Messages) -> bytes:
    """As a client sends them, each with a mask of its own."""
    kinds = {True: Opcode.TEXT, False: Opcode.BINARY}
    return b"".join(Frame(kinds[is_text], data).serialize(mask=True) for data, is_text in messages)


@given(messages=st.lists(st.tuples(st.binary(max_size=125), st.booleans()), min_size=2, max_size=6), others=st.data())
def test_the_same_as_frame_by_frame(messages: Messages, others: st.DataObject) -> None:
    """Whatever such a read says, also the same again; where it is not all ASCII it is left to who checks that."""
    layouts = Layouts()
    assert layouts.take_apart(read(messages)) is None
    layouts.keep(read(messages), messages)
    again = [(others.draw(st.binary(min_size=len(data), max_size=len(data)), "data"), kind) for data, kind in messages]
    for said in (messages, messages, again, messages):
        is_plain = all(data.isascii() for data, _ in said)
        assert layouts.take_apart(read(said)) == (tuple(said) if is_plain else None)


@pytest.mark.parametrize(
    "other",
    [
        [(b"ab", True), (b"c", True)],  # as many bytes, and other heads
        [(b"a", False), (b"bc", True)],
        [(b"a", True), (b"bcd", True)],
    ],
)
def test_another_layout(other: Messages) -> None:
    layouts = Layouts()
    layouts.keep(read([(b"a", True), (b"bc", True)]), [(b"a", True), (b"bc", True)])
    assert layouts.take_apart(read(other)) is None


def test_what_is_kept() -> None:
    """No single frame, no long one and no large read; the newest ones."""
    layouts = Layouts()
    for messages in ([(b"a", True)], [(b"a", True), (b"b" * 126, True)], [(b"a" * 120, True)] * (MAX_BYTES // 120)):
        layouts.keep(read(messages), messages)
        assert layouts.take_apart(read(messages)) is None
    for size in range(MAX_KEPT + 1):
        messages = [(b"", True), (b"x" * size, True)]
        layouts.keep(read(messages), messages)
    assert layouts.take_apart(read([(b"", True), (b"", True)])) is None
    assert layouts.take_apart(read([(b"", True), (b"x", True)])) == ((b"", True), (b"x", True))
