"""A stream's state as a row of the table `streams`, and back."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import Any, Final

import msgspec

from headwater.model import Failure, Producer, StreamConfig
from headwater.protocol import ledger
from headwater.protocol.ledger import StreamState
from headwater.protocol.offsets import Lineage, Segment

#: A look of retention at a stream that has none planned: with the next sweep; see `save_streams`.
WHEN_NEW: Final = 0.0

_encode = msgspec.json.Encoder().encode


def to_row(state: StreamState) -> tuple[Any, ...]:
    """The values of `save_streams`."""
    return (
        state.incarnation,
        state.path,
        _encode(state.config).decode(),
        _encode(state.lineage).decode(),
        state.created_at,
        state.touched_at,
        state.earliest,
        state.tail,
        state.closed,
        None if state.closed_by is None else _encode(state.closed_by).decode(),
        state.last_seq,
        state.deleted,
        state.forks,
        state.source,
        ledger.expires_at(state),
        next_look(state),
        None if state.failure is None else _encode(state.failure).decode(),
        state.appended_at,
    )


def from_row(row: tuple[Any, ...]) -> StreamState:
    """The state in a row of `stream_at` or `streams_after`."""
    return StreamState(
        incarnation=row[0],
        path=row[1],
        config=msgspec.json.decode(row[2], type=StreamConfig),
        lineage=_shared(msgspec.json.decode(row[3], type=Lineage)),
        created_at=row[4],
        touched_at=row[5],
        earliest=row[6],
        tail=row[7],
        closed=bool(row[8]),
        closed_by=None if row[9] is None else msgspec.json.decode(row[9], type=Producer),
        last_seq=row[10],
        deleted=bool(row[11]),
        forks=row[12],
        source=row[13],
        failure=None if row[14] is None else msgspec.json.decode(row[14], type=Failure),
        appended_at=row[15],
    )


def _shared(lineage: Lineage) -> Lineage:
    """The same with segments that other streams have too: forks of one family differ in their last one."""
    return (
        lineage if len(lineage) == 1 else tuple([_segment(segment.incarnation, segment.start) for segment in lineage])
    )


# As many as 16 of the deepest forks have.
@lru_cache(16 * 1024)
def _segment(incarnation: int, start: int) -> Segment:
    return Segment(incarnation, start)


def next_look(state: StreamState) -> float | None:
    """When retention must look at a stream that was just written; None: it keeps everything.

    With an age alone, `WHEN_NEW`: when it is no longer new, its first record says when.
    """
    limits = state.config.retention
    if limits.count is not None or limits.size is not None:
        return -inf  # at once, whatever the clock says by then
    return None if limits.age is None else WHEN_NEW
