"""Reads from behind, in their plainest form; see `testing.model`."""

from __future__ import annotations

from headwater.errors import OffsetGone
from headwater.testing.model import ModelStore, ModelStream

JSON = "application/json"


def page(store: ModelStore, path: str, position: int, count: int, limit: int) -> tuple[int, list[bytes]]:
    """Where the newest records before a position begin, and they themselves.

    Of a JSON stream so many records, of others so many bytes; as many as fit, one in any case.

    Raises:
        StreamNotFound, StreamGone, OffsetGone: as of a read.
    """
    stream = store.usable(path)
    if position < stream.start:
        raise OffsetGone
    stream.touched = store.clock()
    return (_values if stream.content_type == JSON else _bytes)(stream, position, count, limit)


def _values(stream: ModelStream, position: int, count: int, limit: int) -> tuple[int, list[bytes]]:
    found: list[bytes] = []
    for data in reversed(stream.until_position(position)):
        if len(found) == count or (found and len(b"".join([data, *found])) > limit):
            break
        found.insert(0, data)
    return position - len(b"".join(found)), found


def _bytes(stream: ModelStream, position: int, count: int, limit: int) -> tuple[int, list[bytes]]:
    start = max(stream.start, position - min(count, limit))
    return start, [b"".join(stream.until_position(position))[start - stream.start :]]
