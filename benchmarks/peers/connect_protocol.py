"""The least that Python does for a connection: uvloop, a head that httptools parses, and fixed responses.

connect_protocol.py PORT EVENTS READ APPENDED, as load/connect_server.c.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import httptools
import uvloop

EVENTS, READ, APPENDED = (word.encode() for word in sys.argv[2:5])


class Connection(asyncio.Protocol):
    """One connection, kept alive until its client closes it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._parser = httptools.HttpRequestParser(self)
        self._response = READ

    def connection_lost(self, error: Exception | None) -> None:
        """It is closed; the parser, which holds this object, is let go without the garbage collector."""
        del self._parser

    def data_received(self, data: bytes) -> None:
        """Some of a request."""
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        if value == b"text/event-stream" and name.lower() == b"accept":
            self._response = EVENTS

    def on_message_complete(self) -> None:
        """A request is there to its last byte."""
        if self._parser.get_method() == b"POST":
            self._response = APPENDED
        self._transport.write(self._response)
        self._response = READ


async def main(port: int) -> None:
    """Serve for ever."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


uvloop.run(main(int(sys.argv[1])))
