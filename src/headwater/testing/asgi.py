"""An ASGI client in process, for answers that never end.

`httpx.ASGITransport` and Starlette's `TestClient` collect the whole body before they return, so an event stream hangs
them. This one gives each part as it is sent, and can stop reading or go away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import msgspec

from headwater.asgi.types import Message, Receive, Scope, Send

Headers = Mapping[str, str]


class AsgiResponse:
    """An answer as it comes in.

    Attributes:
        status: HTTP status.
        headers: names in lower case; lines of the same name are joined with a comma.
        complete: the application has ended the body.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def part(self) -> bytes | None:
        """The next part of the body as the application sent it; None: there is no more."""
        return await self._parts.get()

    async def until(self, end: bytes) -> bytes:
        """Body from here on, until it ends with `end` or is over."""
        found = b""
        while not found.endswith(end) and (part := await self.part()) is not None:
            found += part
        return found

    async def read(self) -> bytes:
        """The rest of the body."""
        found = b""
        while (part := await self.part()) is not None:
            found += part
        return found

    def json(self, body: bytes) -> Any:
        """A body decoded."""
        return msgspec.json.decode(body)

    def _take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            for name, value in message["headers"]:
                before = self.headers.get(name.decode())
                self.headers[name.decode()] = value.decode() if before is None else f"{before}, {value.decode()}"
            return
        if message.get("body"):
            self._parts.put_nowait(message["body"])
        if not message.get("more_body", False):
            self.complete = True
            self._parts.put_nowait(None)


class AsgiClient:
    """Requests to an ASGI application, without a server.

    Args:
        app: the application; its lifespan is the caller's business.
        root_path: where the application is mounted.
    """

    def __init__(self, app: Any, *, root_path: str = "") -> None:
        self._app = app
        self._root_path = root_path

    async def request(
        self, method: str, path: str, body: bytes | Iterable[bytes] = b"", headers: Headers | None = None
    ) -> tuple[AsgiResponse, bytes]:
        """A request and its whole answer."""
        async with self.open(method, path, body, headers) as response:
            return response, await response.read()

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        headers: Headers | None = None,
        *,
        vanish: bool = False,
    ) -> AsyncIterator[AsgiResponse]:
        """A request whose answer is read as it comes; leaving the block is the client's going away.

        Args:
            method: upper case.
            path: with the query string.
            body: whole, or in parts.
            headers: names in lower case; `host` is `test` unless given.
            vanish: go away when the parts are sent, before the body's end.
        """
        response = AsgiResponse()
        gone = asyncio.Event()
        started = asyncio.Event()
        parts = [body] if isinstance(body, bytes) else list(body)

        async def receive() -> Message:
            if parts:
                part = parts.pop(0)
                return {"type": "http.request", "body": part, "more_body": bool(parts) or vanish}
            if not vanish:
                await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            response._take(message)
            started.set()

        scope = self._scope(method, path, _announced(body, headers or {}))
        task = asyncio.create_task(self._run(scope, receive, send, response))
        task.add_done_callback(lambda _: started.set())
        try:
            await started.wait()
            yield response
        finally:
            gone.set()
            await task

    async def _run(self, scope: Scope, receive: Receive, send: Send, response: AsgiResponse) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            response._parts.put_nowait(None)

    def _scope(self, method: str, path: str, headers: Headers) -> Scope:
        url, _, query = path.partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": self._root_path + unquote(url),
            "raw_path": (self._root_path + url).encode(),
            "query_string": query.encode(),
            "root_path": self._root_path,
            "headers": [
                *([] if "host" in headers else [(b"host", b"test")]),
                *((name.encode(), value.encode()) for name, value in headers.items()),
            ],
        }


def _announced(body: bytes | Iterable[bytes], headers: Headers) -> Headers:
    """With what says that a body comes: in HTTP/1.1 there is none without."""
    if not body or "content-length" in headers or "transfer-encoding" in headers:
        return headers
    if isinstance(body, bytes):
        return {**headers, "content-length": str(len(body))}
    return {**headers, "transfer-encoding": "chunked"}
