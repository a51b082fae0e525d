"""Many streams on one WebSocket.

Rule 1: there is no socket until something is asked for. When it is lost, whoever reads comes back by the rules of
        reading, and all of them to one new socket, which is not tried more often than one reader would.
Rule 2: a second reader of a stream has a socket of its own: on one connection a stream is read once.
Rule 3: a socket on which nothing is under way is closed after `idle` seconds; at once, if what was last on it failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self, cast
from urllib.parse import urlsplit
from weakref import WeakSet

from headwater.client.clock import Clock, Pause
from headwater.client.connection.door import ConnectionDoor
from headwater.client.connection.link import Link, connected
from headwater.client.connection.pace import Pace
from headwater.client.connection.session import Draining, Expiring
from headwater.client.errors import Stopped
from headwater.client.http import settled
from headwater.client.requests import join
from headwater.client.retry import NEVER, Retry
from headwater.client.stream import Stream
from headwater.errors import HeadwaterError
from headwater.protocol.websocket import messages as m

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")

GivenToken = str | Callable[[], str | Awaitable[str]] | None


class Connection:
    """Streams of a server on one WebSocket.

    ::

        async with Connection("http://127.0.0.1:4437/v1/stream/", name="phone") as connection:
            room = connection.stream("rooms/7")
            await room.append({"text": "hi"})
            async for item in room:
                print(item.data)

    Args:
        url: of all streams of the server, such as `http://127.0.0.1:4437/v1/stream/`.
        token: shown in the first message; a function is asked for each socket and when access ends soon.
        name: what this client is called where readers are listed, and as a member.
        headers: of the handshake.
        retry: how trouble is met; False: not at all.
        window: bytes of one stream that may be sent and are not done with; None: as the server says.
        idle: seconds after which a socket on which nothing is under way is closed.

    Attributes:
        root: URL of the streams, with a slash at its end.
        clock: of who waits by it.

    Raises:
        ValueError: the URL is none.
    """

    clock = Clock()

    def __init__(
        self,
        url: str,
        *,
        token: GivenToken = None,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        retry: Retry | bool = True,
        window: int | None = 65_536,
        idle: float = 30.0,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname or parts.fragment or parts.query:
            raise ValueError(f"{url!r} is no URL of streams, such as http://127.0.0.1:4437/v1/stream/")
        self.root = "http" + url.removeprefix("http").removeprefix("ws").rstrip("/") + "/"
        self.retry = retry if isinstance(retry, Retry) else Retry() if retry else NEVER
        self.window = window
        self._token: Final[GivenToken] = token
        self._name: Final = name
        self._headers: Final = dict(headers or {})
        self._idle: Final = idle
        self._links: list[Link] = []
        self._opening: asyncio.Task[Link] | None = None
        self._pace: Final = Pace(self.retry, lambda: self.clock.draw())
        self._wait: Pause | None = None
        self._is_closed = False
        self._streams: WeakSet[Stream[Any]] = WeakSet()
        self._watching: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def stream(
        self,
        path: str,
        *,
        type: type[T] | None = None,
        decode: Callable[[bytes], T] | None = None,
        content_type: str | None = None,
    ) -> Stream[T]:
        """A stream of the server; it is the same as that of `Stream(url)`.

        Args:
            path: of the stream, such as `rooms/7`.
            type: see `Stream`.
            decode: see `Stream`.
            content_type: see `Stream`.
        """
        found: Stream[T] = Stream(
            join(self.root, path),
            type=type,
            decode=decode,
            content_type=content_type,
            retry=self.retry,
            http=ConnectionDoor(self),
        )
        self._streams.add(cast("Stream[Any]", found))
        return found

    @property
    def is_open(self) -> bool:
        """Whether there is a socket that is up."""
        return any(link.is_usable for link in self._links)

    @property
    def can_refresh(self) -> bool:
        """Whether another token can be shown."""
        return callable(self._token)

    def reconnect(self) -> None:
        """Try again now, if it waits: the network is back."""
        self._pace.reset()
        if self._wait is not None:
            self._wait.wake()
        for stream in list(self._streams):
            stream.reconnect()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Send what waits, end all that is read on it, and close it."""
        for stream in list(self._streams):
            await stream.aclose()
        self._streams.clear()
        self._is_closed = True
        if self._watching is not None:
            self._watching.cancel()
        if self._wait is not None:
            self._wait.wake()
        if self._opening is not None:
            self._opening.cancel()
            with suppress(asyncio.CancelledError, HeadwaterError):
                await self._opening
        for link in self._links:
            await link.close()
        self._links.clear()

    async def link(self, path: str, *, reads: bool) -> Link:
        """See `Links.link`."""
        while True:
            if self._is_closed:
                raise Stopped("the connection was closed")
            for link in [link for link in self._links if link.session.error is not None]:
                self._drop(link)
            usable = [link for link in self._links if link.is_usable]
            if not reads:  # rather where it is read: who is cut from a stream is no member of it
                usable.sort(key=lambda link: path not in link.session.reads)
            for link in usable:
                if not reads or path not in link.session.reads:
                    return link
            if self._opening is None:
                self._opening = asyncio.create_task(self._open(path if reads else None))
                self._opening.add_done_callback(self._opened)
            await asyncio.shield(self._opening)

    def _opened(self, task: asyncio.Task[Link]) -> None:
        self._opening = None
        if not task.cancelled():
            task.exception()  # who waits for it is told

    async def _open(self, path: str | None) -> Link:
        if (wait := self._pace.wait(path, self.clock.now())) > 0:
            self._wait = self.clock.pause()
            await self._wait.wait(wait)
            self._wait = None
        self._pace.begin(path, self.clock.now())
        token = await settled(self._token()) if callable(self._token) else self._token
        url = "ws" + self.root.removeprefix("http") + "-/connect"
        try:
            link = await connected(url, self._headers, token, self._name, self.retry, self._heard)
        except HeadwaterError as error:
            self._pace.failed(self.clock.now(), error.retry_after or None)
            raise
        self._links.append(link)
        return link

    async def release(self, link: Link, *, failed: bool) -> None:
        """See `Links.release`."""
        if link.session.error is not None or (not link.is_busy and (failed or not link.is_usable)):
            self._drop(link)
            await link.close()
        elif not link.is_busy:
            self._watch()

    def _drop(self, link: Link) -> None:
        """It is over; whoever has something on it still has to release it."""
        if link in self._links:
            self._links.remove(link)
            self._pace.over(self.clock.now(), has_told=link.moved, is_drained=link.session.after is not None)

    def _watch(self) -> None:
        if self._watching is None and not self._is_closed:
            self._watching = asyncio.get_running_loop().call_later(self._idle, self._look)

    def _look(self) -> None:
        """Close what was idle for long enough."""
        self._watching = None
        now = asyncio.get_running_loop().time()
        idle = [link for link in self._links if not link.is_busy and now - link.used >= self._idle]
        for link in idle:
            self._links.remove(link)
            self._run(link.close())
        if any(not link.is_busy for link in self._links):
            self._watch()

    def _heard(self, link: Link, event: Draining | Expiring) -> None:
        if isinstance(event, Draining):
            self._pace.drained(self.clock.now(), event.after)
        elif callable(self._token):
            self._run(self._refresh(link))

    async def _refresh(self, link: Link) -> None:
        """Show another token; what it is not allowed any more is told where it is read."""
        assert callable(self._token)
        token = await settled(self._token())
        with suppress(HeadwaterError):
            await link.ask(lambda id: m.Auth(token, id), self.retry.connect)

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
