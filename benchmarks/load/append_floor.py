"""The least that an append takes in Python: uvloop and httptools answer 204, behind a group commit or at once.

    python append_floor.py PORT [DATABASE]

Nothing is looked at but the end of a request: no path, no type, no limit, no state. With DATABASE all bodies that wait
when the thread comes back are one row of one table, and one commit with `synchronous=full`, as the store's writer
makes it; who sent them is answered behind it, in the event loop.
"""

from __future__ import annotations

import asyncio
import sys
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

import apsw
import httptools
import msgspec
import uvloop

RESPONSE: Final = (
    b"HTTP/1.1 204 No Content\r\ndate: Tue, 01 Dec 2026 12:00:00 GMT\r\n"
    b"stream-next-offset: 0000000000000001_0000000000000090\r\n\r\n"
)

Batch = list[tuple[asyncio.Transport, bytes]]


class Commits:
    """The thread that writes. What comes in one turn of the loop is handed over in one piece."""

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: SimpleQueue[Batch] = SimpleQueue()
        self._collected: Batch = []
        self._path = path
        Thread(target=self._work, daemon=True).start()

    def add(self, transport: asyncio.Transport, body: bytes) -> None:
        """Keep a body, and answer."""
        if not self._collected:
            self._loop.call_soon(self._hand_over)
        self._collected.append((transport, body))

    def _hand_over(self) -> None:
        self._queue.put(self._collected)
        self._collected = []

    def _work(self) -> None:
        database = apsw.Connection(self._path)
        for sql in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = full",
            "CREATE TABLE journal (number INTEGER PRIMARY KEY, entry BLOB NOT NULL)",
        ):
            database.execute(sql).fetchall()
        encode = msgspec.msgpack.Encoder().encode
        while True:
            batch = self._queue.get()
            while not self._queue.empty():
                batch += self._queue.get()
            database.execute("BEGIN IMMEDIATE").fetchall()
            entry = encode([body for _, body in batch])
            database.execute("INSERT INTO journal (entry) VALUES (?)", (entry,)).fetchall()
            database.execute("COMMIT").fetchall()
            self._loop.call_soon_threadsafe(self._answer, batch)

    def _answer(self, batch: Batch) -> None:
        for transport, _ in batch:
            transport.write(RESPONSE)


class Connection(asyncio.Protocol):
    """Reads requests one after the other."""

    def __init__(self, commits: Commits | None) -> None:
        self._commits = commits
        self._body = b""

    def connection_made(self, transport: Any) -> None:
        """A client is there."""
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        """A part of a body."""
        self._body += data

    def on_message_complete(self) -> None:
        """A request is whole."""
        body, self._body = self._body, b""
        if self._commits is None:
            self._transport.write(RESPONSE)
        else:
            self._commits.add(self._transport, body)


async def main() -> None:
    """Serve until it is ended."""
    loop = asyncio.get_running_loop()
    commits = Commits(sys.argv[2], loop) if len(sys.argv) > 2 else None
    server = await loop.create_server(lambda: Connection(commits), "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
