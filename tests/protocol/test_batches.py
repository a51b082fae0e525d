"""Rows into batches: whatever the limit and the start, the pieces joined are the log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import InvalidOffset
from headwater.model import Batch, StreamConfig
from headwater.protocol.batches import Row, build_batch
from headwater.protocol.ledger import StreamState, new_stream
from headwater.protocol.offsets import locate, offset_at
from headwater.protocol.principals import from_text

logs = st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=12)
limits = st.integers(1, 40)


#: Who appended one record after another.
WRITERS = (None, '"u1"', '["https://app.example","u1"]')


def stream_of(data: list[bytes], content_type: str = "text/plain") -> tuple[StreamState, list[Row]]:
    """A stream and its rows."""
    state = new_stream("a", 1, StreamConfig(content_type), 0.0)
    rows: list[Row] = []
    for item in data:
        rows.append((state.tail, item, 1000 * len(rows), WRITERS[len(rows) % len(WRITERS)]))
        state.tail += len(item)
    return state, rows


def rows_from(rows: list[Row], start: int) -> list[Row]:
    """As a store gives them: from the row that contains `start` on."""
    return [row for row in rows if row[0] + len(row[1]) > start]


def read(state: StreamState, rows: list[Row], start: int, limit: int) -> list[Batch]:
    """Batches from a position to the tail, each from where the last one ended."""
    batches = []
    while True:
        batch = build_batch(state, start, rows_from(rows, start), limit)
        assert batch is not None
        assert batch.offset == offset_at(state.lineage, start)
        batches.append(batch)
        if batch.up_to_date:
            return batches
        start, before = locate(state.lineage, batch.next_offset, earliest=0, tail=state.tail), start
        assert start > before


def joined(batches: list[Batch]) -> bytes:
    return b"".join(record.data for batch in batches for record in batch.records)


@given(logs, limits, st.data())
def test_pieces_of_bytes_join(data: list[bytes], limit: int, draw: st.DataObject) -> None:
    """From any position, by any limit, the pieces are the log from there, and none is larger than the limit."""
    state, rows = stream_of(data)
    start = draw.draw(st.integers(0, state.tail))
    batches = read(state, rows, start, limit)
    assert joined(batches) == b"".join(data)[start:]
    assert all(len(joined([batch])) <= limit for batch in batches)


@given(logs, limits, st.data())
def test_pieces_of_json_are_whole_values(data: list[bytes], limit: int, draw: st.DataObject) -> None:
    """A JSON stream is cut between values only; one larger than the limit comes alone."""
    state, rows = stream_of(data, "application/json")
    first = draw.draw(st.integers(0, len(rows) - 1))
    batches = read(state, rows, rows[first][0], limit)
    assert [record.data for batch in batches for record in batch.records] == data[first:]
    assert all(len(joined([batch])) <= limit or len(batch.records) == 1 for batch in batches)


@given(logs, limits)
def test_record_offsets_are_the_places_after_them(data: list[bytes], limit: int) -> None:
    """Each record's offset leads to the place after it, and the last one is where the batch ends."""
    state, rows = stream_of(data)
    position = 0
    for batch in read(state, rows, 0, limit):
        for record in batch.records:
            position += len(record.data)
            assert locate(state.lineage, record.offset, earliest=0, tail=state.tail) == position
        assert batch.next_offset == batch.records[-1].offset
    assert position == state.tail


@given(logs, limits)
def test_each_piece_has_what_is_known_of_its_record(data: list[bytes], limit: int) -> None:
    """However it is cut; and who appended it."""
    state, rows = stream_of(data)
    pieces = [record for batch in read(state, rows, 0, limit) for record in batch.records]
    known = [(at / 1000, None if by is None else from_text(by)) for _, item, at, by in rows for _ in item]
    assert [(record.at, record.by) for record in pieces for _ in record.data] == known


@given(logs, limits)
def test_a_batch_stays_behind_the_tail(data: list[bytes], limit: int) -> None:
    """Rows that were appended after the state was taken are not part of the batch."""
    state, rows = stream_of(data)
    rows.append((state.tail, b"later", 99, None))
    assert joined(read(state, rows, 0, limit)) == b"".join(data)


def test_the_end_is_told_at_the_tail_only() -> None:
    """A batch is up to date, and closed, when it ends at the tail of the stream."""
    state, rows = stream_of([b"one", b"two"])
    state.closed = True
    flags = [(batch.up_to_date, batch.closed) for batch in read(state, rows, 0, 4)]
    assert flags == [(False, False), (True, True)]
    state.closed = False
    batch = build_batch(state, state.tail, [], 4)
    assert batch is not None
    assert (batch.records, batch.up_to_date, batch.closed, batch.content_type) == ((), True, False, "text/plain")


def test_records_dropped_meanwhile_are_noticed() -> None:
    """When the first row is past the start, or there is none, there is no batch: the store asks again."""
    state, rows = stream_of([b"one", b"two"])
    assert build_batch(state, 0, rows[1:], 100) is None
    assert build_batch(state, 0, [], 100) is None


def test_a_hole_ends_the_batch() -> None:
    """A batch never goes over a missing row."""
    state, rows = stream_of([b"one", b"two", b"six"])
    batch = build_batch(state, 0, [rows[0], rows[2]], 100)
    assert batch is not None
    assert (joined([batch]), batch.up_to_date) == (b"one", False)


def test_a_json_value_is_never_cut() -> None:
    """An offset inside a JSON value was given to nobody; read from, it is refused, not answered with half a value."""
    state, rows = stream_of([b"[1,2]", b"3"], "application/json")
    with pytest.raises(InvalidOffset):
        build_batch(state, 2, rows, 100)
