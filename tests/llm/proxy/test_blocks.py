"""Event streams in blocks: the same bytes, cut behind whole events only."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.llm.proxy.blocks import MAX_BLOCK, Blocks

lines = st.sampled_from([b"data: x", b"event: y", b": c", b"\xff", b""])
ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
streams = st.lists(st.tuples(lines, ends), max_size=30).map(lambda pairs: b"".join(map(b"".join, pairs)))


def blocks_of(stream: bytes, cuts: list[int]) -> tuple[list[bytes], bytes]:
    blocks = Blocks()
    found: list[bytes] = []
    last = 0
    for cut in [*sorted(min(cut, len(stream)) for cut in cuts), len(stream)]:
        found += blocks.feed(stream[last:cut])
        last = cut
    return found, blocks.rest()


@given(stream=streams, cuts=st.lists(st.integers(0, 200)))
def test_nothing_is_added_or_left_out(stream: bytes, cuts: list[int]) -> None:
    """Wherever the bytes are cut; every block ends with a blank line, and has no other inside."""
    found, rest = blocks_of(stream, cuts)
    assert b"".join(found) + rest == stream
    for block in found:
        assert re.search(rb"(\r\n|\n|\r)(\r\n|\n|\r)\Z", block)


def test_every_event_is_a_block() -> None:
    """With each of the three line ends, and comments between."""
    for end in (b"\n", b"\r\n", b"\r"):
        events = [end.join([b"event: a", b"data: 1", b"", b""]), end.join([b": hi", b"", b""])] * 2
        stream = b"".join(events) + b"data: 2" + end
        for size in (1, 2, 3, 7, len(stream)):
            found, rest = blocks_of(stream, list(range(0, len(stream), size)))
            if end != b"\r":  # a CR that ends the bytes so far may be half of a line's end
                assert (found, rest) == (events, b"data: 2" + end)
            assert b"".join(found) + rest == stream


@pytest.mark.parametrize("size", [1000, MAX_BLOCK])
def test_what_never_ends_passes(size: int) -> None:
    """An event that is larger than what is held passes in pieces."""
    blocks = Blocks()
    data = b"data: " + b"x" * (3 * MAX_BLOCK)
    found = b"".join(piece for at in range(0, len(data), size) for piece in blocks.feed(data[at : at + size]))
    assert len(data) - len(found) <= MAX_BLOCK + size
    assert found + blocks.rest() == data
