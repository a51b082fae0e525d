"""A catch-up read: its pieces are what its head promises, whatever happens to the log meanwhile, or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from headwater.errors import StoreUnavailable
from headwater.model import Batch, Extent, Record
from headwater.protocol.batches import extent_from
from headwater.protocol.catch_up import CatchUp, promise, size_of
from headwater.protocol.offsets import locate
from headwater.protocol.spans import body_of

if TYPE_CHECKING:
    from tests.protocol.conftest import Log

TEXT, JSON = "text/plain", "application/json"
types = st.sampled_from([TEXT, JSON])
#: A digit in front of digits: JSON values and bytes alike.
bodies = st.lists(st.integers(1, 10**9).map(lambda number: b"%d" % number), min_size=1, max_size=12)


def begun(log: Log, limit: int, offset: str = "-1") -> tuple[CatchUp, Extent, list[bytes]]:
    """A read with its first piece, as a hub begins it."""
    first = log.read(offset, limit)
    start = locate(log.state.lineage, first.next_offset, earliest=0, tail=log.state.tail)
    extent = promise(first, None if first.up_to_date else extent_from(log.state, start))
    body = CatchUp(extent, limit)
    return body, extent, [body.take(first)]


@given(types, bodies, bodies, st.integers(1, 40), st.booleans(), st.data())
def test_pieces_are_what_was_promised(
    make_log: type[Log],
    content_type: str,
    before: list[bytes],
    later: list[bytes],
    limit: int,
    close: bool,
    draw: st.DataObject,
) -> None:
    """Joined they are the body of one large read; what is appended between two of them is not among them."""
    log = make_log(content_type, *before)
    offset = draw.draw(st.sampled_from(["-1", *(batch.offset for batch in log.batches("-1", limit))]))
    whole = log.read(offset)
    body, extent, pieces = begun(log, limit, offset)
    assert (extent.offset, extent.next_offset, extent.closed) == (whole.offset, log.tail, False)
    length = body.length
    while (wanted := body.wanted()) is not None:
        if later:
            log.append(later.pop())
        elif close and not log.state.closed:
            log.append(b"", close=True)
        at, most = wanted
        assert 0 < most <= limit
        pieces.append(body.take(log.read(at, most)))
    assert b"".join(pieces) == body_of(content_type, whole.records)
    assert length == (None if content_type == JSON else size_of(extent) - len(pieces[0]))


@given(types, bodies, st.integers(1, 40))
def test_the_end_of_the_moment_is_told(make_log: type[Log], content_type: str, data: list[bytes], limit: int) -> None:
    """Of a closed stream the first piece already says so, however many follow."""
    body, extent, _ = begun(make_log(content_type, *data, close=True), limit)
    assert extent.closed
    assert extent.next_offset == make_log(content_type, *data).tail
    assert body.wanted() is None or body.wanted() != ("-1", limit)


@given(types, bodies, st.integers(1, 9), st.data())
def test_what_does_not_follow_breaks_the_promise(
    make_log: type[Log], content_type: str, data: list[bytes], limit: int, draw: st.DataObject
) -> None:
    """A piece from elsewhere, one that goes nowhere, one that goes too far: an error, and nothing of it is given."""
    log = make_log(content_type, *data, b"123456789", b"1")
    body, _, _ = begun(log, limit)
    wanted = body.wanted()
    assert wanted is not None
    right = log.read(*wanted)
    log.append(b"5")
    wrong = [
        structs.replace(right, offset=log.tail),
        structs.replace(right, next_offset=right.offset),
        structs.replace(right, next_offset="-1"),
        structs.replace(log.read(wanted[0]), next_offset=log.tail),
    ]
    with pytest.raises(StoreUnavailable):
        body.take(draw.draw(st.sampled_from(wrong)))
    body.take(right)


def test_bytes_that_are_missing_break_the_promise(make_log: type[Log]) -> None:
    """`Content-Length` was told by positions, so the bytes between two of them are counted."""
    log = make_log(TEXT, b"123", b"456", b"789")
    body, _, _ = begun(log, 3)
    with pytest.raises(StoreUnavailable, match="2 bytes for the 3"):
        body.take(structs.replace(log.read(log.read(limit=3).next_offset, 3), records=(Record("x", b"45"),)))


@pytest.mark.parametrize(("content_type", "body"), [(TEXT, b"12"), (JSON, b"[12]")])
def test_one_piece_is_the_whole(make_log: type[Log], content_type: str, body: bytes) -> None:
    """And nothing is wanted behind it."""
    reading, extent, pieces = begun(make_log(content_type, b"12"), 100)
    assert (pieces, reading.wanted(), size_of(extent)) == ([body], None, 2)


def test_an_empty_read_promises_its_place() -> None:
    """Such as one of `now`: the tail of the moment, twice."""
    batch = Batch("7_1", (), "7_1", up_to_date=True, closed=False, content_type=TEXT)
    assert promise(batch) == Extent("7_1", "7_1", closed=False, content_type=TEXT)
