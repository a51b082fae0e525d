"""Plain event streams: the client's side of protocol/sse_plain.py.

Rule: a server that is Headwater writes records in one way, and a block of such events is taken apart by one regular
expression; whatever else comes goes through the parser of protocol/sse.py.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any, Final, Generic, TypeVar

import msgspec

from headwater.client.codec import Codec, make_item
from headwater.client.errors import BadAnswer, BadRecord
from headwater.client.items import Batch, Gap, Item
from headwater.client.problems import told_problem
from headwater.client.told import Absent, Alive, Bad, Closed, Detached, Failed, Heard, Made, Refused, Told, UpToDate
from headwater.client.wires.lines import MAX_LINE, Blocks, decode_line, record_of
from headwater.errors import TooLarge
from headwater.protocol import names
from headwater.protocol.sse import Parser, ServerEvent

T = TypeVar("T")

_RECORDS: Final = re.compile(rb"id:([!-~]+)\ndata:([^\n\r ][^\n\r]*)\n\n")
#: Bytes of one event beside its id and its data.
_AROUND: Final = len(b"id:\ndata:\n\n")


class _Notice(msgspec.Struct):
    offset: str = ""
    start: str = msgspec.field(default="", name="from")
    to: str = ""
    reason: str = ""
    retry_after: float | None = None
    code: str = ""
    message: str = ""
    content_type: str = ""


_notice: Final = msgspec.json.Decoder(_Notice).decode


class Events(Generic[T]):
    """One connection's events.

    Args:
        codec: makes values of records.
        envelope: an event has a record as a line of NDJSON has it, with what is known of it.
    """

    media_type = "text/event-stream"

    def __init__(self, codec: Codec[T], *, envelope: bool = False) -> None:
        self._codec = codec
        self._envelope = envelope
        self._parser = Parser(max_event_bytes=MAX_LINE)
        self._blocks: Blocks | None = Blocks(b"\n\n")
        self._values: msgspec.json.Decoder[Any] | None = None
        if codec.is_json and codec.row is not None and not envelope:
            self._values = msgspec.json.Decoder(codec.row)

    def feed(self, chunk: bytes) -> list[Told]:
        """Take bytes and give what they complete; what is unfinished at a cut is never told.

        Raises:
            BadAnswer: the bytes are not of this format.
        """
        if self._blocks is not None and b"\r" in chunk:
            chunk, self._blocks = self._blocks.rest() + chunk, None
        if self._blocks is None:
            return self._parse(chunk)
        block = self._blocks.feed(chunk)
        if not block:
            return [Alive()] if chunk else []
        return self._together(block) or self._parse(block)

    def _together(self, block: bytes) -> list[Told] | None:
        """The records of a block that has nothing else; None: it has."""
        found = _RECORDS.findall(block)
        if not found:
            return None
        ids, data = zip(*found, strict=True)
        if len(b"".join(ids)) + len(text := b"\n".join(data)) + (_AROUND - 1) * len(found) + 1 != len(block):
            return None
        offsets = b"\n".join(ids).decode().split("\n")
        self._parser.resume(ids[-1])
        if self._values is not None:
            try:
                values = self._values.decode_lines(text)
            except msgspec.DecodeError:
                return self._one_by_one(offsets, data)
            if len(values) == len(offsets):
                items = list(map(Item, values, offsets, data))
                return [Batch(items, offsets[-1])]
        return self._one_by_one(offsets, data)

    def _one_by_one(self, offsets: list[str], data: tuple[bytes, ...]) -> list[Told]:
        items: list[Item[Any]] = []
        try:
            for offset, each in zip(offsets, data, strict=True):
                items.append(self._record(each, offset))  # what came before a bad one is given
        except BadRecord as error:
            return [*([Batch(items, items[-1].offset)] if items else []), Bad(error)]
        return [Batch(items, items[-1].offset)]

    def _record(self, data: bytes, offset: str) -> Item[Any]:
        if self._envelope:
            return self._enveloped(data)
        if not self._codec.is_text:
            try:
                data = b64decode(data, validate=True)
            except ValueError:
                raise BadAnswer("the server sent a record that is not base64") from None
        return make_item(self._codec, data, offset)

    def _enveloped(self, data: bytes) -> Item[Any]:
        try:
            line = decode_line(data)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise BadAnswer("the server sent an event that is no envelope of Headwater's") from None
        return record_of(self._codec, line)

    def _parse(self, block: bytes) -> list[Told]:
        before = self._parser.last_event_id
        try:
            events = self._parser.feed(block)
        except TooLarge as error:
            raise BadAnswer(error.message) from None
        told: list[Told] = []
        items: list[Item[Any]] = []
        for event in events:
            try:
                found = self._take(event)
            except BadRecord as error:
                found = Bad(error)
            except (msgspec.DecodeError, ValueError, RecursionError):
                raise BadAnswer("the server sent an event that is not of Headwater's") from None
            if isinstance(found, Item):
                items.append(found)
                continue
            if items:
                told.append(Batch(items, items[-1].offset))
                items = []
            told.append(found)
            if isinstance(found, Bad):
                return told
        if items:
            told.append(Batch(items, items[-1].offset))
        if not told and self._parser.last_event_id != before:  # where `now` is
            told.append(UpToDate(self._parser.last_event_id.decode()))
        return told or [Alive()]

    def _take(self, event: ServerEvent) -> Told | Item[Any]:
        offset = event.id.decode()
        match event.event:
            case b"" | b"message" if offset:
                return self._record(event.data, offset)
            case names.EVENT_GAP:
                notice = _notice(event.data)
                return Gap(notice.start, notice.to, offset, notice.reason or "slow")
            case names.EVENT_SIGNAL:
                return Heard(b'{"control":"signal",' + event.data[1:])
            case names.EVENT_PRESENCE:
                return Heard(b'{"control":"presence",' + event.data[1:])
            case names.EVENT_CLOSED:
                return Closed(offset or _notice(event.data).offset)
            case names.EVENT_FAILED:
                notice = _notice(event.data)
                return Failed(offset or notice.offset, notice.code, notice.message)
            case names.EVENT_WAITING:
                return Absent()
            case names.EVENT_CREATED:
                notice = _notice(event.data)
                return Made(notice.content_type, notice.offset)
            case names.EVENT_ERROR:
                return Refused(told_problem(event.data))
            case names.EVENT_DETACHED:
                notice = _notice(event.data)
                return Detached(notice.retry_after, notice.reason)
            case _:  # of a newer server, or of something else
                return Alive()
