"""CRC-32 of bytes that somebody else read."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from headwater.protocol.crc import shift


@given(st.binary(max_size=100), st.binary(max_size=3000))
def test_the_crc_of_two_parts_follows_from_theirs(first: bytes, second: bytes) -> None:
    assert zlib.crc32(first + second) == shift(zlib.crc32(first), len(second)) ^ zlib.crc32(second)


@given(st.binary(max_size=20), st.binary(max_size=20), st.binary(max_size=200))
def test_a_reader_that_joins_needs_nothing_but_the_feeds_crc(own: bytes, before: bytes, after: bytes) -> None:
    """What a feed sent before a reader came drops out of the reader's CRC."""
    kept = zlib.crc32(own) ^ zlib.crc32(before)
    assert shift(kept, len(after)) ^ zlib.crc32(before + after) == zlib.crc32(own + after)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**62), st.integers(0, 2**62))
def test_lengths_add_up(crc: int, first: int, second: int) -> None:
    """Also those that nobody waits for: exabytes."""
    assert shift(shift(crc, first), second) == shift(crc, first + second)
    assert shift(crc, 0) == crc
