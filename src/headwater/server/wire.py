"""A connection as those see it who write a response to it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from headwater.http.exchange import BodyDone, Exchange
from headwater.server.inbound import Inbound
from headwater.server.shared import Shared


class Wire(Protocol):
    """A connection with a request under way.

    Attributes:
        transport: below it.
        shared: what all connections have.
        inbound: what comes in.
        has_asked: the client was told to send its body.
    """

    transport: asyncio.Transport
    shared: Shared
    inbound: Inbound
    has_asked: bool

    def put(self, data: bytes) -> None:
        """See `Outgoing.put`."""
        ...

    def held(self) -> int:
        """See `Outgoing.held`."""
        ...

    async def taken(self) -> None:
        """See `Outgoing.taken`."""
        ...

    def peer(self) -> tuple[str, int] | None:
        """Host and port of the other end; None: it has none."""
        ...

    def is_current(self, exchange: Exchange) -> bool:
        """Whether an exchange is the one under way, on a connection that is there."""
        ...

    def keeps_alive(self, exchange: Exchange) -> bool:
        """Whether the connection goes on behind the response to an exchange, which is the one under way."""
        ...

    def give(self, exchange: Exchange, data: bytes) -> bool:
        """Write the whole response to an exchange, if the connection goes on behind it; False: see `keeps_alive`."""
        ...

    def read_body(self, exchange: Exchange, done: BodyDone) -> None:
        """Have the body of the request under way read; see `Exchange.read_body`, for what it raises too."""
        ...

    def end_response(self, *, closes: bool, unread: bool = False) -> None:
        """The response to the request under way is written.

        Args:
            closes: it is the last one.
            unread: the client may still send what belongs to its request.
        """
        ...

    def cut(self, *, at_once: bool) -> None:
        """End a response that cannot be finished; its client sees no end of it.

        Args:
            at_once: drop what is held.
        """
        ...

    def take(self) -> None:
        """Give the connection away, with what came behind its request: `inbound.rest`."""
        ...
