"""permessage-deflate (RFC 7692), in the one form whose frames are the same for every reader.

Rule 1: a message refers to no earlier one, in either direction. So one that is compressed is compressed once for all
        who agreed on the same window, and an idle connection keeps no context.
Rule 2: a message that is small, or that compression does not make smaller, goes as it is, which every client takes.
Rule 3: what is agreed on, and what comes in, are the library `websockets`'. What goes out is ours, since it is shared.
"""

from __future__ import annotations

from typing import Final, Self

from websockets.exceptions import InvalidHeader, NegotiationError
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.headers import build_extension, parse_extension

from headwater.protocol.coding import Recent
from headwater.protocol.compressors import find
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.agreed import MAX_WINDOW, Deflate

#: What a frame's first byte says of a message that is compressed (section 6).
COMPRESSED: Final = 0x40
#: With what a flush ends, which is left out (section 7.2.1).
_END: Final = b"\x00\x00\xff\xff"

_NAME: Final = "permessage-deflate"
_factory: Final = ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)


def agree(offers: bytes) -> Deflate | None:
    """What is agreed on with a client: the first of its offers that can be met; None: there is none.

    Args:
        offers: its `Sec-WebSocket-Extensions`. What is malformed is no offer.
    """
    try:
        offered = parse_extension(offers.decode("latin-1")) if offers else []
    except InvalidHeader:
        return None
    for name, parameters in offered:
        if name != _NAME:
            continue
        try:
            answer, found = _factory.process_request_params(parameters, [])
        except NegotiationError:  # also of parameters that are unknown, twice there, or out of range
            continue
        header = build_extension([(name, answer)]).encode()
        return Deflate(header, found.local_max_window_bits, found.remote_max_window_bits)
    return None


def inflater(agreed: Deflate) -> PerMessageDeflate:
    """What reads the messages of a client; no longer than one is under way."""
    return PerMessageDeflate(
        remote_no_context_takeover=True,
        local_no_context_takeover=True,
        remote_max_window_bits=agreed.client_window,
        local_max_window_bits=agreed.window,
    )


class Deflater:
    """Makes frames, compressed where that pays.

    Args:
        window: as a power of two, 9 to 15.
        level: 1 (fast) to 9 (small).
        min_bytes: a smaller message goes as it is.
    """

    def __init__(self, window: int = MAX_WINDOW, *, level: int = 6, min_bytes: int = 1024) -> None:
        self._window: Final = window
        self._level: Final = level
        self._min: Final = min_bytes
        self._library: Final = find("gzip")
        # Many readers that come to one offset are sent what was compressed for the first of them.
        self._recent: Final = Recent(self._compress)

    def __deepcopy__(self, memo: object) -> Self:
        """It remembers nothing of a reader."""
        return self

    def frame(self, first: int, payload: bytes) -> bytes:
        """See `frames.frame`."""
        if len(payload) < self._min:
            return frames.frame(first, payload)
        small = self._recent.get(payload)
        if len(small) >= len(payload):
            return frames.frame(first, payload)
        return frames.frame(first | COMPRESSED, small)

    def _compress(self, payload: bytes) -> bytes:
        library = self._library
        deflate = library.compressobj(self._level, library.DEFLATED, -self._window)
        data: bytes = deflate.compress(payload) + deflate.flush(library.Z_SYNC_FLUSH)
        return data.removesuffix(_END)
