"""How messages are encoded: one codec for each subprotocol.

Rule: a codec gives whole frames. Records go into them as they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, NoReturn, Protocol, Self

import msgspec

from headwater.errors import InvalidMessage
from headwater.model import Record
from headwater.protocol.ephemeral import SIGNAL, Ephemeral
from headwater.protocol.framing import is_json, is_text, payloads
from headwater.protocol.principals import told
from headwater.protocol.spans import data_of, offsets_of
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.ephemeral import signalled
from headwater.protocol.websocket.messages import CLIENT, ClientMessage, ServerMessage
from headwater.protocol.wire import base64_of, is_utf8

#: Characters of what a client sent that are told back to it.
_SHOWN: Final = 200


class Codec(Protocol):
    """One of them.

    Attributes:
        name: of the subprotocol.
        key: equal where the bytes of a message are the same.
        is_text: messages are text; False: binary.
    """

    name: str
    key: Hashable
    is_text: bool

    def decode(self, data: bytes) -> ClientMessage:
        """What a client sent.

        Raises:
            InvalidMessage: it is no message; with its `id`, if it has one.
        """
        ...

    def encode(self, message: ServerMessage) -> bytes:
        """A message, framed."""
        ...

    def data(self, number: int, content_type: str, records: Sequence[Record], *, envelope: bool) -> bytes:
        """The message `data`, framed.

        Args:
            number: the stream's.
            content_type: the stream's.
            records: one at least.
            envelope: with the times of their appends, and who appended them.
        """
        ...

    def ephemeral(self, number: int, event: Ephemeral) -> bytes:
        """What is told of a stream and not kept, such as a signal, framed.

        Args:
            number: the stream's.
            event: of a kind that is the message's name.
        """
        ...

    def page(self, message: ServerMessage, content_type: str, records: Sequence[Record], *, envelope: bool) -> bytes:
        """A message that has records behind its own fields, framed.

        Args:
            message: without them.
            content_type: of the stream.
            records: may be none.
            envelope: see `data`.
        """
        ...


def endings(offsets: Sequence[bytes]) -> list[bytes]:
    """Of offsets in their order, all but the last: the characters at the end in which each differs from the last.

    All have as many as the first needs, which is the farthest away; so reading one is taking as many off the last.
    """
    first, last = offsets[0], offsets[-1]
    if len(first) != len(last):
        return list(offsets[:-1])
    same = next((at for at, (left, right) in enumerate(zip(first, last, strict=True)) if left != right), 0)
    return [offset[same:] for offset in offsets[:-1]]


#: Makes a frame of its first byte and a message; see `frames.frame`.
Framing = Callable[[int, bytes], bytes]


class Framed:
    """What codecs have in common: how messages become frames.

    Args:
        framing: makes them.
        key: of what the frames are like, beside the subprotocol; None: of what `frames` makes.
    """

    name: str

    def __init__(self, framing: Framing = frames.frame, key: Hashable = None) -> None:
        self._frame = framing
        self.key: Hashable = self.name if key is None else (self.name, key)

    def __deepcopy__(self, memo: object) -> Self:
        """It remembers nothing of a reader."""
        return self


class JsonCodec(Framed):
    """`headwater.v1+json`: text messages, each a JSON object."""

    name = "headwater.v1+json"
    is_text = True

    def __init__(self, framing: Framing = frames.frame, key: Hashable = None) -> None:
        super().__init__(framing, key)
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(ClientMessage).decode

    def decode(self, data: bytes) -> ClientMessage:
        """See `Codec.decode`."""
        try:
            found: ClientMessage = self._decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            refuse(error, data, msgspec.json.decode)
        return found

    def encode(self, message: ServerMessage) -> bytes:
        """See `Codec.encode`."""
        return self._frame(frames.TEXT, self._encode(message))

    def data(self, number: int, content_type: str, records: Sequence[Record], *, envelope: bool) -> bytes:
        """See `Codec.data`."""
        offsets = offsets_of(records)
        return self._frame(
            frames.TEXT,
            b'{"t":"data","s":%d,"o":"%b"%b}'
            % (number, offsets[-1], _fields(content_type, records, offsets, envelope=envelope)),
        )

    def ephemeral(self, number: int, event: Ephemeral) -> bytes:
        """See `Codec.ephemeral`."""
        if event.kind == SIGNAL:
            return self.encode(signalled(number, event.origin))
        return self._frame(frames.TEXT, b'{"t":"%b","s":%d,%b' % (event.kind.encode(), number, event.body[1:]))

    def page(self, message: ServerMessage, content_type: str, records: Sequence[Record], *, envelope: bool) -> bytes:
        """See `Codec.page`."""
        head = self._encode(message)
        if not records:
            return self._frame(frames.TEXT, head)
        return self._frame(
            frames.TEXT, head[:-1] + _fields(content_type, records, offsets_of(records), envelope=envelope) + b"}"
        )


def _fields(content_type: str, records: Sequence[Record], offsets: list[bytes], *, envelope: bool) -> bytes:
    """`e`, `r` or `b`, `at` and `by`, each with a comma before it."""
    parts = []
    if len(offsets) > 1:
        parts.append(b',"e":["' + b'","'.join(endings(offsets)) + b'"]')
    data = data_of(records)
    if is_json(content_type):
        parts.append(b',"r":[' + b",".join(data) + b"]")
    elif is_text(content_type) and all(map(is_utf8, data)):
        parts.append(b',"r":[' + b",".join([msgspec.json.encode(each.decode()) for each in data]) + b"]")
    else:
        parts.append(b',"b":["' + b'","'.join(map(base64_of, payloads(content_type, data))) + b'"]')
    if envelope:
        parts.append(b',"at":[' + b",".join([b"%.3f" % record.at for record in records]) + b"]")
        if any(by := [record.by for record in records]):
            parts.append(b',"by":[' + b",".join([b"null" if each is None else told(each) for each in by]) + b"]")
    return b"".join(parts)


def refuse(error: Exception, data: bytes, decode: Any) -> NoReturn:
    """Raise what is wrong with a message, with its `id`, so that the client knows which one it was.

    Args:
        error: why it could not be read.
        data: of the message.
        decode: reads what it is, whatever that is.
    """
    try:
        found = decode(data)
    except Exception:
        found = None
    if not isinstance(found, dict):
        raise InvalidMessage(f"a message is an object with `t`: {str(error)[:_SHOWN]}") from None
    kinds = ", ".join(sorted(str(cls.__struct_config__.tag) for cls in CLIENT))
    kind = found.get("t")
    if kind is None or "`$.t`" in str(error):
        detail = f"there is no message {str(kind)[:_SHOWN]!r}; there are {kinds}"
    else:
        detail = f"the message {str(kind)[:_SHOWN]!r} is not valid: {str(error)[:_SHOWN]}"
    wrong = InvalidMessage(detail)
    number = found.get("id")
    if isinstance(number, int) and not isinstance(number, bool):
        wrong.details["id"] = number
    raise wrong
