"""A read of many streams in this process: its bytes taken by hand, its cursor and its records as a client has them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable
from typing import Any, Final, Self
from urllib.parse import urlencode

from headwater import Hub
from headwater.hub.live.many.arrival import ManyArrival
from headwater.hub.live.many.asked import AccessOf, Asked
from headwater.hub.live.many.reader import ManyReader
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.protocol.many import MAX_STREAMS, Names, parse_get
from headwater.protocol.sse import Parser, ServerEvent

JSON: Final = "application/json"


class Sink(BufferSink):
    """One that tells its owner of its end, as those of sockets and of ASGI servers do."""

    def finish(self) -> None:
        """See `Sink.finish`."""
        super().finish()
        asyncio.get_running_loop().call_soon(self._gone)

    def _gone(self) -> None:
        assert self._owner is not None
        self._owner.lost()


class PacketSink(Sink):
    """A sink on a socket of which each system call is one packet at the other end.

    Args:
        has_descriptor: the engine may write past it.
    """

    def __init__(self, *, has_descriptor: bool = True) -> None:
        super().__init__()
        self._other, self._own = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._other.setblocking(False)
        self.descriptor = self._own.fileno() if has_descriptor else None

    def write(self, data: bytes | memoryview) -> None:
        """See `Sink.write`: as a transport does that holds nothing."""
        self._own.send(data)

    def packets(self) -> list[bytes]:
        """What was written since, write by write."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self._other.recv(65536))
        return found

    def take(self) -> bytes:
        """See `BufferSink.take`."""
        return b"".join(self.packets())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, at: object) -> None:
        self._other.close()
        self._own.close()


class ManyClient:
    """A client that drops what is at or below the offset that it has of a stream, as the docs say.

    Args:
        hub: that is read.
        names: of streams, and patterns.
        max_streams: at a time.
        high_water: of its sinks.
        sink: of its first connection.

    Attributes:
        records: by stream.
        said: all else that was told: name, data.
        cursor: to come back with.
        again: records that were dropped.
        reader: while it is connected.
        sink: its bytes.
    """

    def __init__(
        self,
        hub: Hub,
        *names: str,
        max_streams: int = MAX_STREAMS,
        high_water: int = 64 * 1024,
        sink: Sink | None = None,
    ) -> None:
        self.records: dict[str, list[Any]] = {}
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.cursor = ""
        self.again = 0
        self._seen: dict[str, str] = {}
        self._hub = hub
        self._names = names
        self._max_streams = max_streams
        self._high_water = high_water
        self._given = sink

    def connect(self, *, access: AccessOf | None = None, **fields: str) -> ManyReader:
        """Come, or come back."""
        query = urlencode([*fields.items(), *(("stream", name) for name in self._names)])
        headers = {b"accept": b"text/event-stream"}
        if self.cursor:
            headers[b"last-event-id"] = self.cursor.encode()
        command = parse_get(query.encode(), headers, Names(private=self._hub.private))
        asked = Asked(command, Peer("events"), access=access, private=self._hub.private, max_streams=self._max_streams)
        given, self._given = self._given, None
        self.sink = given or Sink(self._high_water)
        self._parser = Parser()
        form = WireFormat(("test",), asked.encoder(""), bytes, timeless=True)
        self.reader = ManyArrival(self._hub.live, asked).push(form, self.sink, b"")
        return self.reader

    def take(self) -> None:
        """Take all that was written."""
        self.feed(self.sink.take())

    def feed(self, data: bytes) -> None:
        """Take some bytes."""
        for event in self._parser.feed(data):
            self._event(event)
        self.cursor = self._parser.last_event_id.decode() or self.cursor

    def lose(self, keep: int | None = None) -> None:
        """Lose the connection, with what was not read of it but some bytes."""
        data = self.sink.take()
        self.feed(data if keep is None else data[:keep])
        self.sink.lose()

    def _event(self, event: ServerEvent) -> None:
        data = json.loads(event.data)
        if event.event:
            self.said.append((event.event.decode(), data))
            return
        stream, offset = data["stream"], data["offset"]
        if offset <= self._seen.get(stream, ""):
            self.again += 1
            return
        self._seen[stream] = offset
        self.records.setdefault(stream, []).append(data.get("data", data.get("base64")))

    def names(self, stream: str | None = None) -> list[str]:
        """The names of what was told, of a stream or of all."""
        return [name for name, data in self.said if stream is None or data.get("stream") == stream]


async def until(true: Callable[[], object], *clients: ManyClient) -> None:
    """Wait for something, while clients take what comes."""
    async with asyncio.timeout(60):
        while True:
            for client in clients:
                client.take()
            if true():
                return
            await asyncio.sleep(0.005)


async def json_streams(hub: Hub, *paths: str) -> None:
    """Make streams of JSON, in a hub whose cursors are told often."""
    hub.runtime.cursors.every = 0.05
    for path in paths:
        await hub.create(path, content_type=JSON)
