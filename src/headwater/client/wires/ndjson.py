"""NDJSON: the client's side of protocol/ndjson.py.

Rule: records come in blocks, and a block is decoded by one call. Only a block with a line of another kind, or with one
that cannot be decoded, is gone through line by line.
"""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

import msgspec

from headwater.client.codec import Codec
from headwater.client.errors import BadAnswer, BadRecord
from headwater.client.items import Batch, Gap, Item
from headwater.client.problems import told_problem
from headwater.client.told import Absent, Alive, Bad, Closed, Detached, Failed, Heard, Made, Refused, Told, UpToDate
from headwater.client.wires.lines import Blocks, Line, decode_line, record_of
from headwater.model import Principal

T = TypeVar("T")

_BEFORE_OFFSET: Final = len(b'{"offset":"')
_CONTROL: Final = b'"control":'
_BASE64: Final = b'"base64":'
_DATA: Final = b'","data":'


class LineItem(Item[T], frozen=True, gc=False):
    """One whose line is taken apart when its bytes are asked for."""

    @property
    def raw(self) -> bytes:
        """See `Item.raw`."""
        return data_of(self._raw, self.offset)


class TextItem(Item[T], frozen=True, gc=False):
    """One of a text, whose bytes are its text."""

    @property
    def raw(self) -> bytes:
        """See `Item.raw`."""
        return str(self.data).encode()


class _Row(msgspec.Struct, Generic[T], gc=False):
    """A record's line, for a block of them."""

    offset: str
    data: T


class EnvelopeRow(_Row[T], Generic[T], gc=False):
    """The same with what is known of the record."""

    at: float | None = None
    by: Principal | None = None


def data_of(line: bytes, offset: str) -> bytes:
    """The bytes of a record in its line."""
    at = _BEFORE_OFFSET + len(offset)
    if line[at : at + len(_DATA)] == _DATA and line[-1:] == b"}":
        return line[at + len(_DATA) : -1]
    return bytes(decode_line(line).data)


class JsonLines(Generic[T]):
    """One connection's lines.

    Args:
        codec: makes values of records.
        envelope: records come with what is known of them.
    """

    media_type = "application/x-ndjson"

    def __init__(self, codec: Codec[T], *, envelope: bool = False) -> None:
        self._codec = codec
        self._envelope = envelope
        self._blocks = Blocks(b"\n")
        self._rows: msgspec.json.Decoder[Any] | None = None
        self._item: type[Item[Any]] = LineItem if codec.is_json else TextItem
        if codec.row is not None:
            kind = EnvelopeRow if envelope else _Row
            self._rows = msgspec.json.Decoder(kind[codec.row])

    def feed(self, chunk: bytes) -> list[Told]:
        """Take bytes and give what they complete; what is unfinished at a cut is never told.

        Raises:
            BadAnswer: the bytes are not of this format.
        """
        block = self._blocks.feed(chunk)
        if not block:
            return []
        if self._rows is not None and _CONTROL not in block and _BASE64 not in block:
            try:
                rows = self._rows.decode_lines(block)
            except msgspec.DecodeError:
                pass  # told line by line
            else:
                return self._batch(rows, block)
        return self._slowly(block)

    def _batch(self, rows: list[Any], block: bytes) -> list[Told]:
        if not rows:
            return [Alive()]
        make = self._item
        lines = block.split(b"\n")
        if len(lines) != len(rows) + 1:
            lines = [line for line in lines if line.strip()]
        if self._envelope:
            items = [make(row.data, row.offset, line, row.at, row.by) for row, line in zip(rows, lines, strict=False)]
        else:
            items = [make(row.data, row.offset, line) for row, line in zip(rows, lines, strict=False)]
        return [Batch(items, items[-1].offset)]

    def _slowly(self, block: bytes) -> list[Told]:
        told: list[Told] = []
        items: list[Item[Any]] = []
        for raw in block.split(b"\n"):
            if not raw.strip():
                continue
            line = self._read(raw)
            if line.control is not None:
                _flush(items, told)
                items = []
                told.append(self._control(line, raw))
                continue
            try:
                items.append(self._record(line))
            except BadRecord as error:
                _flush(items, told)
                return [*told, Bad(error)]
        _flush(items, told)
        return told or [Alive()]

    def _read(self, raw: bytes) -> Line:
        try:
            line = decode_line(raw)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise BadAnswer("the server sent a line that is not of Headwater's NDJSON") from None
        if line.control is None and not line.offset:
            raise BadAnswer("the server sent a line that is not of Headwater's NDJSON")
        return line

    def _record(self, line: Line) -> Item[Any]:
        return record_of(self._codec, line)

    def _control(self, line: Line, raw: bytes) -> Told:
        match line.control:
            case "up-to-date":
                return UpToDate(line.offset)
            case "signal" | "presence":
                return Heard(raw)
            case "closed":
                return Closed(line.offset)
            case "failed":
                return Failed(line.offset, line.code, line.message)
            case "gap":
                return Gap(line.start, line.to, line.offset, line.reason or "slow")
            case "waiting":
                return Absent()
            case "created":
                return Made(line.content_type, line.offset)
            case "error":
                return Refused(told_problem(raw))
            case "detached":
                return Detached(line.retry_after, line.reason)
            case _:  # of a newer server
                return Alive()


def _flush(items: list[Item[Any]], told: list[Told]) -> None:
    if items:
        told.append(Batch(items, items[-1].offset))
