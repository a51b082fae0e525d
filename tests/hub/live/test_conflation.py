"""Conflation of what a reader missed: the reader stays until what is kept is told, and what is kept is bounded."""

from __future__ import annotations

import json

from headwater.hub.live.conflation import Conflation
from headwater.model import Batch, Record
from headwater.protocol.cursor import Cursor, Data, Gap
from headwater.protocol.offsets import format_offset


def batch(first: int, keys: str, *, up_to_date: bool) -> Batch:
    records = tuple(
        Record(format_offset(1, first + at + 1), json.dumps({"k": key, "n": first + at}).encode())
        for at, key in enumerate(keys)
    )
    end = format_offset(1, first + len(keys))
    return Batch(format_offset(1, first), records, end, up_to_date, False, "application/json")


def test_the_reader_stays_until_what_is_kept_is_told() -> None:
    """Whatever ends it meanwhile tells an offset from which all of it is found; the gap does too."""
    reader = Cursor(format_offset(1, 0), 0.0)
    lag = Conflation("k", reader)
    assert list(lag.feed(batch(0, "aba", up_to_date=False), 0.0)) == []
    assert (reader.offset, lag.offset) == (format_offset(1, 0), format_offset(1, 3))
    told = lag.feed(batch(3, "a", up_to_date=True), 0.0)
    assert next(told) == Gap(format_offset(1, 0), format_offset(1, 4), format_offset(1, 0))
    assert reader.offset == format_offset(1, 0)
    data = next(told)
    assert isinstance(data, Data)
    assert [record.offset for record in data.batch.records] == [format_offset(1, 2), format_offset(1, 4)]
    assert reader.offset == format_offset(1, 4)


def test_what_is_kept_is_bounded() -> None:
    """Keys that never repeat are told in parts, in order, and none is held for longer than the limit says."""
    reader = Cursor(format_offset(1, 0), 0.0)
    events = list(Conflation("n", reader, limit=50).feed(batch(0, "abcd", up_to_date=False), 0.0))
    assert [type(event) for event in events] == [Data]
    assert reader.offset == format_offset(1, 4)
