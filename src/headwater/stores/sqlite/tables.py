"""Rows into the tables of streams, producers and records: from a batch, or from the journal when it is folded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Final

from headwater.protocol.ledger import StreamState
from headwater.protocol.producers import ProducerState
from headwater.stores.sqlite.database import Database
from headwater.stores.sqlite.rows import to_row
from headwater.stores.sqlite.schema import Many

ProducerKey = tuple[int, str]
#: (incarnation, position, steady time of the append, data, milliseconds that readers are told, who appended it), a row
#: of `records`.
RecordRow = tuple[int, int, float, bytes, int, str | None]

_SAVE_STREAMS: Final = Many("save_streams", 32)
_SAVE_PRODUCERS: Final = Many("save_producers", 64)
_INSERT_RECORDS: Final = Many("insert_records", 128)
_INSERT_LARGE: Final = Many("insert_large", 8)

#: A record of more bytes is large: its data has a table of its own; see `schema.sql`.
LARGE_BYTES: Final = 32 * 1024

_data: Final[Callable[[RecordRow], bytes]] = itemgetter(3)


def bytes_of(records: Iterable[RecordRow]) -> int:
    """Of the data of records."""
    return sum(map(len, map(_data, records)))


def write_tables(
    database: Database,
    states: Iterable[StreamState],
    producers: Mapping[ProducerKey, ProducerState],
    records: Sequence[RecordRow],
    size: int,
) -> None:
    """Write them in the transaction under way.

    Args:
        database: the connection that writes.
        states: streams, new or changed.
        producers: new or changed, by (incarnation, id).
        records: new ones.
        size: bytes of their data, or more.
    """
    _SAVE_STREAMS.run(database, [to_row(state) for state in states])
    _SAVE_PRODUCERS.run(database, [(*key, known.epoch, known.seq, known.used) for key, known in producers.items()])
    if size > LARGE_BYTES and max(map(len, map(_data, records)), default=0) > LARGE_BYTES:
        large = [(row[0], row[1], row[3]) for row in records if len(row[3]) > LARGE_BYTES]
        _INSERT_LARGE.run(database, large)
        records = [row if len(row[3]) <= LARGE_BYTES else (*row[:3], b"", *row[4:]) for row in records]
    _INSERT_RECORDS.run(database, records)
