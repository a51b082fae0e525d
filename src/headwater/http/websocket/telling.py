"""How the subscriptions of a connection are told, in the codec of its subprotocol."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Final

from headwater.errors import HeadwaterError
from headwater.hub.live.subscriptions.wish import Wish
from headwater.hub.live.wire_format import WireFormat, with_kind
from headwater.model import StreamInfo
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.codec import Codec
from headwater.protocol.websocket.codecs import CODECS
from headwater.protocol.websocket.stream_messages import StreamMessages, WaitingMessages, problem

#: Formats that are kept, as one object for all who read a stream.
_FORMATS: Final = 1024


class Telling:
    """See `Tells`; one for all connections of a subprotocol.

    Args:
        codec: of the subprotocol.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec: Final = codec
        self.form = lru_cache(_FORMATS)(self._form)

    def _form(self, number: int, *, envelope: bool, kinds: tuple[str, ...] = ()) -> WireFormat:
        encoder = partial(StreamMessages, codec=self._codec, number=number, envelope=envelope)
        form = WireFormat((self._codec.key, envelope), encoder, bytes, timeless=True, timed=envelope)
        tell = partial(self._codec.ephemeral, number)
        for kind in kinds:
            form = with_kind(form, kind, tell)
        return form

    def waiting_form(self, wish: Wish) -> WireFormat:
        """See `Tells.waiting_form`."""
        encoder = partial(WaitingMessages, codec=self._codec, id=wish.id, path=wish.path)
        return WireFormat((self._codec.key, "waiting"), encoder, bytes)

    def subscribed(self, wish: Wish, number: int, info: StreamInfo, start: str) -> bytes:
        """See `Tells.subscribed`."""
        told = m.Subscribed(wish.id, number, wish.path, info.content_type, start, info.tail, info.earliest)
        return self._codec.encode(told)

    def ended(self, number: int, offset: str, why: str) -> bytes:
        """See `Tells.ended`."""
        return self._codec.encode(m.End(number, offset, why))

    def refused(self, wish: Wish, error: HeadwaterError) -> bytes:
        """See `Tells.refused`; of what matches a pattern, with the path."""
        return self._codec.encode(problem(error, id=wish.id, path=wish.path if wish.pattern else None))


#: By subprotocol.
TELLINGS: Final = {name: Telling(codec) for name, codec in CODECS.items()}
