"""Live answers into what they tell: the client's side of protocol/ndjson.py and protocol/sse_plain.py.

Rule: a place to go on from comes with a record, or with the news that there are no more, and from nowhere else: what
a heartbeat says of it is never needed, and so cannot be wrong.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final, Protocol

import msgspec

from headwater.cli.failures import FailedStream, Failure, refusal
from headwater.cli.lines import MAX_LINE, Lines, decode_line, read_line
from headwater.errors import TooLarge
from headwater.model import Record
from headwater.protocol import names
from headwater.protocol.framing import is_json, is_text
from headwater.protocol.sse import Parser, ServerEvent


class UpToDate(msgspec.Struct, frozen=True):
    """There is no more up to this offset, for now."""

    offset: str


class Alive(msgspec.Struct, frozen=True):
    """Nothing happened, and the connection is well."""


class Closed(msgspec.Struct, frozen=True):
    """The stream is complete, and all of it was told."""

    offset: str


class Failed(msgspec.Struct, frozen=True):
    """The stream ended before it was complete, and all there is was told."""

    offset: str
    failure: Failure


class Ended(msgspec.Struct, frozen=True):
    """The server ended the answer, and said why."""

    failure: Failure


class Heard(msgspec.Struct, frozen=True):
    """A signal, or who is there, as a line of NDJSON without its end."""

    line: bytes


Told = Heard | Record | UpToDate | Alive | Closed | Failed | Ended


class Wire(Protocol):
    """A live wire format on one connection."""

    media_type: str

    def __init__(self, content_type: str) -> None: ...

    def feed(self, chunk: bytes) -> list[Told]:
        """Take bytes and give what they complete; what is unfinished at a cut is never told.

        Raises:
            Failure: the bytes are not of this format.
        """
        ...


class _Line(msgspec.Struct):
    offset: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")
    base64: str | None = None
    control: str | None = None
    retry_after: float = 0.0
    code: str = ""
    message: str = ""


_line: Final = msgspec.json.Decoder(_Line)


class JsonLinesWire:
    """NDJSON."""

    media_type = "application/x-ndjson"

    def __init__(self, content_type: str) -> None:
        self._json = is_json(content_type)
        self._lines = Lines()

    def feed(self, chunk: bytes) -> list[Told]:
        """See `Wire.feed`."""
        return [read_line(self._take, line) for line in self._lines.feed(chunk)]

    def _take(self, raw: bytes) -> Told:
        line = decode_line(_line, raw)
        match line.control:
            case None:
                return Record(line.offset, self._data(line))
            case "up-to-date":
                return UpToDate(line.offset)
            case "signal" | "presence":
                return Heard(raw)
            case "closed":
                return Closed(line.offset)
            case "failed":
                return Failed(line.offset, FailedStream(line.code, line.message))
            case "error":
                return Ended(refusal(0, raw))
            case "detached":
                return Ended(let_go(line.retry_after))
            case _:
                return Alive()

    def _data(self, line: _Line) -> bytes:
        if line.base64 is not None:
            return b64decode(line.base64, validate=True)
        return bytes(line.data) if self._json else msgspec.json.decode(line.data, type=str).encode()


class _Notice(msgspec.Struct):
    offset: str = ""
    retry_after: float = 0.0
    code: str = ""
    message: str = ""


class EventsWire:
    """Plain event streams."""

    media_type = "text/event-stream"

    def __init__(self, content_type: str) -> None:
        self._base64 = not is_text(content_type)
        self._parser = Parser(max_event_bytes=MAX_LINE)

    def feed(self, chunk: bytes) -> list[Told]:
        """See `Wire.feed`."""
        try:
            told = [self._take(event) for event in self._parser.feed(chunk)]
        except TooLarge as error:
            raise Failure("malformed", error.message) from None
        except (msgspec.DecodeError, ValueError):
            raise Failure("malformed", "the server sent an event that is not of Headwater's") from None
        return told or [Alive()]

    def _take(self, event: ServerEvent) -> Told:
        match event.event:
            case names.EVENT_GAP | names.EVENT_REPLACED:  # no gap is told to who asks for ?slow=replay, as `tail` does
                return Alive()
            case names.EVENT_SIGNAL:
                return Heard(b'{"control":"signal",' + event.data[1:])
            case names.EVENT_PRESENCE:
                return Heard(b'{"control":"presence",' + event.data[1:])
            case names.EVENT_CLOSED:
                return Closed(event.id.decode())
            case names.EVENT_FAILED:
                notice = msgspec.json.decode(event.data, type=_Notice)
                return Failed(event.id.decode(), FailedStream(notice.code, notice.message))
            case names.EVENT_ERROR:
                return Ended(refusal(0, event.data))
            case names.EVENT_DETACHED:
                return Ended(let_go(msgspec.json.decode(event.data, type=_Notice).retry_after))
            case _:
                data = b64decode(event.data, validate=True) if self._base64 else event.data
                return Record(event.id.decode(), data)


def let_go(retry_after: float) -> Failure:
    """Why a response ended of a server that lets its readers go."""
    return Failure("detached", "the server asks to come back", passing=True, retry_after=retry_after)
