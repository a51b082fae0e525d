"""The event stream format, both ways (WHATWG HTML section 9.2, "Server-sent events").

Rule: fields are bytes; nothing is decoded. UTF-8 never has a byte of a line break inside a character, so lines can
be found without decoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from headwater.errors import TooLarge

#: Bytes of one event that the parser holds at most.
MAX_EVENT_BYTES: Final = 16 * 1024 * 1024

_BOM: Final = b"\xef\xbb\xbf"


class ServerEvent(msgspec.Struct, frozen=True, gc=False):
    """One event as a client receives it.

    Attributes:
        data: the data lines, joined by line feeds.
        event: the event's name; empty: `message`.
        id: the last event id, as it stands after this event.
    """

    data: bytes
    event: bytes = b""
    id: bytes = b""


def encode_event(data: bytes, *, event: bytes = b"", event_id: bytes = b"") -> bytes:
    """One event, with a data field for each line of `data`, however the lines end.

    A data line gets no space after its colon, unless it begins with one: parsers take one space away.

    Args:
        data: any bytes; CR and CRLF arrive as line feeds.
        event: name without line breaks.
        event_id: id without line breaks and NUL, and without a space in front.
    """
    head = b""
    if event_id:
        head = b"id:" + event_id + b"\n"
    if event:
        head += b"event: " + event + b"\n"
    return head + _encode_data(data) + b"\n\n"


def encode_events(pieces: Sequence[bytes], ids: Sequence[bytes]) -> bytes:
    """Events without a name, `encode_event` of each piece with its id."""
    if len(pieces) == 1:  # most deliveries are one record
        data = pieces[0]
        if b"\n" in data or b"\r" in data or data[:1] == b" ":
            return encode_event(data, event_id=ids[0])
        return b"".join((b"id:", ids[0], b"\ndata:", data, b"\n\n"))
    text = b"\0" + b"\0".join(pieces)
    if b"\n" in text or b"\r" in text or b"\0 " in text:
        return b"".join([encode_event(data, event_id=id) for data, id in zip(pieces, ids, strict=True)])
    # No loop in Python: the history of a stream is encoded so, for each who joins.
    lines = map(b"\ndata:".join, zip(ids, pieces, strict=True))
    return b"id:" + b"\n\nid:".join(lines) + b"\n\n"


def _encode_data(data: bytes) -> bytes:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\n" not in data:
        return (b"data: " if data[:1] == b" " else b"data:") + data
    return b"\n".join((b"data: " if line[:1] == b" " else b"data:") + line for line in data.split(b"\n"))


def encode_comment(text: bytes = b"") -> bytes:
    """A comment, which clients ignore: keeps a connection alive. `text` has no line breaks."""
    return b":" + text + b"\n\n"


def encode_retry(milliseconds: int) -> bytes:
    """Sets how long a browser waits before it connects again."""
    return b"retry:%d\n\n" % milliseconds


class Parser:
    """An incremental parser: bytes in, events out, wherever the bytes are cut.

    An event whose end is not received is never given out, as the standard has it.

    Args:
        max_event_bytes: bytes of one event's data and name at most, its unfinished line included.

    Attributes:
        last_event_id: id to come back with.
        retry: milliseconds the server asked to wait before connecting again; None: not asked.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.last_event_id = b""
        self.retry: int | None = None
        self._limit = max_event_bytes
        self._too_large = False
        self._rest = bytearray()
        self._at_start = True
        self._after_cr = False
        self._id = b""
        self._reset()

    def _reset(self) -> None:
        self._event = b""
        self._data: bytes | bytearray | None = None
        self._size = 0

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Take the next bytes and give the events they complete.

        Raises:
            TooLarge: an event is longer than the limit, and all events before it were given; the connection is to
                be given up.
        """
        if self._too_large:
            raise TooLarge(f"an event is longer than {self._limit} bytes")
        found: list[ServerEvent] = []
        for line in self._lines(chunk):
            if self._size + len(line) > self._limit:
                return self._give_up(found)
            event = self._take_line(line)
            if event is not None:
                found.append(event)
        return found if self._size + len(self._rest) <= self._limit else self._give_up(found)

    def resume(self, event_id: bytes) -> None:
        """Events were taken past this parser, the last of them with this id."""
        self.last_event_id = self._id = event_id
        self._at_start = False

    def _give_up(self, found: list[ServerEvent]) -> list[ServerEvent]:
        """Give the events before the one that is too long, or the error if there are none.

        `last_event_id` has passed them: who comes back with it would never see an event that is not given now.
        """
        self._too_large = True
        self._rest.clear()
        self._reset()
        return found or self.feed(b"")

    def _lines(self, chunk: bytes) -> list[bytes]:
        """Complete lines; the unfinished rest is held."""
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[:1] == b"\n":
                chunk = chunk[1:]
        if b"\n" not in chunk and b"\r" not in chunk:
            self._rest += chunk
            return []
        self._after_cr = chunk.endswith(b"\r")
        text = bytes(self._rest + chunk) if self._rest else chunk
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._rest[:] = rest
        return lines

    def _take_line(self, line: bytes) -> ServerEvent | None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        name, colon, value = line.partition(b":")
        if colon and value[:1] == b" ":
            value = value[1:]
        self._take_field(name, value)
        return None

    def _take_field(self, name: bytes, value: bytes) -> None:
        if name == b"data":
            self._add_data(value)
        elif name == b"event":
            self._size += len(value) - len(self._event)
            self._event = value
        elif name == b"id":
            if b"\0" not in value:
                self._id = value
        elif name == b"retry" and value.isdigit() and len(value) < 16:
            self.retry = int(value)

    def _add_data(self, value: bytes) -> None:
        """Join the lines as they come: a list of millions of short ones would take many times their size."""
        self._size += len(value) + 1
        if self._data is None:
            self._data = value
            return
        if isinstance(self._data, bytes):
            self._data = bytearray(self._data)
        self._data += b"\n"
        self._data += value

    def _dispatch(self) -> ServerEvent | None:
        self.last_event_id = self._id
        event = None if self._data is None else ServerEvent(bytes(self._data), self._event, self._id)
        self._reset()
        return event
