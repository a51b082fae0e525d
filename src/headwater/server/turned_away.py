"""A connection of which there are too many: told so, and closed.

Rule 1: the head is waited for, because it says whose page asks: without CORS headers a page sees a network error, and
        not the 503 with its `Retry-After`. What the head wants is not looked at.
Rule 2: they are few (`MAX_TURNED_AWAY`) and stay for `SECONDS`. One that finds no place is told at once.
"""

from __future__ import annotations

import asyncio
from typing import Final

from headwater.errors import TooManyConnections
from headwater.http.http1 import response_bytes
from headwater.server.head_cache import parse_head
from headwater.server.inbound import END
from headwater.server.shared import Shared

#: Connections that wait for their heads, or for their clients to take the refusal.
MAX_TURNED_AWAY: Final = 64
#: Seconds for both together.
SECONDS: Final = 1.0


class TurnedAway(asyncio.Protocol):
    """One of them.

    Args:
        shared: what the connections of a server share.
        transport: of the connection, whose protocol this becomes.
    """

    def __init__(self, shared: Shared, transport: asyncio.Transport) -> None:
        self._shared = shared
        self._transport = transport
        self._head: bytes | None = b""
        transport.set_protocol(self)
        if len(shared.turned_away) >= MAX_TURNED_AWAY:
            self._refuse()
            transport.close()
            return
        shared.turned_away.add(self)
        shared.timers.after(SECONDS, self._late)

    def data_received(self, data: bytes) -> None:
        """Some of the head, or what is thrown away behind it."""
        if self._head is None:
            return
        self._head += data
        if END in self._head or len(self._head) > self._shared.limits.max_header_bytes:
            self._refuse()

    def eof_received(self) -> bool:
        """The client sends nothing more; returns False: the connection closes."""
        self._refuse()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._head = None
        self._shared.turned_away.discard(self)

    def stop(self) -> None:
        """See `Stoppable`."""
        self._late()

    def abort(self) -> None:
        """See `Stoppable`."""
        self._transport.abort()

    def _late(self) -> None:
        self._refuse()
        self._transport.close()

    def _refuse(self) -> None:
        if self._head is None:
            return
        data, self._head = self._head, None
        shared, transport = self._shared, self._transport
        service, most = shared.service, shared.limits.max_connections
        head = parse_head(data[: shared.limits.max_header_bytes]) if data else None
        error = TooManyConnections(f"there are max_connections={most} connections already")
        answer = service.refused(error, None)
        transport.write(response_bytes(answer, shared.clock.line(), service.headers(head), keep_alive=False))
        # What came unread, or comes now, would have the connection reset, and the refusal with it.
        if transport.can_write_eof():
            transport.write_eof()
