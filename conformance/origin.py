"""The real server behind the faults: what scenarios do to a stream, and what it truly holds."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from conformance.exchange import Head, Headers, body_parts, read_head
from conformance.scenario import Operation, StreamSetup
from headwater.protocol.framing import is_json, is_text

#: Seconds a server may take until it answers.
_START_SECONDS = 60.0


class Truth(msgspec.Struct, frozen=True):
    """A record that the stream holds; the offset is None where the server does not tell it."""

    data: Any
    offset: str | None


class Origin:
    """A server, by the URL below which its streams are.

    Args:
        root: such as `http://127.0.0.1:4437/v1/stream/`.

    Attributes:
        prefix: the path of the root.
    """

    def __init__(self, root: str) -> None:
        parts = urlsplit(root if root.endswith("/") else root + "/")
        self.prefix = parts.path
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of one's own."""
        return await asyncio.open_connection(self._host, self._port, limit=1 << 20)

    async def request(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> tuple[Head, bytes]:
        """One request, with its whole response."""
        reader, writer = await self.connect()
        own: Headers = [("Host", f"{self._host}:{self._port}"), ("Connection", "close")]
        if body or method in ("PUT", "POST"):
            own.append(("Content-Length", str(len(body))))
        try:
            writer.write(Head((method, target, "HTTP/1.1"), own + list(headers.items())).encode() + body)
            head = await read_head(reader)
            if method == "HEAD" or head.line[1] in ("204", "304"):
                return head, b""
            return head, b"".join([part async for part in body_parts(head, reader, is_response=True)])
        finally:
            writer.close()

    async def health(self) -> bool:
        """Whether it answers."""
        try:
            head, _ = await self.request("HEAD", self.prefix + "conformance-is-it-there", {})
        except OSError:
            return False
        return head.line[1] != "503"


class OriginStream:
    """One stream of it.

    Args:
        origin: the server.
        path: of the stream.

    Attributes:
        marks: the offset behind each append, the first of `create` included.
        beginning: the offset before the first record.
    """

    def __init__(self, origin: Origin, path: str) -> None:
        self._origin = origin
        self._target = origin.prefix + path
        self._type = "application/json"
        self.marks: list[str] = []
        self.beginning = ""

    async def create(self, setup: StreamSetup) -> None:
        """Make it as a scenario has it: each record by an append of its own, so that each is a batch."""
        self._type = setup.type
        head = await self._send("PUT", {"Content-Type": setup.type, **setup.headers})
        self.beginning = head.get("stream-next-offset") or ""
        await self.append(setup.records)
        if setup.closed:
            await self._send("POST", {"Stream-Closed": "true"})
        if setup.failed is not None:
            await self._fail(setup.failed)

    @property
    def is_json(self) -> bool:
        """Records are JSON values."""
        return is_json(self._type)

    async def append(self, records: list[Any]) -> None:
        """Append them one by one."""
        for record in records:
            head = await self._send("POST", {"Content-Type": self._type}, encode(record, self._type))
            self.marks.append(head.get("stream-next-offset") or "")

    async def do(self, operation: Operation) -> None:
        """What a scenario says."""
        match operation:
            case Operation(append=list() as records):
                await self.append(records)
            case Operation(create=StreamSetup() as setup):
                await self.create(setup)
            case Operation(close=True):
                await self._send("POST", {"Stream-Closed": "true"})
            case Operation(fail=dict() as failure):
                await self._fail(failure)
            case Operation(delete=True):
                await self._send("DELETE", {})
            case Operation(kept_from=str() as mark):
                await self._until_kept_from(self.marks[int(mark[1:]) - 1])
            case Operation(request=dict() as asked):
                body = asked.get("body", "").encode()
                await self._send(asked["method"], asked.get("headers", {}), body)
            case _:
                raise ValueError(f"an operation that does nothing: {operation}")

    async def _fail(self, failure: dict[str, str]) -> None:
        headers = {"Stream-Failure": failure["code"], "Stream-Failure-Message": failure.get("message", "")}
        await self._send("POST", {"Stream-Closed": "true", **{name: text for name, text in headers.items() if text}})

    async def _until_kept_from(self, offset: str) -> None:
        """Retention drops records within a second or so."""
        async with asyncio.timeout(_START_SECONDS):
            while ((await self._send("HEAD", {})).get("stream-earliest-offset") or "") < offset:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def _send(self, method: str, headers: dict[str, str], body: bytes = b"") -> Head:
        head, answer = await self._origin.request(method, self._target, headers, body)
        if head.line[1][0] != "2":
            raise ValueError(f"the server refuses what the scenario does: {method} {head.line[1]} {answer[:300]!r}")
        return head

    async def truth(self) -> tuple[list[Truth] | None, str]:
        """What it holds, None: there is no stream; and how it ended: `closed`, the code of its failure, or nothing."""
        # Of what has records that are kept apart Headwater tells each with its offset.
        queries = ["?last=1000&envelope=1", "?offset=-1"] if self.is_json else ["?offset=-1"]
        for query in queries:
            head, body = await self._origin.request("GET", self._target + query, {})
            if head.line[1] == "200":
                break
        else:
            return None, ""
        closed = head.get("stream-failure") or ("closed" if head.get("stream-closed") == "true" else "")
        media_type = head.get("content-type") or ""
        if "ndjson" in media_type:
            lines = [msgspec.json.decode(line) for line in body.splitlines()]
            return [Truth(_data_of(line), line["offset"]) for line in lines], closed
        return [Truth(record, None) for record in decode_body(body, media_type)], closed


def encode(record: Any, content_type: str) -> bytes:
    """A record as the body of an append."""
    if isinstance(record, dict) and set(record) == {"base64"}:
        return base64.b64decode(record["base64"])
    if is_json(content_type):
        # An array would be as many records.
        return msgspec.json.encode([record] if isinstance(record, list) else record)
    return str(record).encode()


def decode_body(body: bytes, content_type: str) -> list[Any]:
    """The records of a page; of what is no JSON all together."""
    if is_json(content_type):
        return list(msgspec.json.decode(body)) if body else []
    if not body:
        return []
    return [body.decode()] if is_text(content_type) else [{"base64": base64.b64encode(body).decode()}]


def _data_of(line: dict[str, Any]) -> Any:
    return {"base64": line["base64"]} if "base64" in line else line["data"]


@contextlib.asynccontextmanager
async def headwater(*, long_poll: float = 2.0) -> AsyncIterator[Origin]:
    """A Headwater of one's own, in memory.

    Args:
        long_poll: seconds for which it holds a long-poll.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["-m", "headwater.cli", "serve", "--no-banner", "--log-level", "warning", "--port", str(port)]
    settings = ["--store", "memory:", "--long-poll-seconds", f"{long_poll:g}", "--heartbeat-seconds", "1"]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, *settings)
    origin = Origin(f"http://127.0.0.1:{port}/v1/stream/")
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not await origin.health():
                if process.returncode is not None:
                    raise RuntimeError(f"the server ended with {process.returncode}")
                await asyncio.sleep(0.02)
        yield origin
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
