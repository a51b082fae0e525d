"""HTTP for the asynchronous client: the module of it that knows httpx2. `sync/http.py` is its twin.

Rule: no answer is held. A live one is read piece by piece when the consumer asks, so that who does not ask stops the
server by the socket alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from inspect import isawaitable
from typing import Any, Final, TypeVar

import httpx2

from headwater.client.answers import MOST_REDIRECTS, Head, agent, head_of, is_plain, redirect, translated
from headwater.client.clock import Clock
from headwater.client.errors import BadAnswer, Silent, Stopped
from headwater.client.transports import NAMES

T = TypeVar("T")

Headers = Mapping[str, str]
#: Headers, or a function that is asked again for each request.
GivenHeaders = Headers | Callable[[], Headers | Awaitable[Headers]] | None
Client = httpx2.AsyncClient

#: Bytes of an error's body that are looked at.
_ERROR_BYTES: Final = 65_536


async def settled(value: T | Awaitable[T]) -> T:
    """A value, or what is awaited for it: functions of the application may be of either kind."""
    return await value if isawaitable(value) else value


class Cut:
    """Ends from elsewhere what is awaited."""

    def __init__(self) -> None:
        self._scope: asyncio.Timeout | None = None

    async def of(self, work: Awaitable[T]) -> T:
        """What is awaited.

        Raises:
            Stopped: it was ended.
        """
        try:
            async with asyncio.timeout(None) as self._scope:
                return await work
        except TimeoutError:
            raise Stopped("it was closed") from None
        finally:
            self._scope = None

    def now(self) -> None:
        """End it."""
        if self._scope is not None:
            self._scope.reschedule(asyncio.get_running_loop().time())


class Answer:
    """An answer whose body is read piece by piece."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self.head: Final = head_of(response.status_code, response.headers)

    async def read(self) -> bytes:
        """The body of an error, as far as it matters."""
        found = b""
        with translated(is_body=True):
            async for chunk in self._response.aiter_bytes():
                found += chunk
                if len(found) >= _ERROR_BYTES:
                    break
        return found

    async def whole(self) -> bytes:
        """The whole body."""
        with translated(is_body=True):
            return await self._response.aread()

    async def chunks(self, silence: float, first: float | None) -> AsyncGenerator[bytes, None]:
        """The body as it comes.

        Args:
            silence: seconds without a byte after which the connection is dead.
            first: the same of the first piece; None: as any other.
        """
        timeouts = self._response.request.extensions.get("timeout")
        if timeouts is not None:
            timeouts["read"] = silence
        is_raw = is_plain(self.head) and not self._response.is_stream_consumed  # as a transport of a test may have it
        source = self._response.aiter_raw() if is_raw else self._response.aiter_bytes()
        # Closed here and not by the collector, which would do it in another task while this one closes the answer.
        async with aclosing(source) as pieces:
            with translated(is_body=True):
                if first is not None:
                    try:
                        async with asyncio.timeout(first):
                            piece = await anext(pieces, None)
                    except TimeoutError:
                        raise Silent(f"nothing came for {first:g} s behind the head of the answer") from None
                    if piece is None:
                        return
                    yield piece
                async for piece in pieces:
                    yield piece

    async def abort(self) -> None:
        """End it from another task, whatever waits for it."""
        stream = self._response.extensions.get("network_stream")
        if stream is not None:
            await stream.aclose()


class Http:
    """Requests to streams.

    Args:
        headers: of every request.
        client: of the application, which closes it; None: one of its own.
        connect: seconds to the head of an answer.

    Attributes:
        ways: names of the transports.
        clock: of who waits by it.
    """

    ways = NAMES
    clock = Clock()

    def __init__(self, headers: GivenHeaders = None, client: Client | None = None, connect: float = 10.0) -> None:
        self._headers: Final = headers
        self._client = client
        self._own = client is None
        self._connect: Final = connect

    @property
    def can_refresh(self) -> bool:
        """Whether headers are asked for again."""
        return callable(self._headers)

    async def headers(self) -> dict[str, str]:
        """What goes with a request now."""
        given = self._headers
        if callable(given):
            given = await settled(given())
        return {**agent(), **(given or {})}

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
    ) -> AsyncIterator[Answer]:
        """An answer to a request.

        Raises:
            HeadwaterError: there is none.
        """
        all_headers = {"accept-encoding": "identity", **await self.headers(), **headers}
        with translated(is_body=False):
            client = self._of(url)
            wanted = client.build_request(
                method,
                url,
                params={**dict(httpx2.URL(url).params), **query} if query else None,
                headers=all_headers,
                content=body,
                timeout=httpx2.Timeout(self._connect, read=self._connect + hold, pool=None),
            )
            response = await client.send(wanted, stream=True, follow_redirects=method in ("GET", "HEAD"))
        try:
            yield Answer(response)
        finally:
            await asyncio.shield(response.aclose())

    async def ask(
        self, method: str, url: str, headers: Headers, body: bytes | None = None, query: Mapping[str, str] = {}
    ) -> tuple[Head, bytes]:
        """The head and the body of an answer.

        Raises:
            HeadwaterError: there is none.
        """
        for _ in range(MOST_REDIRECTS):
            async with self.open(method, url, query, headers, body) as answer:
                target = redirect(url, answer.head)
                if target is None:
                    return answer.head, await answer.whole()
                url = target
        raise BadAnswer("the answer is a redirect, again and again")

    async def close(self) -> None:
        """Close what is its own."""
        if self._own and self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    def _of(self, url: str) -> Client:
        if self._client is None:
            # Loading the certificates takes longer than most programs' first answer; plain http has no use for them.
            options: dict[str, Any] = {"verify": url.startswith("https:")}
            self._client = Client(limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20), **options)
        return self._client


def inner_door(hub: Any, limit: float) -> Any:
    """The way to the streams of a hub in this process."""
    from headwater.client.inside import InsideDoor  # with the hub, which a client of a server does without

    return InsideDoor(hub, limit)
