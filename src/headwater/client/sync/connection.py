"""Many streams on one WebSocket, for programs that are not asynchronous.

Rule: the connection is that of `headwater.client`, in a thread of its own, since it has to answer heartbeats, to
acknowledge and to come back while the program does something else. Nothing of it is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, cast
from weakref import WeakSet

from headwater.client.requests import join
from headwater.client.retry import Retry
from headwater.client.sync.bridge import Bridge
from headwater.client.sync.clock import Clock
from headwater.client.sync.portal import Portal
from headwater.client.sync.stream import Stream

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from headwater.client.connection.connection import Connection as AsyncConnection

    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")


class Connection:
    """Streams of a server on one WebSocket.

    ::

        with Connection("http://127.0.0.1:4437/v1/stream/", name="phone") as connection:
            room = connection.stream("rooms/7")
            room.append({"text": "hi"})
            for item in room:
                print(item.data)

    Its streams may be used from any threads. A thread of its own keeps the socket up.

    Args:
        url: of all streams of the server, such as `http://127.0.0.1:4437/v1/stream/`.
        token: shown in the first message; a function is asked for each socket and when access ends soon, in a thread.
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
        token: str | Callable[[], str] | None = None,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        retry: Retry | bool = True,
        window: int | None = 65_536,
        idle: float = 30.0,
    ) -> None:
        from headwater.client.connection.connection import Connection as AsyncConnection

        self._core: Final[AsyncConnection] = AsyncConnection(
            url,
            token=_in_thread(token) if callable(token) else token,
            name=name,
            headers=headers,
            retry=retry,
            window=window,
            idle=idle,
        )
        self.root: Final = self._core.root
        self._portal: Final = Portal.join()
        self._streams: WeakSet[Stream[Any]] = WeakSet()
        self._is_closed = False

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
        from headwater.client.connection.door import ConnectionDoor

        found: Stream[T] = Stream(
            join(self.root, path),
            type=type,
            decode=decode,
            content_type=content_type,
            retry=self._core.retry,
            http=Bridge(self._portal, ConnectionDoor(self._core), self.clock),
        )
        self._streams.add(cast("Stream[Any]", found))
        return found

    @property
    def is_open(self) -> bool:
        """Whether there is a socket that is up."""
        return self._core.is_open

    @property
    def can_refresh(self) -> bool:
        """Whether another token can be shown."""
        return self._core.can_refresh

    def reconnect(self) -> None:
        """Try again now, if it waits: the network is back."""

        async def reconnected() -> None:
            self._core.reconnect()

        self._portal.run(reconnected())
        for stream in list(self._streams):
            stream.reconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Send what waits, end all that is read on it, and close it."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            for stream in list(self._streams):
                stream.close()
            self._portal.run(self._core.aclose())
        finally:
            self._portal.leave()


def _in_thread(token: Callable[[], str]) -> Callable[[], Any]:
    """The same for who is in the loop, which a function that blocks would hold up."""

    async def asked() -> str:
        import asyncio

        return await asyncio.to_thread(token)

    return asked
