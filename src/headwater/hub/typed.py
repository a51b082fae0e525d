"""Records read as values of a type: for callers in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from headwater.errors import SchemaMismatch
from headwater.model import Batch, Item
from headwater.protocol.framing import payloads
from headwater.protocol.schemas.base import InvalidSchema, Mismatch, Reader, Schema
from headwater.protocol.schemas.types import schema_of
from headwater.protocol.spans import data_of


class Typed:
    """Reads records.

    Args:
        type: of msgspec or of pydantic, or a class of Protobuf's messages; `bytes`: the records as they come by
            themselves, of Protobuf without the length in front.

    Raises:
        TypeError: it is none.
    """

    def __init__(self, type: Any) -> None:
        self._schema: Final = None if type is bytes else _schema_of(type)

    def items(self, path: str, batch: Batch) -> Iterator[Item[Any]]:
        """The records of a batch, each read when it is asked for.

        Args:
            path: the stream.
            batch: of it.

        Raises:
            SchemaMismatch: a record is no value of the type; with the offset behind it.
        """
        raw = payloads(batch.content_type, data_of(batch.records))
        reader = self._reader(path, batch)
        for record, data in zip(batch.records, raw, strict=True):
            if reader is None:
                yield Item(record.offset, data, record.at, data, record.by)
                continue
            try:
                value = reader(record.data)
            except Mismatch as mismatch:
                raise self._refusal(path, mismatch, record.offset) from None
            yield Item(record.offset, value, record.at, data, record.by)

    def _reader(self, path: str, batch: Batch) -> Reader | None:
        if self._schema is None:
            return None
        try:
            return self._schema.reader(batch.content_type)
        except Mismatch as mismatch:
            raise self._refusal(path, mismatch, batch.offset) from None

    def _refusal(self, path: str, mismatch: Mismatch, offset: str) -> SchemaMismatch:
        assert self._schema is not None
        place = "" if mismatch.pointer == "#" else f" at {mismatch.pointer}"
        message = f"the record before {offset} of {path!r} does not fit {self._schema.name}: {mismatch.reason}{place}"
        return SchemaMismatch(message, pointer=mismatch.pointer, next_offset=offset)


_known: Final = lru_cache(128)(schema_of)


def _schema_of(type: Any) -> Schema:
    try:
        hash(type)
        make: Callable[[Any], Schema] = _known
    except TypeError:  # of an annotation with a dict, for one
        make = schema_of
    try:
        return make(type)
    except InvalidSchema as error:
        raise TypeError(f"type: {error}") from None
