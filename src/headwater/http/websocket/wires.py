"""How connections are told, by what was agreed on with each: its subprotocol, and whether messages are compressed.

Rule: connections that agreed on the same are told by the same objects, so that what is made for one is made for all.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any, Final

from headwater.errors import MissingExtra
from headwater.http.live import kinds_of, with_kinds
from headwater.http.websocket.telling import Telling
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol import names
from headwater.protocol.compression import OF_MESSAGES, Compression
from headwater.protocol.ephemeral import Ephemeral, as_line
from headwater.protocol.headers import Headers
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.agreed import Deflate
from headwater.protocol.websocket.bare import LineMessages, RawMessages
from headwater.protocol.websocket.codec import Codec, Framing
from headwater.protocol.websocket.codecs import codecs
from headwater.protocol.websocket.single import AskedSingle


class Wires:
    """Those of a service.

    Args:
        compression: what is offered; None: nothing.

    Raises:
        MissingExtra: messages are to be compressed, and the library is not installed.
    """

    def __init__(self, compression: Compression | None) -> None:
        self._compression: Final = compression
        is_offered = compression is not None and OF_MESSAGES in compression.codings
        self._deflate: Final[Any] = _library() if is_offered else None
        #: By the window.
        self._framings: dict[int, Framing] = {}
        self._told: dict[int, dict[str, tuple[Codec, Telling]]] = {}

    def agree(self, headers: Headers) -> Deflate | None:
        """What is agreed on with a client; None: its messages and ours are sent as they are."""
        if self._deflate is None:
            return None
        agreed: Deflate | None = self._deflate.agree(headers.get(names.SEC_WEBSOCKET_EXTENSIONS, b""))
        return agreed

    def of(self, subprotocol: str, agreed: Deflate) -> tuple[Codec, Telling]:
        """The codec of a connection of many streams, and how its streams are told."""
        told = self._told.get(agreed.window)
        if told is None:
            framing, key = self._framing(agreed), (OF_MESSAGES, agreed.window)
            told = {codec.name: (codec, Telling(codec)) for codec in codecs(framing, key)}
            self._told[agreed.window] = told
        return told[subprotocol]

    def single(self, asked: AskedSingle, agreed: Deflate | None) -> WireFormat:
        """The wire format of a stream at its own URL."""
        framing, window = (frames.frame, 0) if agreed is None else (self._framing(agreed), agreed.window)
        command = asked.command
        if asked.raw:
            return WireFormat(("websocket-raw", window), partial(RawMessages, framing=framing), bytes, timeless=True)
        encoder, key = partial(LineMessages, envelope=command.envelope, framing=framing), command.envelope
        form = WireFormat(("websocket-lines", key, window), encoder, bytes, timeless=True, timed=command.envelope)
        return with_kinds(form, _as_message, kinds_of(command), command.heartbeat)

    def _framing(self, agreed: Deflate) -> Framing:
        found = self._framings.get(agreed.window)
        if found is None:
            settings = self._compression
            assert settings is not None, "it was agreed on"
            deflater = self._deflate.Deflater(agreed.window, level=settings.level, min_bytes=settings.min_bytes)
            found = self._framings[agreed.window] = deflater.frame
        return found


def _library() -> Any:
    try:
        return import_module("headwater.protocol.websocket.deflate")
    except ImportError:
        raise MissingExtra.of(OF_MESSAGES, "websocket") from None


def _as_message(event: Ephemeral) -> bytes:
    return frames.text(as_line(event)[:-1])
