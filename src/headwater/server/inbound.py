"""The requests in the bytes that a connection brings: a state machine without I/O or a clock.

It stands in a head, in a body, or between two requests. Heads are parsed whole (`head_cache`); a body of a known length
is counted, and one in chunks is read by httptools, piece by piece, so that its end is known to the byte.

Rule 1: what is no request is told once; the connection closes behind it, and nothing that follows is looked at.
Rule 2: no parser outlives its request, and none is made for a head that is known.
"""

from __future__ import annotations

from typing import Final

import httptools

from headwater.errors import HeadersTooLarge, HeadwaterError
from headwater.protocol.http1 import unparsable, unread
from headwater.server.head_cache import Head, HeadCache, Probe, parse_head

#: Ends a head, and the trailers of a body in chunks.
END: Final = b"\r\n\r\n"
_END_BYTES: Final = 4
_NO_HEAD: Final = Head("", "", "", b"", {}, "", [])


class Inbound:
    """What has come, and where it stands.

    Args:
        heads: those of all connections.
        max_header_bytes: of a head; also of what is around the chunks of a body, between two parts of it.

    Attributes:
        buffer: what was fed last, with what waited before; empty if all of it is taken.
        key: of a WebSocket, of the last head, where that `is_keyed`.
        is_whole: the body of the last head has come to its end; also before the first head.
    """

    __slots__ = (
        "_at",
        "_chunks",
        "_heads",
        "_last",
        "_left",
        "_max",
        "_probe",
        "_searched",
        "buffer",
        "is_whole",
        "key",
    )

    def __init__(self, heads: HeadCache, max_header_bytes: int) -> None:
        self._heads = heads
        self._max = max_header_bytes
        self.buffer = b""
        #: Where in the buffer begins what was not taken yet.
        self._at = 0
        #: Bytes from there on in which no head ends.
        self._searched = 0
        self._probe: Probe | None = None
        #: The head before this one, if it is remembered: most clients send the same one again.
        self._last = _NO_HEAD
        #: Bytes that are missing of a body of a known length.
        self._left = 0
        self._chunks: _Chunks | None = None
        self.key = b""
        self.is_whole = True

    @property
    def waiting(self) -> int:
        """Bytes that were fed and not taken yet."""
        return len(self.buffer) - self._at

    def rest(self) -> bytes:
        """What waits, of a connection that goes on in another protocol."""
        found = self.buffer[self._at :]
        self.forget()
        return found

    def forget(self) -> None:
        """What waits is for nobody."""
        self.buffer, self._at = b"", 0

    def feed(self, data: bytes) -> bool:
        """Take bytes; whether none waited before."""
        if self.buffer:
            self.buffer, self._at = self.buffer[self._at :] + data, 0
            return False
        self.buffer = data
        return True

    def head(self) -> Head | None:
        """The next request's head; None: it has not come to its end.

        Only where `is_whole`. From then on its body is read.

        What is no head, or has more than `max_header_bytes`, is one with a `fault`.
        """
        buffer, at, last = self.buffer, self._at, self._last
        data = last.data
        if data and last.length and not self._searched and buffer.startswith(data, at):
            self._at, self._left, self.is_whole = at + len(data), last.length, False
            return last
        # What came is one head and nothing else, as of most reads.
        if not (at or self._searched) and buffer.endswith(END):
            heads = self._heads
            head, handshakes = heads.known.get(buffer), heads.handshakes
            if head is None and handshakes is not None:
                self.key = handshakes.key_in(buffer)
                head = handshakes.head if self.key else None
            if head is not None and head.length == 0:
                head.is_used = True
                self.buffer = b""
                return head
        first = buffer[at : at + 1]
        if first == b"\r" or first == b"\n":
            self._skip_empty_lines()
            buffer, at = self.buffer, self._at
        end = buffer.find(END, at + self._searched - 3 if self._searched > 3 else at) + _END_BYTES
        if end < _END_BYTES:
            return self._unfinished(buffer[at:])
        if end - at > self._max:
            return self._faulty(buffer[at:], self._too_large("head is"))
        head = self._heads.get(buffer[at:end])
        if head.is_keyed:
            self.key = self._heads.key
        self._last = head if head.data else _NO_HEAD
        return self._begin(head, end)

    def _begin(self, head: Head, end: int) -> Head:
        """Behind a head comes its body."""
        self._searched, self._probe, self._at = 0, None, end
        if head.length:
            self._left, self.is_whole = head.length, False
        elif head.length is None:
            self._chunks, self.is_whole = _Chunks(), False
        elif end == len(self.buffer):
            self.buffer, self._at = b"", 0
        return head

    def body(self) -> bytes:
        """What has come of the body and was not taken before; of one that came whole, all of it.

        Raises:
            HeadersTooLarge: there is too much around its chunks.
            BadRequest: it is no body in chunks.
        """
        if self._chunks is not None:
            return self._body_in_chunks(self._chunks)
        at = self._at
        part = self.buffer[at : at + self._left]
        self._took(at + len(part))
        self._left -= len(part)
        self.is_whole = not self._left
        return part

    def whole_body(self) -> bytes | None:
        """The body of a known length, if all of it has come; None: not yet, or it is in chunks."""
        buffer, at = self.buffer, self._at
        end = at + self._left
        if end > len(buffer) or self._chunks is not None:
            return None
        self._left, self.is_whole = 0, True
        if end == len(buffer):
            self.buffer, self._at = b"", 0
            return buffer[at:]
        self._at = end
        return buffer[at:end]

    def _took(self, end: int) -> None:
        if end == len(self.buffer):
            self.forget()
        else:
            self._at = end

    def _skip_empty_lines(self) -> None:
        """Those in front of a request are allowed, and are none (RFC 9112 section 2.2)."""
        buffer = self.buffer
        self._took(len(buffer) - len(buffer[self._at :].lstrip(b"\r\n")))

    def _unfinished(self, buffer: bytes) -> Head | None:
        self._searched = len(buffer)
        if len(buffer) > self._max:
            return self._faulty(buffer, self._too_large("head is"))
        return self._look(buffer) if buffer else None

    def _body_in_chunks(self, chunks: _Chunks) -> bytes:
        rest = chunks.feed(self.buffer[self._at :])
        self.forget()
        part = chunks.take()
        if chunks.most_around > self._max:
            raise self._too_large("trailers, or what surrounds a chunk, are")
        if chunks.is_complete:
            chunks.end()
            self.buffer, self._chunks, self.is_whole = rest, None, True
        return part

    def _look(self, buffer: bytes) -> Head | None:
        """Whether what has come of a head can be one."""
        if self._probe is None:
            self._probe = Probe()
        try:
            self._probe.look(buffer)
        except HeadwaterError as error:
            return self._faulty(buffer, error)
        return None

    def _faulty(self, buffer: bytes, fault: HeadwaterError) -> Head:
        """What has come of a head that is refused: its lines may tell whose page it is."""
        head = parse_head(buffer[: self._max])
        head.fault = fault
        return head

    def _too_large(self, what: str) -> HeadersTooLarge:
        return unread(HeadersTooLarge(f"the {what} larger than max_header_bytes={self._max}"))


class _Chunks:
    """A body in chunks.

    Attributes:
        most_around: bytes between two parts of the body that were no part of it, at most.
        is_complete: it has come to its end, trailers and all; they are dropped (RFC 9110 section 6.5.1).
    """

    #: What a parser must have seen to read chunks.
    _HEAD: Final = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
    _OWN: Final = 16

    __slots__ = ("_around", "_edge", "_parser", "_parts", "is_complete", "most_around")

    def __init__(self) -> None:
        self._around = self.most_around = 0
        self.is_complete = False
        self._parts: list[bytes] = []
        #: The last bytes that were parsed, in which an end may have begun.
        self._edge = b""
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(self._HEAD)

    def feed(self, data: bytes) -> bytes:
        """Read on; returns what is behind the end.

        Raises:
            BadRequest: these are no chunks.
        """
        # The body ends with one of the places where a head could. So the parser is stopped at each, and asked.
        start = 0
        while not self.is_complete and start < len(data):
            end = self._end_in(data, start)
            self._parse(data[start:end])
            start = end
        self._edge = (self._edge + data[-3:])[-3:]
        return data[start:]

    def _end_in(self, data: bytes, start: int) -> int:
        if not start and self._edge:
            # An end that began in what came before has at most three bytes here.
            found = (self._edge + data[:3]).find(END)
            if found >= 0:
                return found + len(END) - len(self._edge)
        found = data.find(END, start)
        return len(data) if found < 0 else found + len(END)

    def _parse(self, data: bytes) -> None:
        before = len(self._parts)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise unparsable(str(error)) from None
        parts = self._parts[before:]
        # A chunk has its size and two ends of lines around it, for which it pays itself.
        around = len(data) - sum(map(len, parts)) - self._OWN * len(parts)
        self.most_around = max(self.most_around, self._around + around)
        self._around = max(0, around if parts else self._around + around)

    def take(self) -> bytes:
        """The parts of the body that have come."""
        parts, self._parts = self._parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def on_body(self, part: bytes) -> None:
        """A part (called by the parser)."""
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """The end (called by the parser)."""
        self.is_complete = True

    def end(self) -> None:
        """Let go of the parser, which holds this object in turn."""
        del self._parser
