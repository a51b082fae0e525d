"""Messages out of the frames that a client sends (RFC 6455 section 5), as the bytes come.

The frames are parsed by the library `websockets`; what they mean together is decided here.

Rule 1: between two messages nothing need be kept. A parser lives as long as one frame is incomplete.
Rule 2: what breaks the protocol is an event, the last one; nothing behind it is looked at.
Rule 3: most messages are one short frame that comes whole. Those are read in one step (`whole_messages`), which
        costs a fifth; whatever else it meets it leaves to the parser, so that nothing is refused in two places.
Rule 4: text is checked as it comes, so that a message of many fragments fails at the first byte that is no UTF-8.
"""

from __future__ import annotations

import codecs
from collections.abc import Generator, Sequence
from typing import Final

import msgspec
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import (  # type: ignore[attr-defined]  # `apply_mask` is the one in C, where there is one
    Close,
    Frame,
    Opcode,
    apply_mask,
)
from websockets.streams import StreamReader

from headwater.protocol.websocket.agreed import Deflate
from headwater.protocol.websocket.deflate import inflater
from headwater.protocol.websocket.frames import MAX_CONTROL
from headwater.protocol.websocket.layouts import Layouts
from headwater.protocol.wire import is_utf8

#: Close codes for what breaks the protocol (section 7.4.1).
PROTOCOL_ERROR: Final = 1002
INVALID_DATA: Final = 1007
TOO_BIG: Final = 1009
#: What an empty close frame says (section 7.1.5); never sent.
NO_CODE: Final = 1005

_Parser = Generator[None, None, Frame]


class Message(msgspec.Struct, frozen=True, gc=False):
    """A whole message.

    Attributes:
        data: of it; of a text message UTF-8.
        is_text: a text message.
    """

    data: bytes
    is_text: bool


class Ping(msgspec.Struct, frozen=True, gc=False):
    """To be answered with a pong of the same payload."""

    payload: bytes


class Pong(msgspec.Struct, frozen=True, gc=False):
    """The client is there."""

    payload: bytes


class Closing(msgspec.Struct, frozen=True, gc=False):
    """The client ends the connection, or begins to; `code` is to be given back, 1005: without one."""

    code: int
    reason: str


class Broken(msgspec.Struct, frozen=True, gc=False):
    """What came is not the protocol: the connection fails with this code (section 7.1.7)."""

    code: int
    reason: str


Event = Message | Ping | Pong | Closing | Broken


class _Fragments:
    """A message of which the last frame has not come."""

    __slots__ = ("data", "decoder", "first")

    def __init__(self, first: Opcode) -> None:
        self.first = first
        # One buffer: of frames of a byte or none, objects would take many times what they say they hold.
        self.data = bytearray()
        self.decoder = codecs.getincrementaldecoder("utf-8")() if first is Opcode.TEXT else None


#: The first bytes of such frames: the FIN bit, no reserved one, and the opcode (section 5.2).
_WHOLE_TEXT: Final = 0x80 | Opcode.TEXT.value
_WHOLE_BINARY: Final = 0x80 | Opcode.BINARY.value
#: The second: the mask bit, and the size, which has two bytes of its own from 126 on.
_MASKED: Final = 0x80
_MAX_SHORT: Final = 125
_TWO_BYTES: Final = _MASKED | 126
_HEAD_BYTES: Final = 6
#: By the first two bytes of a short one: what it says has so many bytes, and whether it is text.
_SHORT: Final = {
    bytes((first, _MASKED | size)): (size, first == _WHOLE_TEXT)
    for first in (_WHOLE_TEXT, _WHOLE_BINARY)
    for size in range(_MAX_SHORT + 1)
}
#: Of reads by all connections.
_layouts: Final = Layouts()


def whole_messages(data: bytes, max_bytes: int) -> tuple[Sequence[tuple[bytes, bool]], int]:
    """Messages of one frame each that are whole, as far as nothing else comes between two messages.

    Args:
        data: from the beginning of a frame on.
        max_bytes: of a message.

    Returns:
        Of each what it says and whether it is text, and where begins what they leave.
    """
    end = len(data)
    if max_bytes >= _MAX_SHORT and (known := _layouts.take_apart(data)) is not None:
        return known, end
    found: list[tuple[bytes, bool]] = []
    at = 0
    while at < end:
        short = _SHORT.get(data[at : at + 2])
        if short is not None:
            (size, is_text), begin = short, at + _HEAD_BYTES
        elif end - at > _HEAD_BYTES + 1 and data[at] in (_WHOLE_TEXT, _WHOLE_BINARY) and data[at + 1] == _TWO_BYTES:
            size, begin, is_text = data[at + 2] << 8 | data[at + 3], at + _HEAD_BYTES + 2, data[at] == _WHOLE_TEXT
            if size <= _MAX_SHORT:
                break
        else:
            break
        behind = begin + size
        if behind > end or size > max_bytes:
            break
        payload = apply_mask(data[begin:behind], data[begin - 4 : begin])
        if is_text and not payload.isascii() and not is_utf8(payload):
            break
        found.append((payload, is_text))
        at = behind
    if at == end:
        _layouts.keep(data, found)
    return found, at


class Assembler:
    """What has come of one connection, and what is missing.

    Args:
        max_bytes: of a message, however many frames it has; of one that is compressed, as it is then.
        deflate: what was agreed on about compression; None: nothing.
    """

    __slots__ = ("_extensions", "_fragments", "_is_over", "_max", "_parser", "_reader")

    def __init__(self, max_bytes: int, deflate: Deflate | None = None) -> None:
        self._max = max_bytes
        self._extensions = () if deflate is None else (inflater(deflate),)
        self._reader: StreamReader | None = None
        self._parser: _Parser | None = None
        self._fragments: _Fragments | None = None
        self._is_over = False

    @property
    def held(self) -> int:
        """Bytes that have come of what is not complete."""
        size = 0 if self._fragments is None else len(self._fragments.data)
        return size + (0 if self._reader is None else len(self._reader.buffer))

    @property
    def is_idle(self) -> bool:
        """Whether another one could go on in its place: no message is under way, and the protocol was kept."""
        return self._reader is None and self._fragments is None and not self._is_over

    @property
    def is_between(self) -> bool:
        """Whether no message and no frame is under way."""
        return self._reader is None and self._fragments is None

    def drop(self) -> None:
        """Let go of what has come: behind a failure nothing is looked at, not even a close frame (section 7.1.7)."""
        self._is_over = True
        self._reader = self._parser = self._fragments = None

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes; gives what is complete now, in its order."""
        events: list[Event] = []
        if self._is_over:
            return events
        reader = self._reader or StreamReader()
        reader.feed_data(data)
        try:
            while not self._is_over and (frame := self._next(reader)) is not None:
                event = self._take(frame)
                if event is not None:
                    events.append(event)
        except ProtocolError as error:
            events.append(self._break(PROTOCOL_ERROR, str(error)))
        except PayloadTooBig:
            events.append(self._too_big())
        except UnicodeDecodeError:
            events.append(self._break(INVALID_DATA, "the text is not UTF-8"))
        # A frame under way has its parser, which holds the reader; between two frames there is neither.
        self._reader = None if self._is_over or (self._parser is None and not reader.buffer) else reader
        return events

    def _next(self, reader: StreamReader) -> Frame | None:
        parser = self._parser
        if parser is None:
            if not reader.buffer:
                return None
            parser = Frame.parse(reader.read_exact, mask=True, max_size=self._room, extensions=self._extensions)
        try:
            next(parser)
        except StopIteration as end:
            self._parser = None
            found: Frame = end.value
            return found
        self._parser = parser
        return None

    @property
    def _room(self) -> int:
        """For a frame: what a message may have still, and a control frame in between."""
        return self._max if self._fragments is None else max(MAX_CONTROL, self._max - len(self._fragments.data))

    def _take(self, frame: Frame) -> Event | None:
        data = bytes(frame.data)
        match frame.opcode:
            case Opcode.PING:
                return Ping(data)
            case Opcode.PONG:
                return Pong(data)
            case Opcode.CLOSE:
                self._is_over = True
                closed = Close.parse(data)
                return Closing(closed.code, closed.reason)
            case Opcode.CONT:
                if self._fragments is None:
                    raise ProtocolError("unexpected continuation frame")
                return self._fragment(self._fragments, data, is_last=frame.fin)
            case first:
                return self._begin(first, data, is_whole=frame.fin)

    def _begin(self, first: Opcode, data: bytes, *, is_whole: bool) -> Event | None:
        if self._fragments is not None:
            raise ProtocolError("expected a continuation frame")
        if not is_whole:
            self._fragments = _Fragments(first)
            return self._fragment(self._fragments, data, is_last=False)
        is_text = first is Opcode.TEXT
        if is_text and not data.isascii():
            data.decode()
        return Message(data, is_text)

    def _fragment(self, message: _Fragments, data: bytes, *, is_last: bool) -> Event | None:
        if len(message.data) + len(data) > self._max:
            return self._too_big()
        if message.decoder is not None:
            message.decoder.decode(data, final=is_last)
        message.data += data
        if not is_last:
            return None
        self._fragments = None
        return Message(bytes(message.data), message.first is Opcode.TEXT)

    def _too_big(self) -> Broken:
        return self._break(TOO_BIG, f"the message is larger than max_body_bytes={self._max}")

    def _break(self, code: int, reason: str) -> Broken:
        self._is_over = True
        self._parser = self._fragments = None
        return Broken(code, reason)
