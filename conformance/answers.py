"""One request to the fault server: what of its response comes, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from conformance import forged
from conformance.bodies import Coding, Limit, pieces
from conformance.case import Case
from conformance.exchange import LAST_CHUNK, Head, body_parts, chunk, read_head
from conformance.scenario import Fault
from conformance.sockets import Frames, client_text, message_of
from headwater.protocol import names
from headwater.protocol.responses import Answer
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.handshake import VERSION, check_key

_PART: Final = 65536


class Reset(Exception):
    """The connection ends without a word."""


class Response:
    """The response to one request.

    Args:
        case: what is tested.
        head: of the request.
        body: of the request.
        fault: what happens to it.
        reader: of the client's connection.
        writer: of the same.
    """

    def __init__(
        self,
        case: Case,
        head: Head,
        body: bytes,
        fault: Fault,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._case = case
        self._head = head
        self._body = body
        self._fault = fault
        self._reader = reader
        self._writer = writer
        self._limit = Limit(fault.cut)
        self._silence = Limit(fault.silent)
        self._coding = Coding(fault, fault.insert.get(case.transport, ""))
        self._has_begun = False
        self._is_socket = (head.get("upgrade") or "").lower() == "websocket"

    async def run(self) -> None:
        """Give it, until its end or the client's."""
        fault = self._fault
        await self._case.do(fault.before)
        try:
            await asyncio.sleep(fault.delay / 1000)
            if fault.refuse:
                raise Reset
            if fault.problem is not None:
                await self._give(forged.refusal(fault.problem))
            elif fault.status is not None:
                await self._canned(fault.status)
            elif fault.tell is not None:
                await self._told(fault.tell)
            else:
                await self._served()
        except Reset:
            _reset(self._writer)
        finally:
            if self._limit.is_reached:
                self._case.cuts_reached += 1

    # In place of the server.

    async def _canned(self, status: int) -> None:
        media_type = self._fault.media_type
        headers = [(b"content-type", media_type.encode())] if media_type is not None else []
        await self._give(Answer(status, headers, self._fault.body.encode()))

    async def _give(self, answer: Answer) -> None:
        headers = [(name.decode(), value.decode()) for name, value in answer.headers]
        head = Head(("HTTP/1.1", str(answer.status), "As the scenario says"), headers)
        await self._send(head, _one(answer.body), size=len(answer.body))

    async def _told(self, events: list[object]) -> None:
        stream = await self._case.stream()
        if self._is_socket:
            await self._told_on_socket(events, stream)
        elif self._case.transport == "long-poll":
            await self._give(forged.page(events, stream))
        else:
            answer = forged.head_of(self._case.transport, stream)
            headers = [(name.decode(), value.decode()) for name, value in answer.headers]
            body = forged.told(events, self._case.transport, stream)
            await self._send(Head(("HTTP/1.1", "200", "OK"), headers), _one(body), size=None)

    async def _told_on_socket(self, events: list[object], stream: forged.Stream) -> None:
        self._writer.write(_switching(self._head).encode())
        parser = Frames()
        while data := await self._reader.read(_PART):
            for opcode, payload, _ in parser.feed(data):
                message = message_of(opcode, payload) or {}
                if message.get("t") == "hello":
                    self._pass(forged.welcome())
                elif message.get("t") == "sub":
                    self._pass(forged.subscribed(message, stream) + forged.told(events, "websocket", stream))
                    await self._case.do(self._fault.then)
                    if (end := forged.close_of(events)) is not None:
                        self._pass(end)
                        return
                elif opcode == 8:
                    return

    # By the server.

    async def _served(self) -> None:
        reader, writer = await self._case.origin.connect()
        try:
            writer.write(self._for_origin().encode() + self._body)
            if self._is_waiting:
                await self._case.do(self._fault.then)
            head = await read_head(reader)
            if head.line[1] == "101":
                await self._socket(head, reader, writer)
                return
            if self._fault.lose:
                raise Reset
            parts = body_parts(head, reader, is_response=True)
            empty = self._head.line[0] == "HEAD" or head.line[1] in ("204", "304")
            length = head.get("content-length")
            await self._send(
                head, _one(b"") if empty else parts, size=None if length is None else int(length), empty=empty
            )
        finally:
            writer.close()

    @property
    def _is_waiting(self) -> bool:
        return "live=long-poll" in self._head.line[1]

    def _for_origin(self) -> Head:
        method, target, version = self._head.line
        head = Head((method, self._case.inner(target), version), list(self._head.headers))
        head.put("Host", "127.0.0.1")
        if not self._is_socket:
            head.put("Connection", "close")
            head.put("Transfer-Encoding", None)
            head.put("Content-Length", str(len(self._body)) if self._body or method in ("PUT", "POST") else None)
        # A page may not read what its origin is not allowed to; that is the server's own matter.
        if self._fault.gzip or self._fault.insert or self._fault.cut is not None:
            head.put("Accept-Encoding", "identity")
        if self._fault.rewind:
            _rewind(head)
        if self._is_socket and self._needs_text:
            head.put("Sec-WebSocket-Protocol", "headwater.v1+json")
        return head

    @property
    def _needs_text(self) -> bool:
        fault = self._fault
        return fault.rewind or fault.lose or bool(fault.insert) or bool(fault.then)

    async def _socket(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer.write(head.encode())
        insert = self._fault.insert.get("websocket", "")
        if insert:
            self._writer.write(frames.text(insert.encode()))
        upward = asyncio.create_task(self._upward(writer))
        try:
            await self._downward(reader)
        finally:
            upward.cancel()

    async def _upward(self, writer: asyncio.StreamWriter) -> None:
        parser = Frames()
        while data := await self._reader.read(_PART):
            if self._fault.rewind:
                data = b"".join(_rewound(*each) for each in parser.feed(data))
            writer.write(data)
        writer.close()

    async def _downward(self, reader: asyncio.StreamReader) -> None:
        parser = Frames()
        while data := await reader.read(_PART):
            if self._fault.lose:
                self._until_answered(parser, data)
            elif self._fault.how == "clean" and self._fault.cut is not None:
                await self._whole_frames(parser, data)
            elif self._fault.then and not self._has_begun and self._begins(parser, data):
                self._has_begun = True
                self._writer.write(self._limit.take(data))
                await self._case.do(self._fault.then)
            elif await self._cut(data):
                return

    def _begins(self, parser: Frames, data: bytes) -> bool:
        """Whether the stream's first answer is complete: what is done behind the head is done now."""
        found = [message_of(opcode, payload) or {} for opcode, payload, _ in parser.feed(data)]
        return any(message.get("t") in ("live", "waiting", "end", "err") for message in found)

    def _until_answered(self, parser: Frames, data: bytes) -> None:
        """The first answer to a message, and all behind it, is lost with the connection."""
        for opcode, payload, whole in parser.feed(data):
            if (message_of(opcode, payload) or {}).get("t") in ("ok", "err"):
                raise Reset
            self._writer.write(whole)

    async def _whole_frames(self, parser: Frames, data: bytes) -> None:
        for _, _, whole in parser.feed(data):
            self._limit.take(whole)
            if self._limit.is_reached:
                self._writer.write(frames.close(self._fault.code))
                raise asyncio.IncompleteReadError(b"", None)
            self._writer.write(whole)

    def _pass(self, data: bytes) -> None:
        self._writer.write(data)

    async def _cut(self, data: bytes) -> bool:
        """Send a part of what is not framed by this server; whether it was cut."""
        for piece in pieces(data, self._fault.pieces):
            self._writer.write(self._silence.take(self._limit.take(piece)))
            await self._rest_a_little()
        if self._silence.is_reached:
            await self._hold()
        if self._limit.is_reached:
            self._end_cut()
            return True
        return False

    # The response as it goes out.

    async def _send(self, head: Head, parts: AsyncIterator[bytes], *, size: int | None, empty: bool = False) -> None:
        fault = self._fault
        changes = fault.gzip or bool(fault.insert.get(self._case.transport)) or fault.how == "clean"
        is_chunked = not empty and (size is None or (changes and bool(size)))
        head.put("Connection", "close")
        head.put("Transfer-Encoding", "chunked" if is_chunked else None)
        head.put("Content-Length", None if is_chunked or empty else str(size))
        if fault.gzip:
            head.put("Content-Encoding", "gzip")
        for name, value in fault.headers.items():
            head.put(name, None if value is None else self._case.fill(value, self._head.line[1]))
        self._writer.write(head.encode())
        await self._writer.drain()
        if not self._is_waiting:
            await self._case.do(fault.then)
        if empty:
            return
        if await self._edge(is_chunked):
            return
        try:
            async for part in parts:
                if await self._part(self._coding.encode(part), is_chunked):
                    return
        except asyncio.IncompleteReadError:
            raise Reset from None  # the server's own response was cut, and so is this one
        if await self._part(self._coding.end(), is_chunked):
            return
        if is_chunked:
            self._writer.write(LAST_CHUNK)

    async def _part(self, data: bytes, is_chunked: bool) -> bool:
        for piece in pieces(data, self._fault.pieces):
            sent = self._silence.take(self._limit.take(piece))
            if sent:
                self._writer.write(chunk(sent) if is_chunked else sent)
                await self._rest_a_little()
            if await self._edge(is_chunked):
                return True
        return False

    async def _edge(self, is_chunked: bool) -> bool:
        if self._silence.is_reached:
            await self._hold()
        if not self._limit.is_reached:
            return False
        if self._fault.how == "clean":
            if is_chunked:
                self._writer.write(LAST_CHUNK)
        else:
            self._end_cut()
        return True

    def _end_cut(self) -> None:
        if self._fault.how == "reset":
            raise Reset

    async def _rest_a_little(self) -> None:
        await self._writer.drain()
        if self._fault.pause:
            await asyncio.sleep(self._fault.pause / 1000)

    async def _hold(self) -> None:
        await asyncio.Event().wait()


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _switching(head: Head) -> Head:
    key = (head.get("sec-websocket-key") or "").encode()
    accept = check_key({names.SEC_WEBSOCKET_VERSION: VERSION}, key)
    headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept.decode()),
        ("Sec-WebSocket-Protocol", "headwater.v1+json"),
    ]
    return Head(("HTTP/1.1", "101", "Switching Protocols"), headers)


def _rewind(head: Head) -> None:
    method, target, version = head.line
    parts = urlsplit(target)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("offset", "cursor")]
    head.line = (method, f"{parts.path}?{urlencode([*query, ('offset', '-1')])}", version)
    head.put("Last-Event-ID", None)
    head.put("If-None-Match", None)


def _rewound(opcode: int, payload: bytes, whole: bytes) -> bytes:
    message = message_of(opcode, payload)
    if message is None or message.get("t") != "sub":
        return whole
    return client_text({**message, "from": "-1"})


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST in place of FIN."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
