"""A provider's double on a real socket: it answers what it is told to, byte by byte, and sees who goes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import msgspec


class Asked(msgspec.Struct):
    """A request as it came in; `gone` is set when the client went before the answer's end."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    gone: asyncio.Event


class Provider:
    """Answers each request with the next of `pieces`: bytes are sent, an event is waited for, None cuts.

    Attributes:
        asked: the requests, in order.
        url: the base URL, with `/v1`.
        head: the answer's status line and headers, without the blank line.
        pieces: the answer's body.
        hold: waited for before the head is sent.
        arrived: set with the first request.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self.head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req-1"
        self.pieces: list[bytes | asyncio.Event | None] = []
        self.hold: asyncio.Event | None = None
        self.arrived = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            asked = await _read(reader)
            self.asked.append(asked)
            self.arrived.set()
            watcher = asyncio.create_task(_watch(reader, asked.gone))
            if self.hold is not None:
                await self.hold.wait()
            writer.write(self.head + b"\r\nconnection: close\r\n\r\n")
            for piece in self.pieces:
                if piece is None:
                    reset = struct.pack("ii", 1, 0)  # without lingering, a close is a reset
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    writer.transport.abort()
                    return
                if isinstance(piece, bytes):
                    writer.write(piece)
                    await writer.drain()
                else:
                    waiting = [asyncio.create_task(piece.wait()), asyncio.create_task(asked.gone.wait())]
                    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    for task in waiting:
                        task.cancel()
            watcher.cancel()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body, asyncio.Event())


async def _watch(reader: asyncio.StreamReader, gone: asyncio.Event) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()
    gone.set()


@contextlib.asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """A provider on a free port."""
    double = Provider()
    server = await asyncio.start_server(double.serve, "127.0.0.1", 0)
    double.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield double


def chunk(content: str = "", finish: str | None = None, **more: Any) -> bytes:
    """A chunk of OpenAI's chat completions, as an event."""
    delta = {"content": content} if content else {}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    value = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
