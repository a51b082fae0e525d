"""The opening handshake of a WebSocket, on the server's side (RFC 6455 section 4.2).

Rule 1: only a request that has a field of the handshake is one. `Upgrade: websocket` alone is an offer like others, and
        is not taken (RFC 9110 section 7.8).
Rule 2: a page of an origin that is not allowed cannot connect, whatever it wants: browsers do not ask before, and send
        cookies along (section 10.2).
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Collection
from hashlib import sha1
from typing import Final

from headwater.errors import (
    BadRequest,
    OriginNotAllowed,
    SubprotocolNotSupported,
    UpgradeRequired,
    WebSocketVersionNotSupported,
)
from headwater.protocol import names
from headwater.protocol.cors import CorsPolicy
from headwater.protocol.headers import Headers
from headwater.protocol.http1 import may_have_body, offers_upgrade

#: Of the protocol as it is (section 4.1).
VERSION: Final = b"13"

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#: A copy takes a third of what a new one does.
_sha1: Final = sha1(usedforsecurity=False)
#: Sixteen bytes in base64, whose last character has four bits of them.
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")


def is_handshake(method: str, version: str, headers: Headers) -> bool:
    """Whether a request wants a WebSocket.

    Args:
        method: upper case.
        version: of HTTP.
        headers: as `headers.collect` gives them.
    """
    return (
        method == "GET"
        and version == "1.1"
        and (names.SEC_WEBSOCKET_KEY in headers or names.SEC_WEBSOCKET_VERSION in headers)
        and offers_upgrade(headers)
        and any(part.strip().lower() == b"websocket" for part in headers[names.UPGRADE].split(b","))
        and not may_have_body(headers)
    )


def check_key(headers: Headers, key: bytes) -> bytes:
    """What `Sec-WebSocket-Accept` must say.

    Args:
        headers: as `headers.collect` gives them.
        key: `Sec-WebSocket-Key`.

    Raises:
        BadRequest: there is no key, or it is none (section 4.2.1).
        WebSocketVersionNotSupported: another version of the protocol (section 4.4).
    """
    if headers.get(names.SEC_WEBSOCKET_VERSION) != VERSION:
        given = headers.get(names.SEC_WEBSOCKET_VERSION, b"none")[:20].decode("latin-1")
        raise WebSocketVersionNotSupported(
            f"Sec-WebSocket-Version is {given}, and 13 is spoken here", upgrade="websocket"
        )
    if not _KEY.fullmatch(key):
        raise BadRequest("Sec-WebSocket-Key is not the base64 of 16 bytes")
    return accept_of(key)


def accept_of(key: bytes) -> bytes:
    """The same for a key that is one."""
    hashed = _sha1.copy()
    hashed.update(key + _GUID)
    return b2a_base64(hashed.digest(), newline=False)


def check_page(policy: CorsPolicy, origin: bytes | None, host: bytes) -> None:
    """Refuse a page whose origin is not allowed; a program has none.

    Raises:
        OriginNotAllowed: it is such a page.
    """
    if origin is not None and not policy.allows(origin, host):
        raise OriginNotAllowed(f"pages of {origin.decode('latin-1')[:80]!r} may not connect here")


def offered(headers: Headers) -> tuple[str, ...]:
    """The subprotocols that the client offers, the preferred first."""
    value = headers.get(names.SEC_WEBSOCKET_PROTOCOL, b"").decode("latin-1")
    return tuple(name for part in value.split(",") if (name := part.strip(" \t")))


def choose(wanted: tuple[str, ...], spoken: Collection[str]) -> str:
    """The subprotocol of a connection: the first of the client's that is spoken here.

    Args:
        wanted: as `offered` gives them.
        spoken: here.

    Raises:
        SubprotocolNotSupported: none of them is, or none was offered.
    """
    for name in wanted:
        if name in spoken:
            return name
    given = ", ".join(wanted)[:80] or "none"
    raise SubprotocolNotSupported(f"Sec-WebSocket-Protocol offers {given}; spoken here: {', '.join(spoken)}")


def check_none(wanted: tuple[str, ...]) -> None:
    """Refuse subprotocols where none is spoken; a browser would give up without a reason.

    Raises:
        SubprotocolNotSupported: some are offered.
    """
    if wanted:
        given = ", ".join(wanted)[:80]
        raise SubprotocolNotSupported(f"a stream's own URL has no subprotocol, and {given} is offered; use -/connect")


def required() -> UpgradeRequired:
    """The refusal of a plain request where only a WebSocket is served."""
    return UpgradeRequired("-/connect is a WebSocket; the request is none (RFC 6455)", upgrade="websocket")
