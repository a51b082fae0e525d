"""Reads from behind: where a page begins that ends at a given place.

Rule 1: a store looks up where records begin, this decides; no store counts or measures by itself.
Rule 2: a page that is too large keeps its newest records. One record comes in any case. Too large is one of more bytes
        than may be, or of more records than `batches.MAX_READ_RECORDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from headwater.errors import BadRequest, InvalidOffset
from headwater.model import Batch, Last, Page
from headwater.protocol.batches import MAX_READ_RECORDS
from headwater.protocol.forks import segments_from
from headwater.protocol.framing import is_text, keeps_records
from headwater.protocol.ledger import StreamState
from headwater.protocol.offsets import check_offset, locate, offset_at
from headwater.protocol.spans import data_of

#: Records that may be asked for from behind.
MAX_LAST: Final = 1000
#: The same in bytes; a response has `read_bytes` of them at most.
MAX_LAST_BYTES: Final = 2**30

#: Where at most so many records of an incarnation begin, from a position on and before another one, the last first:
#: (incarnation, first position, end, count).
Starts = Callable[[int, int, int, int], Sequence[int]]

#: Bytes of a UTF-8 character that are not its first (RFC 3629 section 3).
_CONTINUATION: Final = range(0x80, 0xC0)
_MOST_CONTINUATIONS: Final = 3


def make_last(records: int | None, size: int | None, before: str) -> Last:
    """What is asked for from behind, checked.

    Raises:
        BadRequest: both numbers are given, or one is out of range.
        InvalidOffset: `before` is no offset.
    """
    if records is not None and size is not None:
        raise BadRequest(
            "give one of last and last_bytes: records of a stream that keeps them apart, bytes of any other"
        )
    if records is not None and not 1 <= records <= MAX_LAST:
        raise BadRequest(f"last must be 1 to {MAX_LAST}, not {records}")
    if size is not None and not 1 <= size <= MAX_LAST_BYTES:
        raise BadRequest(f"last_bytes must be 1 to {MAX_LAST_BYTES}, not {size}")
    return Last(records, size, check_offset(before))


def page_end(state: StreamState, last: Last) -> int:
    """The position where a page ends.

    Raises:
        BadRequest: records are asked for of a stream that is counted in bytes, or bytes of one of records.
        InvalidOffset, OffsetGone: see `offsets.locate`.
    """
    if keeps_records(state.content_type):
        if last.records is None:
            raise BadRequest(f"{state.content_type} is counted in records: ask for last, not for last_bytes")
    elif last.size is None:
        raise BadRequest(f"{state.content_type} is counted in bytes: ask for last_bytes, not for last")
    return locate(state.lineage, last.before, earliest=state.earliest, tail=state.tail)


def page_start(state: StreamState, end: int, last: Last, limit: int, starts: Starts) -> int:
    """The position where a page begins; of a text maybe inside a character.

    Args:
        state: the stream.
        end: from `page_end`.
        last: what is asked for.
        limit: bytes that the page may have.
        starts: looks up records.
    """
    begin = state.earliest
    if last.size is not None:
        begin = max(begin, end - min(last.size, limit))
        if end - begin <= MAX_READ_RECORDS:
            return begin
    start, left = end, last.records or MAX_READ_RECORDS
    for incarnation, first, bound in reversed(segments_from(state, begin)):
        if not left or first >= end:
            continue
        for position in starts(incarnation, first, min(bound, end), left):
            if start < end and end - position > limit:
                return start
            start, left = position, left - 1
    return start if last.size is None or not left else begin


def read_page(state: StreamState, start: int, end: int, read: Callable[[int, int], Batch | None]) -> Page | None:
    """The page between two positions.

    Args:
        state: the stream.
        start: from `page_start`.
        end: from `page_end`.
        read: reads from a position on so many bytes.

    Returns:
        None, if `read` gives none: records were dropped meanwhile.

    Raises:
        InvalidOffset: the end lies inside a record that is kept whole, so nobody was given its offset.
    """
    if start == end:
        return _page(state, end, _nothing_before(state, end))
    batch = read(start, end - start)
    if batch is not None and (cut := _cut_before(state, start, batch)):
        start += cut
        batch = read(start, end - start) if start < end else _nothing_before(state, end)
    return None if batch is None else _page(state, end, batch)


def _cut_before(state: StreamState, start: int, batch: Batch) -> int:
    """How many bytes at the start of a page are the rest of a character that begins before it."""
    if start == state.earliest or not is_text(state.content_type):
        return 0
    begin = b"".join(data_of(batch.records[: _MOST_CONTINUATIONS + 1]))[: _MOST_CONTINUATIONS + 1]
    count = next((count for count, byte in enumerate(begin) if byte not in _CONTINUATION), len(begin))
    return count if count <= _MOST_CONTINUATIONS else 0  # it is no UTF-8


def _nothing_before(state: StreamState, end: int) -> Batch:
    """A batch without records."""
    at_tail, offset = end == state.tail, offset_at(state.lineage, end)
    return Batch(
        offset=offset,
        records=(),
        next_offset=offset,
        up_to_date=at_tail,
        closed=state.closed and at_tail,
        failure=state.failure if at_tail else None,
        content_type=state.content_type,
    )


def _page(state: StreamState, end: int, batch: Batch) -> Page:
    if batch.next_offset != offset_at(state.lineage, end):
        raise InvalidOffset(f"offset {offset_at(state.lineage, end)} lies inside a record")
    return Page(batch, batch.offset != offset_at(state.lineage, state.earliest))
