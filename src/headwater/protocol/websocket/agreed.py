"""What a client and the server agree on in the handshake beside the subprotocol."""

from __future__ import annotations

from typing import Final

import msgspec

#: The window of deflate that needs no word, as a power of two.
MAX_WINDOW: Final = 15


class Deflate(msgspec.Struct, frozen=True, gc=False):
    """Messages may be compressed; see `deflate`.

    Attributes:
        header: `Sec-WebSocket-Extensions` of the response.
        window: of what the server sends, as a power of two.
        client_window: of what the client sends.
    """

    header: bytes
    window: int = MAX_WINDOW
    client_window: int = MAX_WINDOW
