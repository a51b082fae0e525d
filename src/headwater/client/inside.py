"""The way to the streams of a hub in this process: its application is called, and no socket is opened.

Rule 1: nothing is sent that nobody has asked for: the application waits in `send` until the piece before is taken.
Rule 2: the hub is whatever has `inside`, an ASGI application; nothing of it is imported.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import unquote, urlencode, urlsplit

from headwater.client.answers import Head, agent, head_of
from headwater.client.clock import Clock
from headwater.client.doors import Headers
from headwater.client.errors import ConnectTimeout, NetworkError, Truncated


class Call:
    """A call of an application, and its answer; see `Answers`."""

    def __init__(self, app: Any, scope: dict[str, Any], body: bytes) -> None:
        self.head = Head(0, {})
        self._app: Final = app
        self._scope: Final = scope
        self._body: bytes | None = body
        self._begun: Final = asyncio.Event()
        self._pieces: Final[asyncio.Queue[bytes | None]] = asyncio.Queue(1)
        self._gone: Final = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None

    async def begin(self, limit: float) -> None:
        """Call the application, and wait for the head of its answer."""
        self._task = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(limit):
                await self._begun.wait()
        except TimeoutError:
            raise ConnectTimeout(f"the hub did not answer within {limit:g} s") from None
        if not self.head.status:
            raise NetworkError(f"the hub did not answer: {self._error!r}")

    async def read(self) -> bytes:
        """All of the body.

        Raises:
            Truncated: the application failed on the way.
        """
        return b"".join([piece async for piece in self.chunks()])

    async def chunks(self, silence: float = 0.0, first: float | None = None) -> AsyncGenerator[Any, None]:
        """See `Answers.chunks`; inside a process nothing is lost on the way, and no limit is needed.

        Raises:
            Truncated: the application failed on the way.
        """
        while (piece := await self._pieces.get()) is not None:
            yield piece
        if self._error is not None:
            raise Truncated(f"the hub's answer broke off: {self._error!r}")

    async def abort(self) -> None:
        """Go away, as a client does, whatever waits for the answer."""
        self._gone.set()
        while not self._pieces.empty():
            self._pieces.get_nowait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with suppress(asyncio.QueueFull):
            self._pieces.put_nowait(None)

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception as error:
            self._error = error
        self._begun.set()
        await self._pieces.put(None)

    async def _receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
            self.head = head_of(message["status"], headers)
            self._begun.set()
        elif message.get("body"):
            await self._pieces.put(bytes(message["body"]))


class InsideDoor:
    """See `Door`.

    Args:
        hub: has `inside`.
        limit: seconds to the head of an answer.
    """

    ways = ("ndjson",)
    can_refresh = False
    clock = Clock()

    def __init__(self, hub: Any, limit: float) -> None:
        self._app: Final = hub.inside
        self._limit: Final = limit

    @asynccontextmanager
    async def open(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        headers: Headers,
        body: bytes | None = None,
        *,
        hold: float = 0.0,
    ) -> AsyncIterator[Call]:
        """See `Door.open`."""
        answer = Call(self._app, _scope(method, url, query, headers, body or b""), body or b"")
        try:
            await answer.begin(self._limit + hold)
            yield answer
        finally:
            await answer.abort()

    async def ask(
        self, method: str, url: str, headers: Headers, body: bytes | None = None, query: Mapping[str, str] = {}
    ) -> tuple[Head, bytes]:
        """See `Door.ask`."""
        async with self.open(method, url, query, headers, body) as answer:
            return answer.head, await answer.read()

    async def close(self) -> None:
        """See `Door.close`: the hub is the application's."""


def _scope(method: str, url: str, query: Mapping[str, str], headers: Headers, body: bytes) -> dict[str, Any]:
    path = urlsplit(url).path
    length = {"content-length": str(len(body))} if body or method in ("POST", "PUT") else {}
    all_headers = {"host": "localhost", **agent(), **length, **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": urlencode(query).encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in all_headers.items()],
        "client": None,
        "server": None,
    }
