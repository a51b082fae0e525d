"""The door: a connection until its first request is there, before it is known what it needs.

Rule 1: a live read that the lane takes leaves by here with its transport, and uvicorn's protocol and parser are never
        made. Everything else gets the whole protocol, which begins where the door is.
Rule 2: the door answers nothing. Refusals and timeouts are the protocol's.
"""

from __future__ import annotations

import asyncio
from typing import Any

from headwater.server.fastlane import FastLane
from headwater.server.lanes import END_OF_HEAD, LaneProtocol


class Door(asyncio.Protocol):
    """One connection. Subclassed by `door`, which sets these.

    Args:
        words: what uvicorn makes a protocol with.

    Attributes:
        protocol: what a connection gets that is no plain live read.
        lane: what takes live reads.
    """

    protocol: type[LaneProtocol]
    lane: FastLane

    __slots__ = ("_since", "_state", "_timer", "_transport", "_words")

    _timer: asyncio.TimerHandle | None
    _transport: asyncio.Transport

    def __init__(self, **words: Any) -> None:
        self._words = words
        self._state = words["server_state"]
        self._timer = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is due from here."""
        self._transport = transport
        connections = self._state.connections
        connections.add(self)
        loop = self._words["_loop"] = self._words["_loop"] or asyncio.get_running_loop()
        self._since = loop.time()
        if len(connections) + self.protocol.stats.pushed > self.protocol.max_connections:
            self._enter(admitted=False)
            return
        self._timer = loop.call_later(self.protocol.head_seconds, self._timed_out)

    def data_received(self, data: bytes) -> None:
        """A whole head of a live read may stay in the lane; everything else goes in."""
        if data.endswith(END_OF_HEAD) and self.protocol.max_header_bytes >= len(data):
            # One empty line, and it is at the end: the head is all there is.
            command = self.lane.live(data) if data.find(END_OF_HEAD) + 4 == len(data) else None
            if command is not None and self.lane.listen(command, self._transport, self._state.default_headers):
                self._leave()
                return
        self._enter().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody came in."""
        self._leave()

    def shutdown(self) -> None:
        """The server stops (called by uvicorn)."""
        self._transport.close()

    def _leave(self) -> None:
        self._state.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _enter(self, *, admitted: bool = True) -> LaneProtocol:
        self._leave()
        protocol = self.protocol(**self._words)
        protocol.admitted = admitted
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.was_silent(self._words["_loop"].time() - self._since)
        return protocol

    def _timed_out(self) -> None:
        self._timer = None
        self._enter()


def door(protocol: type[LaneProtocol]) -> type[Door]:
    """The door before a protocol with the fast lane, for `uvicorn.Config(http=...)`."""
    return type("ConfiguredDoor", (Door,), {"__slots__": (), "protocol": protocol, "lane": protocol.lane})
