"""The server that makes faults: it stands in front of a real one.

Rule 1: a request is a case's by the first segment of its URL, so that nothing of one run reaches another.
Rule 2: a connection has one request, so that what happens to a response happens to nothing else.
Rule 3: below `/-/` are files, for a client in a page: a browser tells a page little of what fails at another origin.
"""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import sys
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

from conformance.answers import Response
from conformance.case import Case
from conformance.exchange import Head, body_parts, read_head
from conformance.scenario import Fault

_GONE = (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError)


class FaultServer:
    """One of them; made by `fault_server`.

    Args:
        pages: the folder of those files.

    Attributes:
        address: such as `http://127.0.0.1:40123`.
        cases: by the first segment of their URLs.
        mistakes: of this server itself.
    """

    def __init__(self, pages: Path | None = None) -> None:
        self._pages = pages
        self.address = ""
        self.cases: dict[str, Case] = {}
        self.mistakes: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._respond(reader, writer)
        except _GONE:
            pass  # the client, or the server, ended the connection
        except asyncio.CancelledError:
            pass  # the run is over
        except Exception:
            self.mistakes.append(traceback.format_exc())
            sys.stderr.write(self.mistakes[-1])
        finally:
            self._tasks.discard(task)
            with contextlib.suppress(Exception):
                writer.close()

    async def _respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        if (head.get("expect") or "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = b"".join([part async for part in body_parts(head, reader, is_response=False)])
        first, _, rest = head.line[1].partition("?")[0][1:].partition("/")
        if first == "-" and self._pages is not None and (file := self._pages / Path(rest).name).is_file():
            writer.write(_file(file))
            return
        case = self.cases.get(first)
        if case is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        async with case.busy:
            fault = case.next(head)
        if fault.after:
            async with case.busy:
                await self._give(case, head, body, fault, reader, writer)
                # The next request may come as soon as this response is over, and must find what is done behind it.
                await case.do(fault.after)
        else:
            await self._give(case, head, body, fault, reader, writer)

    async def _give(
        self,
        case: Case,
        head: Head,
        body: bytes,
        fault: Fault,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        response = asyncio.create_task(Response(case, head, body, fault, reader, writer).run())
        if (head.get("upgrade") or "").lower() == "websocket":
            gone = asyncio.create_task(_closed(writer))
        else:
            gone = asyncio.create_task(_left(reader))
        try:
            await asyncio.wait({response, gone}, return_when=asyncio.FIRST_COMPLETED)
            if response.done():
                response.result()
        finally:
            for task in (response, gone):
                task.cancel()
            await asyncio.gather(response, gone, return_exceptions=True)

    async def end(self) -> None:
        """End all connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _file(path: Path) -> bytes:
    body = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


async def _left(reader: asyncio.StreamReader) -> None:
    """Wait until the client ends the connection; it has no more to say on it."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(65536):
            pass


async def _closed(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def fault_server(pages: Path | None = None) -> AsyncIterator[FaultServer]:
    """One that listens on a port of its own."""
    found = FaultServer(pages)
    server = await asyncio.start_server(found.handle, "127.0.0.1", 0, limit=1 << 20)
    found.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        await found.end()
