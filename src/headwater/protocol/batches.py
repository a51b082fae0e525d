"""Rows of a log into the batch that a read returns.

Rule 1: a read may be cut anywhere inside a record of bytes, and only between the records of a stream that keeps them.
Rule 2: a read has at most `MAX_READ_RECORDS`. Each costs one or two microseconds, however small it is: a megabyte of
        those of one byte would hold up everybody else for a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from headwater.errors import InvalidOffset
from headwater.model import Batch, Extent, Record
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE, is_json, keeps_records
from headwater.protocol.ledger import StreamState
from headwater.protocol.offsets import offset_at
from headwater.protocol.spans import Span

#: Records of one read, or page. As events with their times and offsets they take five to nine milliseconds.
MAX_READ_RECORDS: Final = 4096

#: (position, data, milliseconds of the append since the Unix epoch, who appended it as `principals.to_text` has it).
Row = tuple[int, bytes, int, str | None]


def build_batch(state: StreamState, start: int, rows: Iterable[Row], limit: int, whole: int = 0) -> Batch | None:
    """The batch of a read.

    Args:
        state: the stream at the moment of the read; its tail bounds the batch.
        start: position to read from.
        rows: in order and without holes; the first one contains `start`.
        limit: bytes of data to return at most; a record that is kept whole and is larger is returned alone. There are
            `MAX_READ_RECORDS` at most.
        whole: bytes up to which a record of bytes is not cut either, and comes alone if it is over the limit.

    Returns:
        The batch; or None, if the rows do not reach `start`: they were dropped after `state` was taken.

    Raises:
        InvalidOffset: `start` lies inside a record that is kept whole, so nobody was given its offset.
    """
    is_whole, tail = keeps_records(state.content_type), state.tail
    found: list[bytes] = []
    times: list[int] = []
    names: dict[int, str] = {}
    position, room = start, limit
    for row_start, data, at, by in rows:
        if row_start > position or position >= tail:
            break
        if row_start + len(data) <= position:
            continue  # the one that contains the position is missing
        if is_whole and row_start < position:
            raise InvalidOffset(f"offset {offset_at(state.lineage, start)} lies inside a record")
        piece = data[position - row_start :] if row_start < position else data
        if len(piece) > room:
            if found and (is_whole or whole):
                break
            if not is_whole and len(piece) > whole:
                piece = piece[: max(room, whole)]
        position += len(piece)
        room -= len(piece)
        if by is not None:
            names[len(found)] = by
        found.append(piece)
        times.append(at)
        if room <= 0 or len(found) == MAX_READ_RECORDS:
            break
    if not found and start < tail:
        return None
    every = [names.get(number) for number in range(len(found))] if names else None
    return _batch(state, start, position, Span(state.lineage, start, found, times, every) if found else ())


def head_of(batch: Batch, limit: int) -> Batch:
    """The first records of a batch, as many as fit; one in any case.

    Args:
        batch: the batch; its records stay whole.
        limit: bytes of data.
    """
    size = 0
    for count, record in enumerate(batch.records):
        size += len(record.data)
        if size > limit and count:
            offset = batch.records[count - 1].offset
            records = batch.records[:count]
            return Batch(batch.offset, records, offset, up_to_date=False, closed=False, content_type=batch.content_type)
    return batch


def extent_from(state: StreamState, start: int) -> Extent:
    """What there is to read from a position up to the tail."""
    return Extent(
        offset=offset_at(state.lineage, start),
        next_offset=offset_at(state.lineage, state.tail),
        closed=state.closed,
        content_type=state.content_type,
        failure=state.failure,
    )


def has_own_values(state: StreamState, start: int) -> bool:
    """Whether what lies behind a position are JSON values of the stream itself, none of a fork's source."""
    return is_json(state.config.content_type or DEFAULT_CONTENT_TYPE) and start >= state.lineage[-1].start


def build_values(
    state: StreamState,
    start: int,
    values: list[bytes] | bytes,
    size: int,
    times: Sequence[int] | str | None,
    by: Sequence[str | None] | None = None,
) -> Batch:
    """The batch of a read of a JSON stream by a store that knows itself where the limit falls.

    Args:
        state: the stream at the moment of the read.
        start: position to read from; see `has_own_values`.
        values: whole ones, the first of which begins at `start`; in a list, or as lines.
        size: bytes of them, without line breaks.
        times: see `Span`.
        by: see `Span`.
    """
    return _batch(state, start, start + size, Span(state.lineage, start, values, times, by))


def _batch(state: StreamState, start: int, position: int, records: Sequence[Record]) -> Batch:
    up_to_date = position == state.tail
    return Batch(
        offset=offset_at(state.lineage, start),
        records=records,
        next_offset=offset_at(state.lineage, position),
        up_to_date=up_to_date,
        closed=state.closed and up_to_date,
        failure=state.failure if up_to_date else None,
        content_type=state.config.content_type or DEFAULT_CONTENT_TYPE,
    )
